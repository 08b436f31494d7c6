"""The board in Chromium: live, and careful with what is being written."""

import re

import pytest
from axe_check import axe_findings
from browser_watch import slowness
from faces import fill_board
from flask import Flask
from playwright.sync_api import Page, expect
from support_cases import add_attention, add_staff, enter_as, person
from zoom_check import width_problems, zoom_problems

from portal.accounts import service as accounts_service
from portal.accounts.rules import Person
from portal.db import db, transaction
from portal.journal.service import SYSTEM
from portal.support import service

# After how many milliseconds a tapped button looks busy: drawn, not only marked.
_TAP = """button => new Promise(done => {
  const from = performance.now();
  button.click();
  const look = () => getComputedStyle(button, '::after').animationName === 'spin'
    ? done(performance.now() - from) : requestAnimationFrame(look);
  look();
})"""
WALL = {"viewport": {"width": 1920, "height": 1080}, "is_mobile": False}


@pytest.fixture
def desk(app: Flask, clock) -> tuple[int, int, Person, Person]:
    with app.app_context(), transaction() as session:
        numbers = [add_attention(session, now=clock.now).id for _ in range(2)]
        people = [person(add_staff(session, name)) for name in ("Ana", "Luis")]
        return (*numbers, *people)


@pytest.fixture
def open_board(app: Flask, portal_url: str, new_page):
    def open_as(who: Person, **options) -> Page:
        page = new_page(**options)
        enter_as(app, page, who.id, portal_url)
        page.goto(f"{portal_url}/tablero")
        return page

    return open_as


def test_change_is_on_another_screen_without_reloading(open_board, desk) -> None:
    first, _, ana, luis = desk
    mine, wall = open_board(ana, **WALL), open_board(luis, **WALL)
    mine.locator(f"#atencion-{first}").get_by_role("button", name="Tomar").click()
    for page in (mine, wall):
        card = page.locator(f"#carril-curso #atencion-{first}")
        expect(card).to_have_attribute("data-attention", "taken")
        expect(page).to_have_title(re.compile(r"^\(1\) Tablero"))
    expect(wall.get_by_role("button", name="Iniciar")).to_have_count(0)
    mine.get_by_role("button", name="Iniciar").click()
    expect(wall.locator(f"#atencion-{first} .countdown")).to_have_text("90:00")


def test_half_written_note_survives_the_change_of_another_card(
    app, open_board, desk, clock
) -> None:
    first, second, ana, luis = desk
    with app.app_context():
        service.take(first, by=ana, now=clock.now)
    page = open_board(ana, **WALL)
    card = page.locator(f"#atencion-{first}")
    card.get_by_text("Nota interna").click()
    box = card.locator(f"#nota-{first} textarea")
    box.press_sequentially("a medio escr")
    with app.app_context():
        service.take(second, by=luis, now=clock.now)
    expect(page.locator(f"#carril-curso #atencion-{second}")).to_be_visible()
    expect(box).to_have_value("a medio escr")
    expect(box).to_be_focused()
    box.press_sequentially("ibir")
    expect(box).to_have_value("a medio escribir")
    button = card.get_by_role("button", name="Soltar")
    button.focus()
    with app.app_context():
        service.start(second, by=luis, now=clock.now)
    other = page.locator(f"#atencion-{second}")
    expect(other).to_have_attribute("data-attention", "running")
    expect(button).to_be_focused()
    expect(box).to_have_value("a medio escribir")


def test_a_card_that_did_not_change_stays_and_one_that_is_missing_comes_back(
    app, open_board, desk, clock
) -> None:
    first, second, ana, luis = desk
    page = open_board(ana, **WALL)
    still, other = (page.locator(f"#atencion-{it}") for it in (first, second))
    still.evaluate("card => { card.dataset.mark = 'here' }")
    with app.app_context():
        service.take(second, by=luis, now=clock.now)
    expect(other).to_have_attribute("data-attention", "taken")
    expect(still).to_have_attribute("data-mark", "here")
    expect(still.get_by_role("button", name="Tomar")).to_be_visible()
    still.evaluate("card => card.remove()")
    with app.app_context():
        service.start(second, by=luis, now=clock.now)
    expect(other).to_have_attribute("data-attention", "running")
    expect(still.get_by_role("button", name="Tomar")).to_be_visible()
    expect(page.locator("[data-same], article:not([id])")).to_have_count(0)


def test_box_is_empty_after_its_text_was_kept(app, open_board, desk, clock) -> None:
    first, _, ana, _ = desk
    with app.app_context():
        service.take(first, by=ana, now=clock.now)
        service.start(first, by=ana, now=clock.now)
    clock.advance(seconds=5)
    page = open_board(ana, **WALL)
    card = page.locator(f"#atencion-{first}")
    card.get_by_text("Anotar para el cliente").click()
    card.locator(f"#anotar-{first} textarea").fill("Revisamos la base")
    card.get_by_role("button", name="Hecho").click()
    expect(card.locator(".log__entry--done")).to_contain_text("Revisamos la base")
    expect(card.locator(f"#anotar-{first} textarea")).to_have_value("")


def test_late_act_shows_who_won_on_the_card(app, open_board, desk, clock) -> None:
    first, _, ana, luis = desk
    page = open_board(luis, **WALL)
    page.route("**/tablero/tarjetas*", lambda route: route.abort())
    with app.app_context():
        service.take(first, by=ana, now=clock.now)
    page.locator(f"#atencion-{first}").get_by_role("button", name="Tomar").click()
    card = page.locator(f"#atencion-{first}")
    expect(card.get_by_role("alert")).to_contain_text("La tomó Ana a las 12:00:00.")


def test_screen_whose_session_ended_shows_the_log_in(
    app, open_board, desk, clock, portal_url, watch
) -> None:
    *_, ana, _ = desk
    watch.allow("status of 401")
    page = open_board(ana, **WALL)
    with app.app_context():
        accounts_service.disable(ana.id, actor=SYSTEM, now=clock.now)
    page.wait_for_url(f"{portal_url}/ingresar")


def test_board_has_no_barrier_that_axe_finds(app, open_board, desk, clock) -> None:
    first, _, ana, _ = desk
    with app.app_context():
        service.take(first, by=ana, now=clock.now)
        service.start(first, by=ana, now=clock.now)
        service.add_entry(first, "haremos", "Revisar", by=ana, now=clock.now)
        service.add_note(first, "Sin respaldo", by=ana, now=clock.now)
    page = open_board(ana, **WALL)
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert axe_findings(page) == []


def test_board_fits_the_hand_of_a_technician_on_call(open_board, desk) -> None:
    first, _, ana, _ = desk
    page = open_board(ana)
    page.locator(f"#atencion-{first}").get_by_role("button", name="Tomar").tap()
    expect(page.get_by_role("button", name="Iniciar")).to_be_visible()
    assert width_problems(page, 360) == []
    assert zoom_problems(page) == []


def test_tap_on_the_board_shows_at_once_while_no_answer_comes(open_board, desk) -> None:
    first, _, ana, _ = desk
    page = open_board(ana)
    page.route("**/tomar", lambda _route: None)  # never answered
    button = page.locator(f"#atencion-{first}").get_by_role("button", name="Tomar")
    assert button.evaluate(_TAP) < 100 * slowness()
    page.unroute_all(behavior="ignoreErrors")


_CARDS = """() => [...document.querySelectorAll(".bcard")].map((card) => {
  const clock = card.querySelector(".countdown");
  const digits = document.createRange();
  digits.selectNodeContents(clock);
  const box = (el) => el.getBoundingClientRect();
  const acts = [...card.querySelectorAll(".bcard__acts .btn")];
  const act = acts.find((el) => el.offsetParent);
  return {
    inside: box(card).bottom <= innerHeight,
    digits: parseFloat(getComputedStyle(clock).fontSize),
    covered: Boolean(act) && box(act).left < box(digits).right,
  };
})"""


def test_a_slow_poll_makes_no_button_look_pressed(open_board, desk) -> None:
    page = open_board(desk[2])
    page.route("**/tablero/tarjetas*", lambda _route: None)  # never answered
    expect(page.locator("#tablero.htmx-request")).to_have_count(1)
    button = page.get_by_role("button", name="Tomar").first
    after = "it => getComputedStyle(it, '::after').content"
    assert button.evaluate(after) == "none"
    page.unroute_all(behavior="ignoreErrors")


def test_sixty_cards_are_all_on_the_wall_with_digits_and_their_first_act(
    app, open_board
) -> None:
    with app.app_context():
        with transaction() as session:
            _, luis = (person(add_staff(session, name)) for name in ("Ana", "Luis"))
        fill_board(db.session(), "k", 60)
    page = open_board(luis, **WALL)
    cards = page.evaluate(_CARDS)
    assert len(cards) == 60
    assert all(card["inside"] for card in cards)
    assert min(card["digits"] for card in cards) >= 32
    assert not any(card["covered"] for card in cards)
    last = page.locator(".bcard").last
    last.locator(".bcard__name").click()
    expect(last.get_by_role("link", name="historial")).to_be_visible()
