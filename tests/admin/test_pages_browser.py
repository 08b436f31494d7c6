"""Every page of the owner's, and her account's, on a phone and on a wide screen."""

from collections.abc import Callable

import pytest
from axe_check import axe_findings, keep_axe
from conftest import TUESDAY_NOON
from flask import Flask
from playwright.sync_api import Page, expect
from shop_forms import stock
from support_cases import add_attention, add_staff, enter_as

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
