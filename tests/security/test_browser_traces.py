"""A customer's whole path and the staff's acts leave nothing in the browser.

Marks stand in everything typed; afterwards they are sought in every storage, in the
requests to other origins, and in the files of the browser's profile.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_traces import (
    cached_addresses,
    is_to_another,
    kept_by,
    stored_bytes,
    tells_on,
)
from browser_watch import FLAGS, PATIENCE_MS, PHONE, Watch, chromium
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask, Response
from playwright.sync_api import Browser, BrowserContext, Request, expect
from simulator_client import SimulatorClient

from portal.accounts import service
from portal.journal.service import SYSTEM
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.service import change
from portal.terms import service as terms

PASSWORD = "marcaclave-larga"
TYPED = {
    "name": "Marcanombre Perez",
    "mail": "marcacorreo@example.cl",
    "phone": "987612345",
    "rut": "12345678",
    "problem": "marcaproblema: la caja no abre",
    "tax name": "marcarazon",
    "message": "marcamensaje al tecnico",
    "code": "marcacodigo99",
    "comment": "marcacomentario",
    "note": "marcanota interna",
    "log": "marcabitacora",
    "draft": "marcaborrador a medias",
    "search": "marcabusqueda",
    "password": PASSWORD,
}


class Walk:
    """One browser with a profile on the disk, used by customer and staff in turn."""

    def __init__(
        self, context: BrowserContext, url: str, watch: Watch, clock: FrozenClock
    ) -> None:
        self.context, self.url, self.clock = context, url, clock
        self.marks = dict(TYPED)
        self.abroad: list[Request] = []
        self.told: list[str] = []
        self.stored: list[tuple[str, str, str]] = []
        context.on("request", self._asked)
        self.page = context.pages[0]
        self.page.set_default_timeout(PATIENCE_MS)
        watch.follow(self.page)

    def _asked(self, request: Request) -> None:
        if told := tells_on(request):
            self.told.append(told)
        if is_to_another(request, self.url):
            self.abroad.append(request)

    def go(self, path: str) -> None:
        self.clock.advance(seconds=5)
        self.page.goto(self.url + path)
        self.look()

    def look(self) -> None:
        """Note what the page shown has left behind until now."""
        if self.page.url.startswith(self.url):
            kept = kept_by(self.page).items()
            self.stored += [(self.page.url, *each) for each in kept]

    def press(self, name: str) -> None:
        self.clock.advance(seconds=5)
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def found_in(self, text: str) -> list[str]:
        """The marks that stand in the text, by name."""
        low = text.lower()
        return [name for name, mark in self.marks.items() if mark.lower() in low]


@pytest.fixture
def shop(app: Flask) -> Flask:
    with app.app_context():
        terms.set_up(TUESDAY_NOON)
        change(DEMO_VALUES, actor=SYSTEM, now=TUESDAY_NOON)
        for role in ("technician", "owner"):
            service.add_user(
                f"{role}@example.cl", "Ana", role, PASSWORD, now=TUESDAY_NOON
            )
    return app


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Where the browser keeps what it keeps."""
    return tmp_path / "profile"


@pytest.fixture
def walk(
    shop: Flask,
    browser: Browser,
    simulator: SimulatorClient,
    portal_url: str,
    profile: Path,
    watch: Watch,
    clock: FrozenClock,
) -> Iterator[Walk]:
    context = browser.browser_type.launch_persistent_context(
        profile, executable_path=chromium(), args=FLAGS, **PHONE
    )
    yield Walk(context, portal_url, watch, clock)
    context.close()


def _buy(walk: Walk, gateway: str, outcome: str) -> str:
    """From the shop to the page of a paid order; the secret link's path."""
    page = walk.page
    walk.go("/")
    walk.go("/servicios/soporte-online")
    page.select_option("#topic", "error-del-programa")
    page.get_by_label("32 bits").check()
    page.get_by_label("Cuéntenos qué pasa").fill(TYPED["problem"])
    page.get_by_label("Su nombre").fill(TYPED["name"])
    page.get_by_label("Su teléfono").fill("9876")
    page.get_by_label("Su correo").fill(TYPED["mail"])
    page.get_by_label("Factura").check()
    page.locator("[name=tax_rut]").fill(f"{TYPED['rut']}-5")
    page.locator("[name=tax_name]").fill(TYPED["tax name"])
    page.locator("[name=tax_activity]").fill("Venta al por menor")
    page.locator("[name=tax_address]").fill("Los Aromos 12")
    page.locator("[name=tax_commune]").fill("Ñuñoa")
    page.locator("#accept_terms").check()
    walk.press("Continuar")
    expect(page.locator("#errores")).to_be_visible()
    walk.look()
    page.get_by_label("Su teléfono").fill(TYPED["phone"])
    walk.press("Continuar")
    page.wait_for_url("**/atencion/*")
    walk.look()
    path = page.url.removeprefix(walk.url)
    walk.marks[f"the link of {gateway}"] = path.rpartition("/")[2]
    page.locator(f"#pagar-{gateway} button").click()
    page.locator(f"[data-outcome={outcome}]").click()
    page.wait_for_url("**/atencion/*")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    walk.look()
    return path


def _log_in(walk: Walk, role: str) -> None:
    page = walk.page
    walk.go("/ingresar")
    page.get_by_label("Correo").fill(f"{role}@example.cl")
    page.get_by_label("Contraseña").fill(PASSWORD)
    walk.press("Ingresar")
    page.wait_for_url(lambda url: "/ingresar" not in url)
    for cookie in walk.context.cookies():
        walk.marks[f"cookie {cookie['name']} of {role}"] = str(cookie["value"])
    walk.look()


def _attend(walk: Walk, path: str) -> None:
    """The customer writes, the technician attends, and both end."""
    page = walk.page
    _log_in(walk, "technician")
    walk.go("/tablero")
    for button in ("Tomar", "Iniciar"):
        walk.press(button)
    expect(page.locator("[data-attention=running]")).to_be_visible()
    walk.look()
    walk.go(path)
    page.locator("[name=message]").fill(TYPED["message"])
    walk.press("Enviar mensaje")
    expect(page.get_by_text(TYPED["message"])).to_be_visible()
    page.locator("[name=code]").fill(TYPED["code"])
    page.locator("[name=consent]").check()
    walk.press("Enviar código")
    expect(page.get_by_role("button", name="Borrar mi código ahora")).to_be_visible()
    walk.look()
    walk.go("/tablero")
    for form, text, button in (
        ("anotar", TYPED["log"], "Haremos"),
        ("nota", TYPED["note"], "Guardar nota"),
    ):
        box = page.locator(f"details[id^={form}-]").first
        box.locator("summary").click()
        box.locator("textarea").fill(text)
        walk.clock.advance(seconds=5)
        box.get_by_role("button", name=button).click()
        expect(box.locator("textarea")).to_have_value("")
    walk.look()
    walk.go("/tablero/1/historial")


def _close(walk: Walk, path: str) -> None:
    """The owner closes it for the technician; the customer rates it."""
    page = walk.page
    _log_in(walk, "owner")
    walk.go("/tablero")
    box = page.locator("details[id^=cerrar-]").first
    box.locator("summary").click()
    box.get_by_label("Resuelto", exact=True).check()
    box.locator("textarea").fill(TYPED["log"])
    box.get_by_role("button", name="Cerrar la atención").click()
    expect(page.locator("[data-attention=closed]")).to_be_visible()
    walk.go(path)
    page.locator("[name=stars][value='4']").check(force=True)
    page.locator("[name=comment]").fill(TYPED["comment"])
    walk.press("Enviar mi opinión")
    expect(page.get_by_text(TYPED["comment"])).to_be_visible()
    walk.look()


def _leave(walk: Walk) -> None:
    """Log out with words half typed; "back" shows nothing of them."""
    page = walk.page
    walk.go("/tablero")
    box = page.locator("details[id^=nota-]").first
    box.locator("summary").click()
    with page.expect_response("**/borrador"):
        box.locator("textarea").fill(TYPED["draft"])
    walk.look()
    walk.press("Salir")
    page.wait_for_url(lambda url: "/tablero" not in url)
    walk.look()
    page.go_back()
    expect(page.get_by_label("Contraseña")).to_be_visible()
    assert walk.found_in(page.content()) == []
    walk.look()


def _rule(walk: Walk, path: str) -> None:
    """The owner looks at everything of the person; the customer at what is kept."""
    for address in (
        *("/administrar", f"/administrar/pedidos?q={TYPED['search']}"),
        *("/administrar/pedidos/1001", "/administrar/datos/personas/1001"),
        *("/informes/2026-11", "/mi-cuenta", "/administrar/datos/consultas"),
    ):
        walk.go(address)
    walk.press("Salir")
    walk.go(f"{path}/datos")
    walk.go(f"{path}/comprobante")
    walk.go(path)


def _nothing_is_found(walk: Walk, profile: Path) -> None:
    assert walk.stored == []
    assert walk.told == []
    assert len(walk.abroad) > 5, "nobody else was asked: the search proves nothing"
    for request in walk.abroad:
        said = f"{request.url} {request.headers} {request.post_data or ''}"
        assert walk.found_in(said) == [], request.url
    assert len(walk.marks) > 16
    held = stored_bytes(profile)
    assert held
    assert walk.found_in(held.decode("latin-1")) == []
    ours = {it for it in cached_addresses(profile) if it.startswith(walk.url)}
    paths = {re.sub(r"[?#].*", "", it.removeprefix(walk.url)) for it in ours}
    assert any(path.startswith("/static/") for path in paths)
    others = {path for path in paths if not path.startswith("/static/")}
    assert others <= {"/servicios/soporte-online", "/manifest.webmanifest"}


@pytest.mark.long
def test_a_walk_leaves_nothing_in_the_browser(walk: Walk, profile: Path) -> None:
    path = _buy(walk, "mercadopago", "credit")
    _buy(walk, "webpay", "visa")
    _attend(walk, path)
    _leave(walk)
    _close(walk, path)
    _rule(walk, path)
    walk.context.close()
    _nothing_is_found(walk, profile)


_SEED = """async mark => {
  localStorage.x = mark;
  sessionStorage.x = mark;
  document.cookie = `x=${encodeURIComponent(mark)}`;
  history.replaceState({mark}, "");
  window.name = mark;
  await (await caches.open("x")).put("/x", new Response(mark));
  await new Promise(done => {
    const asked = indexedDB.open(mark);
    asked.onupgradeneeded = () => asked.result.createObjectStore(mark);
    asked.onsuccess = done;
  }); }"""


def test_each_trace_that_is_left_is_found(
    app: Flask, walk: Walk, profile: Path, simulator: SimulatorClient, watch: Watch
) -> None:
    """The control: what a careless page would leave, in every place."""
    watch.allow(r"/descuidada\?")

    def careless() -> Response:
        away = f"{simulator.base_url}/static/simulator.css?{TYPED['phone']}"
        body = (
            "<!doctype html><title>x</title><link rel=icon href=data:>"
            f"<img referrerpolicy=unsafe-url src='{away}' alt=''>"
        )
        answer = Response(body, mimetype="text/html")
        answer.headers["Cache-Control"] = "max-age=3600"
        answer.headers["Content-Security-Policy"] = "default-src * data:"
        return answer

    app.add_url_rule("/descuidada", "careless", careless)
    walk.go(f"/descuidada?{TYPED['rut']}")
    walk.page.evaluate(_SEED, TYPED["message"])
    walk.look()
    watch.leave(walk.page)
    assert len(watch.reports) > 7
    assert {place for _, place, _ in walk.stored} == {
        *("localStorage", "sessionStorage", "indexedDB", "cacheStorage"),
        *("cookie", "window_name", "history_state"),
    }
    assert any(TYPED["rut"] in each for each in walk.told)
    assert any(walk.found_in(request.url) == ["phone"] for request in walk.abroad)
    walk.context.close()
    kept = {it for it in cached_addresses(profile) if "/descuidada" in it}
    assert kept == {f"{walk.url}/descuidada?{TYPED['rut']}"}
    assert {"rut", "message"} <= set(
        walk.found_in(stored_bytes(profile).decode("latin-1"))
    )
