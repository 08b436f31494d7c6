"""The shop in a phone: with scripts, and without."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from browser_watch import FLAGS, PHONE, Watch, whole_chromium
from playwright.sync_api import Browser, Page, expect
from shop_forms import SUPPORT

from portal.orders.models import Order

REFUSED = "status of 422"


def fill_in(page: Page) -> None:
    page.get_by_label("Cuéntenos qué pasa").fill("La caja muestra un error.")
    page.get_by_label("Su nombre").fill("Rosa Pérez")
    page.get_by_label("Su teléfono").fill("987654321")
    page.get_by_label("Su correo").fill("rosa@almacen.cl")


def no_wider_than_the_phone(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(
    "path", ["/", SUPPORT, "/servicios/asistencia-terreno", "/servicios/nada"]
)
def test_page_fits_the_phone(
    page: Page, portal_url: str, watch: Watch, path: str
) -> None:
    watch.allow("status of 404")
    page.goto(portal_url + path)
    assert no_wider_than_the_phone(page)


def test_field_is_mended_as_one_leaves_it(page: Page, portal_url: str) -> None:
    page.goto(portal_url + SUPPORT)
    phone = page.get_by_label("Su teléfono")
    phone.fill("123")
    phone.blur()
    expect(page.locator("#phone-error")).to_contain_text("9 dígitos")
    expect(phone).to_have_attribute("aria-invalid", "true")
    phone.fill("987654321")
    phone.blur()
    expect(page.locator("#phone-error")).to_have_count(0)
    expect(phone).to_have_value("987654321")


def test_excluded_topic_leads_to_the_right_service(page: Page, portal_url: str) -> None:
    page.goto(portal_url + SUPPORT)
    page.select_option("#topic", "virus")
    page.get_by_role("link", name="Ver servicio técnico").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Servicio técnico")


def test_what_is_typed_meanwhile_is_not_lost(page: Page, portal_url: str) -> None:
    page.goto(portal_url + SUPPORT)
    fill_in(page)
    page.select_option("#topic", "disco-virtual")
    expect(page.locator("#need")).to_contain_text("Revisamos el disco virtual")
    page.get_by_label("64 bits").check()
    expect(page.locator("#need .banner")).to_be_visible()
    page.get_by_label("32 bits").check()
    expect(page.locator("#need .banner")).to_have_count(0)
    expect(page.locator("#topic")).to_have_value("disco-virtual")
    expect(page.get_by_label("Su nombre")).to_have_value("Rosa Pérez")


def test_factura_opens_its_fields(page: Page, portal_url: str) -> None:
    page.goto(portal_url + SUPPORT)
    expect(page.get_by_label("RUT de la empresa")).to_be_hidden()
    page.get_by_label("Factura").check()
    expect(page.get_by_label("RUT de la empresa")).to_be_visible()


def test_errors_take_the_focus_and_lead_to_their_fields(
    page: Page, portal_url: str, watch: Watch
) -> None:
    watch.allow(REFUSED)
    page.goto(portal_url + SUPPORT)
    page.get_by_role("button", name="Continuar").click()
    expect(page.locator("#errores")).to_be_focused()
    page.locator("#errores a").last.click()
    expect(page.locator("#accept_terms")).to_be_focused()


@pytest.mark.parametrize("scripts", [True, False])
def test_order_is_placed_with_scripts_and_without(
    new_page: Callable[..., Page],
    portal_url: str,
    watch: Watch,
    orders: Callable[[], list[Order]],
    scripts: bool,
) -> None:
    watch.allow("status of 4")
    page = new_page(java_script_enabled=scripts)
    page.goto(portal_url + SUPPORT)
    page.select_option("#topic", "isbutton")
    fill_in(page)
    page.get_by_role("button", name="Continuar").click()
    page.get_by_text("debe aceptar los términos").first.wait_for()
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    page.wait_for_url("**/atencion/*")
    (order,) = orders()
    assert order.problem == "La caja muestra un error."


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone that keeps the page it left, as phones do and Playwright's do not.

    Nor does Chromium without a window.
    """
    own = browser.browser_type.launch(
        executable_path=whole_chromium(),
        args=FLAGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield own.new_context(**PHONE).new_page()
    own.close()


def test_back_finds_the_form_as_it_was_left(
    phone: Page, portal_url: str, orders: Callable[[], list[Order]]
) -> None:
    phone.goto(portal_url + SUPPORT)
    phone.select_option("#topic", "isbutton")
    fill_in(phone)
    phone.locator("#accept_terms").check()
    phone.get_by_role("button", name="Continuar").click()
    phone.wait_for_url("**/atencion/*")
    phone.go_back(wait_until="commit")
    expect(phone.get_by_label("Su nombre")).to_have_value("Rosa Pérez")
    phone.get_by_label("Su nombre").fill("Rosa Soto")
    phone.get_by_role("button", name="Continuar").click()
    phone.wait_for_url("**/atencion/*")
    assert [order.version for order in orders()] == [2]


def test_home_changes_by_itself_when_the_regime_does(
    page: Page, portal_url: str, clock: Any
) -> None:
    clock.set(datetime.fromisoformat("2026-11-24T18:30:59.500-03:00"))
    page.goto(portal_url)
    expect(page.locator("main")).to_have_attribute("data-regime", "normal")
    clock.advance(seconds=2)
    expect(page.locator("main")).to_have_attribute("data-regime", "special")
    expect(page.locator("#now")).to_contain_text("$29.990")
