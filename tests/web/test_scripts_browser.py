"""The portal's own scripts in Chromium: clocks, taps, lost contact, typed notes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from browser_watch import slowness
from flask import Flask, make_response, render_template_string, request
from flask.typing import ResponseReturnValue
from playwright.sync_api import Page, expect

FRAME = """{% extends "base.html" %}
{% from "components/button.html" import button, copy %}
{% block main_attrs %}data-order="paid"{% endblock %}
{% block main %}<h1>Prueba</h1>"""
END = "{% endblock %}"
FORM = """<form method="post" action="/prueba/enviar">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  {{ button("Pagar", attrs={"name": "gateway", "value": "webpay"}) }}</form>
  {{ copy("+56 9 8765 4321", "numero") }}<span id="numero">+56 9 8765 4321</span>
  {{ button("Lejos", href="/prueba/lenta") }}"""
HOP = """<form method="post" action="/prueba/enviar" data-autosubmit>
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <input type="hidden" name="token_ws" value="01ab">
  {{ button("Ir a Webpay") }}</form>"""
POLLED = """
<section id="vivo" hx-get="/prueba/vivo?version={{ version }}"
  hx-trigger="every 200ms, resync from:body" hx-swap="outerMorph">
  <p id="version">{{ version }}</p>
  <details id="mas"><summary>Más</summary><p>texto</p></details>
  <form method="post" action="/prueba/nota"><label for="nota">Nota</label>
  <textarea class="input" id="nota" name="nota"></textarea></form>
</section>"""
BOARD = """{% extends "board_base.html" %}{% block main %}<h1>Tablero</h1>
<section id="tablero" data-full="/prueba/tablero/todo" data-waiting="2"
  hx-get="/prueba/tablero/nada" hx-trigger="every 200ms" hx-swap="outerMorph">
  <p id="que">{{ what }}</p></section>{% endblock %}"""


@dataclass
class Lab:
    """Pages that only these tests have, and what they were sent."""

    url: str = ""
    version: int = 1
    polls: int = 0
    down: bool = False
    posts: list[dict[str, str]] = field(default_factory=list)


def _page(body: str, lab: Lab) -> str:
    return render_template_string(FRAME + body + END, version=lab.version)


def _add_forms(app: Flask, lab: Lab) -> None:
    @app.get("/prueba/formulario")
    def form() -> str:
        return _page(FORM, lab)

    @app.get("/prueba/salto")
    def hop() -> str:
        return _page(HOP, lab)

    @app.post("/prueba/enviar")
    def send() -> ResponseReturnValue:
        lab.posts.append(request.form.to_dict())
        return "", 204


def _add_polled(app: Flask, lab: Lab) -> None:
    @app.get("/prueba/vivo")
    def live() -> ResponseReturnValue:
        lab.polls += 1
        if "version" not in request.args:
            return _page(POLLED, lab)
        if request.args["version"] == str(lab.version):
            return "", 204
        return render_template_string(POLLED, version=lab.version)


def _add_board(app: Flask, lab: Lab) -> None:
    @app.get("/prueba/tablero")
    def board() -> str:
        return render_template_string(BOARD, what="antes")

    @app.get("/prueba/tablero/<what>")
    def poll(what: str) -> ResponseReturnValue:
        if lab.down:
            return make_response("error", 503)
        if what == "nada":
            return "", 204
        body = BOARD.split("</h1>")[1].split("{% endblock %}")[0]
        return render_template_string(body, what="todo de nuevo")


@pytest.fixture
def lab(app: Flask, request: pytest.FixtureRequest) -> Lab:
    lab = Lab()
    _add_forms(app, lab)
    _add_polled(app, lab)
    _add_board(app, lab)
    lab.url = request.getfixturevalue("portal_url")
    return lab


def test_countdown_ignores_the_clock_of_the_device(lab: Lab, page: Page) -> None:
    page.clock.install(time=0)  # the device believes that it is 1970
    page.clock.resume()
    page.goto(lab.url + "/demo/componentes")
    clock = page.locator(".clock time").first
    expect(clock).to_have_text("60:59")
    expect(clock).to_have_attribute("role", "timer")


def test_countdown_is_right_after_sleep(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/demo/componentes")
    page.evaluate(
        """() => { const wall = Date.now;
             Date.now = () => wall() + 20 * 60 * 1000;
             dispatchEvent(new Event('focus')); }"""
    )
    left = page.locator(".clock time").first.text_content()
    assert left in ("41:00", "40:59", "40:58")


def test_countdown_ends_at_zero_and_a_late_one_goes_on(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/demo/componentes/tablero")
    page.evaluate(
        """() => { const wall = Date.now;
             Date.now = () => wall() + 7 * 60 * 1000;
             dispatchEvent(new Event('focus')); }"""
    )
    text = page.locator(".bcard time").first.text_content()
    assert text in ("−10:00", "−10:01", "−09:59")


def test_a_second_tap_sends_nothing(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/formulario")
    page.evaluate(
        """() => { window.sent = 0;
             addEventListener('submit', event => {
               window.sent += event.defaultPrevented ? 0 : 1; }); }"""
    )
    button = page.get_by_role("button", name="Pagar")
    with page.expect_response("**/prueba/enviar"):
        button.evaluate("el => { el.click(); el.click(); el.click(); }")
    expect(button).to_have_attribute("aria-busy", "true")
    assert page.evaluate("window.sent") == 1
    assert [post["gateway"] for post in lab.posts] == ["webpay"]


def test_returning_to_the_page_frees_its_buttons(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/formulario")
    button = page.get_by_role("button", name="Pagar")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow'))")
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_a_tap_shows_within_100_ms(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/formulario")
    page.route("**/prueba/lenta", lambda route: route.fulfill(status=204))
    shown = page.get_by_role("link", name="Lejos").evaluate(
        """link => { const from = performance.now(); link.click();
             return link.getAttribute('aria-busy') === 'true'
               ? performance.now() - from : 1e6; }"""
    )
    assert shown < 100 * slowness()


def test_copying_says_so(lab: Lab, new_page: Callable[..., Page]) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(lab.url + "/prueba/formulario")
    page.get_by_role("button", name="Copiar").click()
    expect(page.get_by_role("status")).to_have_text("Copiado")
    assert page.evaluate("navigator.clipboard.readText()") == "+56 9 8765 4321"


def test_the_hop_to_webpay_submits_itself(lab: Lab, page: Page) -> None:
    with page.expect_response("**/prueba/enviar"):
        page.goto(lab.url + "/prueba/salto", wait_until="commit")
    page.wait_for_timeout(100)
    assert [post["token_ws"] for post in lab.posts] == ["01ab"]


def test_typed_note_survives_a_change_of_its_card(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/vivo")
    page.locator("#mas summary").click()
    note = page.locator("#nota")
    note.fill("Vamos a ")
    note.press("End")
    lab.version = 2
    expect(page.locator("#version")).to_have_text("2")
    assert note.evaluate("el => el === document.activeElement")
    page.keyboard.type("reiniciar")
    lab.version = 3
    expect(page.locator("#version")).to_have_text("3")
    assert note.input_value() == "Vamos a reiniciar"
    page.locator("h1").click()
    lab.version = 4
    expect(page.locator("#version")).to_have_text("4")
    assert note.input_value() == "Vamos a reiniciar"
    assert page.locator("#mas").get_attribute("open") is not None


def test_nothing_changed_touches_nothing(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/vivo")
    page.evaluate("document.getElementById('version').dataset.mark = 'kept'")
    with page.expect_response("**/prueba/vivo?version=1") as answer:
        pass
    assert answer.value.status == 204
    expect(page.locator("#version")).to_have_attribute("data-mark", "kept")


def test_hidden_page_polls_slowly_and_at_once_when_seen(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/vivo")
    with page.expect_response("**/prueba/vivo?version=1"):
        pass
    hide = """hidden => { Object.defineProperty(document, 'hidden',
                {value: hidden, configurable: true});
              document.dispatchEvent(new Event('visibilitychange')); }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    before = lab.polls
    page.wait_for_timeout(900)
    assert lab.polls - before <= 1
    with page.expect_response("**/prueba/vivo?version=1", timeout=1000 * slowness()):
        page.evaluate(hide, False)


def test_board_that_lost_contact_says_since_when(
    lab: Lab, page: Page, watch: object
) -> None:
    page.clock.install()
    page.clock.resume()
    watch.allow("status of 503")  # type: ignore[attr-defined]
    page.goto(lab.url + "/prueba/tablero")
    with page.expect_response("**/prueba/tablero/nada"):
        pass
    veil = page.get_by_role("alert")
    lab.down = True
    page.clock.run_for(14_000)
    expect(veil).to_be_hidden()
    page.clock.run_for(3_000)
    expect(veil).to_be_visible()
    expect(veil).to_have_text(re.compile(r"SIN CONEXIÓN desde 12:0\d:\d\d"))
    lab.down = False
    expect(page.locator("#que")).to_have_text("todo de nuevo")
    expect(veil).to_be_hidden()


def test_board_counts_who_waits_in_its_title(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/prueba/tablero")
    expect(page).to_have_title("(2) Soporte online · ItplusNet Ltda.")


def test_sound_is_allowed_by_a_tap(lab: Lab, page: Page) -> None:
    page.goto(lab.url + "/demo/componentes/tablero")
    button = page.get_by_role("button", name="Sonido")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
