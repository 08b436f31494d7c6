"""Every page of the owner's, and her account's, on a phone and on a wide screen."""

from collections.abc import Callable

import pytest
from axe_check import axe_findings, keep_axe
from conftest import TUESDAY_NOON
from flask import Flask
from playwright.sync_api import Page, expect
from shop_forms import stock
from simulator_client import SimulatorClient
from support_cases import add_attention, add_staff, enter_as
from zoom_check import width_problems

from portal.db import transaction

PATHS = (
    *("ajustes", "ajustes/empresa", "ajustes/canales", "ajustes/plazos"),
    *(
        "precios",
        "temas",
        "temas/1",
        "soluciones",
        "soluciones/1",
        "horario",
        "horario/semana",
        "terminos",
    ),
    *("horario/dia?dia=2026-12-24", "equipo", "pedidos", "pedidos/nuevo"),
    *("pedidos/1001/documento", "pedidos/1001/prueba", "documentos", "revision"),
    *("soluciones/nueva", "pantallas", "datos", "datos/solicitudes/nueva"),
    *("datos/registro", "datos/consultas", "../mi-cuenta"),
)

_CUT_FIELDS = """() => [...document.querySelectorAll('input.input, select.input')]
  .filter(el => el.scrollWidth > el.clientWidth).map(el => el.outerHTML)"""
_HEAD_ROWS = """() => new Set([...document.querySelectorAll(
  '.site-header__side .row > :not([type=hidden])')].map(el => {
    const box = el.getBoundingClientRect();
    return Math.round(box.top + box.height / 2);
  })).size"""


@pytest.fixture
def enter(app: Flask, portal_url: str) -> Callable[[Page], None]:
    """Logs the owner in, by the cookie that a log-in would leave."""
    stock(app)
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Elena Huenchumilla Díaz", "owner").id
        add_staff(session, "Ana")
        add_attention(session, now=TUESDAY_NOON)
    return lambda page: enter_as(app, page, number, portal_url)


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_pages_fit_and_axe_finds_nothing(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    width: int,
    scheme: str,
) -> None:
    page = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    enter(page)
    keep_axe(page)
    for path in PATHS:
        page.goto(f"{portal_url}/administrar/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        # Who is logged in and the way out, on one line at the end of the head.
        assert page.evaluate(_HEAD_ROWS) == 1, path
        assert axe_findings(page) == [], path


@pytest.mark.parametrize("scripts", [True, False])
def test_price_changes_with_and_without_scripts(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    scripts: bool,
) -> None:
    page = new_page(java_script_enabled=scripts)
    enter(page)
    page.goto(f"{portal_url}/administrar/precios")
    page.get_by_label("Precio en horario normal").fill("$21.500")
    page.get_by_role("button", name="Confirmar o guardar").first.click()
    expect(page.get_by_role("status").first).to_contain_text("versión 2")
    page.goto(portal_url)
    expect(page.locator("main")).to_contain_text("$21.500")


@pytest.mark.parametrize("path", ["pedidos", "datos/consultas", "horario/semana"])
def test_tables_and_forms_stay_whole_when_zoomed_in(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    path: str,
) -> None:
    page = new_page()
    enter(page)
    page.goto(f"{portal_url}/administrar/{path}")
    # 1280 pixels at 400 % and at 200 %.
    assert [*width_problems(page, 320), *width_problems(page, 640)] == []
    # An hour that is cut in its field is no wider page.
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert page.evaluate(_CUT_FIELDS) == []


def test_owner_works_without_scripts(
    portal_url: str,
    new_page: Callable[..., Page],
    enter: Callable[[Page], None],
    put_payment: Callable[..., int],
    simulator: SimulatorClient,
) -> None:
    put_payment(disposition="surplus")
    page = new_page(java_script_enabled=False)
    enter(page)
    dead = []
    for path in ("", *(f"/{path}" for path in PATHS)):
        page.goto(f"{portal_url}/administrar{path}")
        dead += [
            f"{path}: {button.inner_text()}"
            for button in page.locator("main button:visible").all()
            if button.locator("xpath=ancestor::form").count() != 1
        ]
    assert dead == []
    main = page.locator("main")
    page.goto(f"{portal_url}/administrar/soluciones/nueva")
    page.get_by_label("Título").fill("Impresora sin papel")
    page.get_by_label("Texto que lee el cliente").fill("Pusimos papel y probamos.")
    page.get_by_role("button", name="Guardar").click()
    expect(main).to_contain_text("Impresora sin papel")
    page.goto(f"{portal_url}/administrar/pedidos/1001")
    page.get_by_label("Nota interna").fill("Llamar el viernes.")
    page.get_by_role("button", name="Guardar la nota").click()
    expect(main).to_contain_text("Llamar el viernes.")
    page.get_by_role("link", name="Prueba de lo que aceptó").click()
    expect(main).to_contain_text("Este pedido no tiene aceptación")
    page.goto(f"{portal_url}/administrar/datos/solicitudes/nueva")
    page.get_by_label("Acceso").check()
    page.get_by_label("Su nombre").fill("Rosa Parra")
    page.get_by_label("Su correo").fill("rosa@example.cl")
    page.get_by_label("Cuéntenos").fill("Pide una copia, por carta.")
    page.get_by_role("button", name="Anotar").click()
    page.get_by_label("Se hace lo que pide").check()
    page.get_by_role("button", name="Enviar la respuesta").click()
    expect(main).to_contain_text("Contestada")
    page.goto(f"{portal_url}/administrar")
    page.get_by_role("button", name="Devolver $19.990").click()
    expect(main).to_contain_text("Devoluciones sin terminar")
