"""The shared screen in Chromium: turns, drafts, sound, a day and night on the wall."""

from itertools import pairwise

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from support_cases import add_attention, add_staff, enter_as, person

from portal.accounts import screens_service
from portal.accounts.rules import Person
from portal.catalog import service as catalog_service
from portal.db import db, transaction
from portal.journal.service import SYSTEM
from portal.orders.models import Order
from portal.support import queries, service

WALL = {"viewport": {"width": 1920, "height": 1080}, "is_mobile": False}
TOUCH = {"viewport": {"width": 1024, "height": 768}, "is_mobile": False}


@pytest.fixture
def ana(app: Flask, clock) -> Person:
    with app.app_context():
        with transaction() as session:
            found = person(add_staff(session, "Ana"))
        screens_service.set_pin(found.id, "2580", actor=SYSTEM, now=clock.now)
        return found


@pytest.fixture
def attention(app: Flask, clock) -> int:
    with app.app_context(), transaction() as session:
        catalog_service.ensure_defaults(session, clock.now)
        found = add_attention(session, now=clock.now)
        session.get_one(Order, found.order_id).topic_slug = "antivirus"
        return found.id


@pytest.fixture
def screen(app: Flask, clock, portal_url: str, new_page):
    def make(**options) -> Page:
        with app.app_context():
            code = screens_service.open_pairing("Muro", actor=SYSTEM, now=clock.now)
        page = new_page(**(options or WALL))
        page.goto(f"{portal_url}/tablero/emparejar")
        page.get_by_label("Código").fill(code)
        page.get_by_role("button", name="Emparejar").click()
        page.wait_for_url("**/tablero")
        return page

    return make


@pytest.fixture
def own(app: Flask, portal_url: str, new_page):
    def open_as(who: Person, **options) -> Page:
        page = new_page(**(options or WALL))
        enter_as(app, page, who.id, portal_url)
        page.goto(f"{portal_url}/tablero")
        return page

    return open_as


def enter(page: Page, pin: str = "2580") -> None:
    page.locator("summary", has_text="Ana").click()
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="Entrar").click()


def test_pin_opens_a_turn_in_which_acts_are_one_tap(screen, ana, attention) -> None:
    page, wall = screen(**TOUCH), screen()
    expect(page.get_by_role("button", name="Tomar")).to_have_count(0)
    enter(page)
    expect(page.locator(".turn__name")).to_have_text("Ana")
    page.get_by_role("button", name="Tomar").click()
    page.get_by_role("button", name="Iniciar").click()
    expect(wall.locator(f"#carril-curso #atencion-{attention}")).to_contain_text("Ana")
    page.get_by_role("button", name="Salir").click()
    expect(page.get_by_text("¿Quién es?")).to_be_visible()
    expect(page.get_by_role("button", name="Deshacer")).to_have_count(0)


def test_pin_that_is_being_typed_survives_the_poll(
    app, screen, ana, attention, clock
) -> None:
    page = screen()
    page.locator("summary", has_text="Ana").click()
    box = page.get_by_label("PIN")
    box.press_sequentially("25")
    with app.app_context(), transaction() as session:
        other = add_attention(session, now=clock.now).id
    expect(page.locator(f"#atencion-{other}")).to_be_visible()
    expect(box).to_have_value("25")
    expect(box).to_be_focused()


def test_turn_ends_by_itself_and_the_screen_shows_it(
    screen, ana, attention, clock
) -> None:
    page = screen()
    enter(page)
    expect(page.locator(".turn--open")).to_be_visible()
    clock.advance(minutes=3)
    expect(page.locator(".turn--open")).to_have_count(0)
    expect(page.get_by_role("button", name="Tomar")).to_have_count(0)


def test_revoked_screen_leaves_the_board(
    app, screen, ana, attention, clock, portal_url, watch
) -> None:
    watch.allow("status of 401")
    page = screen()
    with app.app_context():
        screens_service.revoke(1, actor=SYSTEM, now=clock.now)
    page.wait_for_url(f"{portal_url}/ingresar")


def test_draft_survives_a_reload_and_a_lost_connection(
    app, own, ana, attention, clock, watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    with app.app_context():
        service.take(attention, by=ana, now=clock.now)
    page = own(ana)
    box = page.locator(f"#nota-{attention} textarea")
    page.locator(f"#nota-{attention} summary").click()
    with page.expect_response("**/borrador"):
        box.press_sequentially("a medio")
    page.context.set_offline(True)
    box.press_sequentially(" escribir")
    with page.expect_response("**/borrador"):
        page.context.set_offline(False)
    expect(box).to_have_value("a medio escribir")
    page.reload()
    expect(box).to_have_value("a medio escribir")
    expect(box).to_be_visible()
    page.get_by_role("button", name="Guardar nota").click()
    expect(page.locator(".log__entry--note")).to_contain_text("a medio escribir")
    page.reload()
    expect(box).to_have_value("")


def test_canned_solution_fills_the_box(app, own, ana, attention, clock) -> None:
    with app.app_context():
        service.take(attention, by=ana, now=clock.now)
        service.start(attention, by=ana, now=clock.now)
    page = own(ana)
    page.get_by_text("Anotar para el cliente").click()
    card = page.locator(f"#anotar-{attention}")
    card.locator("textarea").fill("Además:")
    card.get_by_label("Solución preparada").select_option("Excluido del antivirus")
    said = (
        "Además:\nDejamos la carpeta del programa fuera de la revisión del antivirus."
    )
    expect(card.locator("textarea")).to_have_value(said)
    card.get_by_role("button", name="Hecho").click()
    expect(page.locator(".log__entry--done")).to_be_visible()
    with app.app_context():
        lines = queries.entries(db.session(), attention)
    assert [line.text for line in lines] == [said]


SPY = """() => {
  window.tones = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) {
    window.tones.push([at, this.frequency.value]);
    start.call(this, at);
  };
}"""


def test_rings_come_one_after_the_other(app, own, ana, attention, clock) -> None:
    page = own(ana)
    page.evaluate(SPY)
    page.get_by_role("button", name="Sonido").click()
    for _ in range(3):
        with app.app_context(), transaction() as session:
            number = add_attention(session, now=clock.now).id
        expect(page.locator(f"#atencion-{number}")).to_be_visible()
    page.wait_for_function("window.tones.length >= 4")
    tones = page.evaluate("window.tones")
    starts = [at for at, _ in tones]
    assert starts == sorted(starts)
    assert all(after - before >= 0.35 for before, after in pairwise(starts))
    expect(page).to_have_title("(4) Tablero · ItplusNet Ltda.")


@pytest.mark.long
def test_board_lives_a_day_and_a_night_without_drift_or_growth(
    app, screen, ana, attention, clock
) -> None:
    page, noon = screen(), clock.now
    count = "document.querySelectorAll('*').length"
    card = "document.querySelector('#carril-cerradas article')"
    sizes = []

    def ask_now() -> None:
        """Its next poll, without the second of waiting for it."""
        page.evaluate("document.body.dispatchEvent(new Event('resync'))")

    for _ in range(24):
        clock.advance(minutes=40)
        with app.app_context():
            with transaction() as session:
                number = add_attention(session, now=noon).id
            service.take(number, by=ana, now=clock.now)
            service.start(number, by=ana, now=clock.now)
        left = page.locator(f"#atencion-{number} .countdown")
        ask_now()
        expect(left).to_have_text("90:00")
        clock.advance(minutes=20)
        ask_now()
        expect(left).to_have_text("70:00")
        with app.app_context():
            service.close(number, "resuelto", "Listo", by=ana, now=clock.now)
        ask_now()
        expect(page.locator("#carril-curso article")).to_have_count(0)
        closed = page.locator("#carril-cerradas article").count()
        one = page.evaluate(f"{card}.querySelectorAll('*').length + 1")
        sizes.append(page.evaluate(count) - closed * one)
    # Midnight empties the lane of today; beside its cards the page is what it was.
    assert closed < 24
    assert max(sizes) - min(sizes) <= 2
