"""What the portal promises to a cheap phone, on every page in every state."""

from collections.abc import Callable

import pytest
from axe_check import COLOURS, axe_findings, keep_axe
from browser_watch import PHONE, Watch, slowness
from conftest import FrozenClock
from faces import LONG, MOMENTS, Words, lay_out, lay_out_requests
from flask import Flask
from html_check import html_problems
from playwright.sync_api import Page, Request, expect
from shop_forms import SUPPORT, stock
from zoom_check import width_problems, zoom_problems

from portal.db import db, transaction
from portal.settings import demo_service
from portal.web import settings_of

MAX_BYTES = 30 * 1024
MAX_HTML = 14 * 1024
MAX_REQUESTS = 5
SHOP = ("/", SUPPORT)
NOON_ONLY = (
    *("/servicios/reinstalacion", "/servicios/servicio-tecnico"),
    *("/servicios/asistencia-terreno", "/servicios/nada", "/terminos", "/privacidad"),
    *("/privacidad/solicitud", "/reenviar-enlace", "/ingresar"),
    "/demo/componentes/error/403",
    *("/demo/componentes/error/429", "/demo/componentes/error/500"),
)
# Each moment's pages, and in how many parts: as the processes share them.
PARTS = [("noon", part, 6) for part in range(6)]
PARTS += [("evening", 0, 1), ("night", 0, 1)]
# Every control that a finger reaches must be reached by the Tab key, one radio a group.
_TABBABLE = """() => {
  const seen = new Set();
  return [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(el => el.checkVisibility({visibilityProperty: true}) && !el.disabled)
    .filter(el => el.type !== 'radio' || (!seen.has(el.name) && seen.add(el.name)))
    .length;
}"""
_FOCUSED = """() => {
  const el = document.activeElement;
  if (!el || el === document.body) return null;
  const ring = el.closest('.choice, .check') || el;
  const style = getComputedStyle(ring);
  if (!el.dataset.seen) el.dataset.seen = ++window.count || (window.count = 1);
  const drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return [el.dataset.seen, drawn, el.outerHTML.slice(0, 90)];
}"""
# What people's browsers ask for by themselves, Chromium without a window does not.
_ICON = "fetch(document.querySelector('link[rel=icon]').href).then(() => null)"
# Told before any answer can come: how many are busy, and after how many milliseconds.
_TAP = """button => {
  const from = performance.now();
  button.click();
  const busy = document.querySelectorAll("[aria-busy=true]").length;
  return [busy, performance.now() - from];
}"""
_MOVES = """button => {
  button.click();
  return document.getAnimations().map(one => one.effect.getTiming().duration);
}"""


@pytest.fixture
def app(app: Flask) -> Flask:
    """A shop with everything that the owner sets."""
    stock(app)
    with app.app_context():
        with transaction() as session:
            demo_service.fill_missing(session, MOMENTS["noon"])
        db.session.remove()
    return app


@pytest.fixture
def faces(app: Flask, clock: FrozenClock) -> Callable[..., dict[str, str]]:
    """Writes the orders of a moment and stands there: name -> path.

    At noon also the requests over personal data, and the pages beside an order's.
    """

    def write(moment: str, words: Words | None = None) -> dict[str, str]:
        clock.set(MOMENTS[moment])
        with app.app_context():
            key = settings_of(app).secret_keys[0]
            paths = lay_out(db.session(), key, moment, words)
            if moment == "noon":
                paths |= lay_out_requests(db.session(), key, words)
                paths["comprobante"] = f"{paths['cierre-resuelto']}/comprobante"
                paths["mis-datos"] = f"{paths['cierre-calificado']}/datos"
            db.session.remove()
        return paths

    return write


def _weight(requests: list[Request]) -> list[str]:
    counted = [one for one in requests if "manifest" not in one.url]
    counted = [one for one in counted if "/ahora" not in one.url]
    # When the scheme changes Chromium asks for the icon again.
    counted = list({one.url: one for one in counted}.values())
    sizes = [one.sizes() for one in counted]
    total = sum(s["responseBodySize"] + s["responseHeadersSize"] for s in sizes)
    found = []
    if min(s["responseBodySize"] for s in sizes) <= 0:
        found.append("something was kept of the page before: not weighed")
    if len(counted) > MAX_REQUESTS:
        found.append(f"requests: {[one.url for one in counted]}")
    if total > MAX_BYTES:
        found.append(f"{total} bytes")
    html = next(one for one in counted if one.resource_type == "document")
    if (size := html.sizes()["responseBodySize"]) > MAX_HTML:
        found.append(f"HTML of {size} bytes")
    return found


@pytest.fixture
def cold_page(page: Page) -> Page:
    """A phone that keeps nothing of the page before."""
    cache = page.context.new_cdp_session(page)
    cache.send("Network.enable")  # without it the next is not obeyed
    cache.send("Network.setCacheDisabled", {"cacheDisabled": True})
    keep_axe(page)
    return page


def _problems(page: Page, url: str) -> list[str]:
    """Everything that a page of a customer must not be, opened cold."""
    requests: list[Request] = []

    def hear(request: Request) -> None:
        requests.append(request)

    page.context.clear_cookies()
    page.on("requestfinished", hear)
    answer = page.goto(url)
    assert answer is not None
    found = [
        *html_problems(answer.text()),
        *width_problems(page, 360),
        *axe_findings(page),
    ]
    # In the dark only the colours are others.
    page.emulate_media(color_scheme="dark")
    found += [f"dark {text}" for text in axe_findings(page, COLOURS)]
    page.emulate_media(color_scheme="light")
    found += zoom_problems(page)
    with page.expect_event("requestfinished"):
        page.evaluate(_ICON)
    page.remove_listener("requestfinished", hear)
    page.set_viewport_size(PHONE["viewport"])
    return [*found, *_weight(requests)]


@pytest.mark.long
@pytest.mark.parametrize(("moment", "part", "parts"), PARTS)
def test_every_page_is_light_valid_and_for_everybody(
    faces: Callable[..., dict[str, str]],
    portal_url: str,
    cold_page: Page,
    watch: Watch,
    moment: str,
    part: int,
    parts: int,
) -> None:
    watch.allow("status of (403|404|429|500)")
    paths = {path: path for path in SHOP} | faces(moment)
    if moment == "noon":
        paths |= {path: path for path in NOON_ONLY}
    found = {
        name: _problems(cold_page, portal_url + path)
        for name, path in list(paths.items())[part::parts]
    }
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_the_longest_words_stay_inside(
    faces: Callable[..., dict[str, str]], portal_url: str, page: Page
) -> None:
    found = []
    for name, path in faces("noon", words=LONG).items():
        page.goto(portal_url + path)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = 1)")
        found += [f"{name}: {text}" for text in width_problems(page, 320)]
    assert found == []


@pytest.mark.parametrize("name", ["inicio", "soporte", "revision", "espera"])
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(
    faces: Callable[..., dict[str, str]], portal_url: str, page: Page, name: str
) -> None:
    paths = {"inicio": "/", "soporte": SUPPORT} | faces("noon")
    page.goto(portal_url + paths[name])
    wanted = page.evaluate(_TABBABLE)
    reached, unseen = set(), []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        if (focused := page.evaluate(_FOCUSED)) is None:
            break
        number, drawn, html = focused
        reached.add(number)
        unseen += [] if drawn else [html]
    assert unseen == []
    assert len(reached) == wanted


def test_without_scripts_no_control_is_dead(
    faces: Callable[..., dict[str, str]],
    portal_url: str,
    new_page: Callable[..., Page],
) -> None:
    page = new_page(java_script_enabled=False)
    dead = []
    forms = {path: path for path in (SUPPORT, "/privacidad/solicitud")}
    for name, path in (faces("noon") | forms).items():
        page.goto(portal_url + path)
        for button in page.locator("main button:visible").all():
            if button.locator("xpath=ancestor::form[@method='post']").count() != 1:
                dead.append(f"{name}: {button.inner_text()}")
        if name in ("espera", "verificando", "reloj-en-curso"):
            expect(page.get_by_role("link", name="Actualizar")).to_be_visible()
    assert dead == []


def test_a_tap_shows_at_once_whatever_the_network_does(
    faces: Callable[..., dict[str, str]], portal_url: str, page: Page
) -> None:
    page.goto(portal_url + faces("noon")["revision"])
    page.route("**/pagar", lambda route: route.fulfill(status=204))
    busy, passed = page.locator("#pagar-webpay button").evaluate(_TAP)
    assert busy == 1
    assert passed < 100 * slowness()


def test_without_a_network_what_was_typed_stays_and_the_page_says_so(
    app: Flask, portal_url: str, page: Page, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|Failed to fetch")
    page.clock.install()
    page.goto(portal_url + SUPPORT)
    page.get_by_label("Su nombre").fill("Rosa Pérez")
    page.context.set_offline(True)
    page.get_by_role("button", name="Continuar").click()
    expect(page.locator("#aviso")).to_contain_text("Sin conexión")
    page.clock.run_for(60_000)
    expect(page.locator("#aviso")).to_contain_text("Sin conexión")
    expect(page.get_by_label("Su nombre")).to_have_value("Rosa Pérez")
    page.context.set_offline(False)
    expect(page.locator("#aviso")).to_be_empty()


def test_a_waiting_page_says_that_it_lost_contact(
    faces: Callable[..., dict[str, str]], portal_url: str, page: Page, watch: Watch
) -> None:
    watch.allow("ERR_FAILED|Failed to fetch")
    page.goto(portal_url + faces("noon")["espera"])
    page.route("**/ahora*", lambda route: route.abort())
    expect(page.locator("#aviso")).to_contain_text("Sin conexión")
    page.unroute("**/ahora*")
    expect(page.locator("#aviso")).to_be_empty()


def test_nothing_moves_fast_for_who_asks_for_calm(
    faces: Callable[..., dict[str, str]],
    portal_url: str,
    new_page: Callable[..., Page],
) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(portal_url + faces("noon")["revision"])
    page.route("**/pagar", lambda route: route.fulfill(status=204))
    durations = page.locator("#pagar-webpay button").evaluate(_MOVES)
    assert durations
    assert min(durations) >= 4000


def test_an_order_on_the_home_screen_opens_itself(
    faces: Callable[..., dict[str, str]], portal_url: str, page: Page
) -> None:
    page.goto(portal_url + "/")
    expect(page.locator("link[rel=manifest]")).to_have_count(1)
    page.goto(portal_url + faces("noon")["espera"])
    expect(page.locator("link[rel=manifest]")).to_have_count(0)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("<p><div></div></p>", "<div> inside <p>"),
        ("<i id=a></i><b id=a></b>", "id a twice"),
        ("<label for=x></label>", "nothing has the id x"),
        ("<a href=/><button></button></a>", "<button> inside <a>"),
        ("<div><span></div>", "</div> closes <['span']>"),
        ("<ul>", "<ul> is never closed"),
    ],
)
def test_the_judge_sees_wrong_html(source: str, problem: str) -> None:
    assert problem in html_problems(source)
