"""The owner's first page on her phone and on a wide screen."""

from collections.abc import Callable

import pytest
from axe_check import axe_findings
from browser_watch import Watch
from flask import Flask
from playwright.sync_api import Page, expect
from shop_forms import stock
from support_cases import add_staff, enter_as

from portal.db import transaction

Put = Callable[..., int]


@pytest.fixture
def enter(app: Flask, portal_url: str) -> Callable[[Page], None]:
    """Logs the owner in, by the cookie that a log-in would leave."""
    stock(app)
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Elena", "owner").id
    return lambda page: enter_as(app, page, number, portal_url)


@pytest.fixture
def money(put_payment: Put) -> None:
    put_payment(disposition="surplus", buy_order="ITP" + "W" * 16)
    put_payment(
        disposition="mismatch",
        gateway="mercadopago",
        gateway_payment_id="12345678901234567890",
        evidence={"amount": 1_990},
    )
    put_payment(disposition="late", hours=24 * 9)
    put_payment(state="unknown")
    put_payment(disposition="applied", hours=1)


@pytest.mark.usefixtures("money")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["", "/pedidos/1001", "/pedidos/1003"])
def test_page_fits_and_axe_finds_nothing(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    path: str,
    width: int,
    scheme: str,
) -> None:
    page = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    enter(page)
    page.goto(f"{portal_url}/administrar{path}")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe_findings(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_one_tap_stops_the_shop(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    watch: Watch,
    scripts: bool,
) -> None:
    watch.allow("status of 422")
    page, phone = new_page(java_script_enabled=scripts), new_page()
    enter(page)
    page.goto(f"{portal_url}/administrar")
    field = page.get_by_label("Mensaje para los clientes")
    field.fill("Volvemos a las 15:00.\x7f")
    page.get_by_role("button", name="Detener todas las ventas").click()
    expect(page.locator("#message-error")).to_contain_text("caracteres")
    field.fill("Volvemos a las 15:00.")
    page.get_by_role("button", name="Detener todas las ventas").click()
    expect(page.locator("#detenidas")).to_contain_text("Volvemos a las 15:00.")
    phone.goto(portal_url)
    expect(phone.locator("#now")).to_contain_text("Volvemos a las 15:00.")
    page.get_by_role("button", name="Reanudar las ventas").click()
    expect(page.locator("#detenidas")).to_have_count(0)
    phone.goto(portal_url)
    expect(phone.locator("#now")).not_to_contain_text("Volvemos")
