"""The customer's own page in Chromium: the link is kept, the page changes gently."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import FrozenClock
from faces import MOMENTS, lay_out
from flask import Flask
from playwright.sync_api import Page, expect
from privacy_cases import PERSON, Office
from shop_forms import stock
from sqlalchemy import update

from portal.config import Settings
from portal.db import db, transaction
from portal.settings import demo_service
from portal.support.models import Attention
from portal.web import settings_of

MakePage = Callable[..., Page]

_NOWHERE = """() => {
  delete Navigator.prototype.share;
  Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined});
}"""
_SHARES = """() => {
  Navigator.prototype.share = data => {
    window.shared = data;
    return window.refusal
      ? Promise.reject(new DOMException('', window.refusal)) : Promise.resolve();
  };
}"""
_RESYNC = "document.body.dispatchEvent(new Event('resync'))"


@pytest.fixture
def paths(app: Flask, clock: FrozenClock, portal_url: str) -> dict[str, str]:
    """Where each face of noon is."""
    stock(app)
    clock.set(MOMENTS["noon"])
    with app.app_context():
        with transaction() as session:
            demo_service.fill_missing(session, MOMENTS["noon"])
        key = settings_of(app).secret_keys[0]
        found = lay_out(db.session(), key, "noon")
        db.session.remove()
    return {name: portal_url + path for name, path in found.items()}


@pytest.fixture
def office(app: Flask, clock: FrozenClock, settings: Settings) -> Office:
    """Who sends the mails; nobody else is needed here."""
    return Office(app, clock, settings, 0, "")


def test_link_is_shared_or_copied_or_at_least_selected(
    paths: dict[str, str], new_page: MakePage
) -> None:
    url = paths["espera"]
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script(f"({_SHARES})()")
    page.goto(url)
    share = page.get_by_role("button", name="Compartir")
    copy = page.get_by_role("button", name="Copiar enlace")
    share.click()
    assert page.evaluate("window.shared") == {"url": url}
    page.evaluate("window.refusal = 'AbortError'")  # closed by the customer
    share.click()
    expect(page.locator("#aviso")).to_be_empty()
    page.evaluate("window.refusal = 'NotAllowedError'")
    share.click()
    expect(page.locator("#aviso")).to_contain_text("Puede copiarlo")
    copy.click()
    expect(page.locator("#aviso")).to_have_text("Copiado")
    assert page.evaluate("navigator.clipboard.readText()") == url

    bare = new_page()
    bare.add_init_script(f"({_NOWHERE})()")
    bare.goto(url)
    expect(bare.get_by_role("button", name="Compartir")).to_be_hidden()
    bare.get_by_role("button", name="Copiar enlace").click()
    expect(bare.locator("#aviso")).to_contain_text("Manténgalo apretado")
    expect(bare.locator("#mi-enlace")).to_be_visible()
    assert bare.evaluate("String(getSelection())") == url


def test_focus_and_words_survive_every_change_of_the_page(
    app: Flask, paths: dict[str, str], page: Page, clock: FrozenClock
) -> None:
    page.goto(paths["espera"])
    heading = page.get_by_role("heading", level=1)

    def change(title: str, **values: object) -> None:
        with app.app_context(), transaction() as session:
            session.execute(
                update(Attention)
                .where(Attention.id == 1)
                .values(version=Attention.version + 1, **values)
            )
        page.evaluate(_RESYNC)
        expect(heading).to_have_text(title)

    call = page.get_by_role("link", name="Llamar a la oficina")
    call.focus()
    held = {"technician_id": 1, "taken_at": clock.now}
    change("Ana tomó su caso", state="taken", **held)
    expect(call).to_be_focused()
    box = page.get_by_label("Lo lee quien le atiende")
    box.press_sequentially("La caja ")
    end = clock.now + timedelta(minutes=90)
    change("Le está atendiendo Ana", state="running", started_at=clock.now, ends_at=end)
    expect(box).to_be_focused()
    box.press_sequentially("no abre")
    button = page.get_by_role("button", name="Enviar mensaje")
    button.focus()
    pause = {"paused_at": clock.now, "paused_until": clock.now + timedelta(minutes=9)}
    change("Su atención está en pausa", state="paused", **pause)
    expect(button).to_be_focused()
    expect(box).to_have_value("La caja no abre")


def test_data_are_corrected_asked_for_and_money_taken_back_without_scripts(
    paths: dict[str, str], new_page: MakePage, office: Office, portal_url: str
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{paths['espera']}/datos")
    page.get_by_text("Corregir mis datos").click()
    page.get_by_label("Nombre").fill("Rosa Parra")
    page.get_by_role("button", name="Guardar").click()
    expect(page.locator("main").get_by_role("status")).to_have_text("Corregido.")
    expect(page.locator("main")).to_contain_text("Rosa Parra")
    page.get_by_role("link", name="Pedir algo sobre mis datos").click()
    page.get_by_label("Acceso").check()
    page.get_by_label("Cuéntenos").fill("Quiero saber qué tienen.")
    page.get_by_label("Su nombre").fill(PERSON["name"])
    page.get_by_label("Su correo").fill(PERSON["email"])
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("revise su correo")
    page.goto(portal_url + office.link())
    page.get_by_role("button", name="Sí, lo pido yo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Solicitud D-1001")
    page.goto(paths["espera"])
    page.get_by_text("Ver el enlace").click()
    expect(page.locator("#mi-enlace")).to_have_text(paths["espera"])
    page.get_by_role("button", name="Devolver $19.990").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("devolución")
