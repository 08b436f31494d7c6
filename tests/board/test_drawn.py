"""A card from the gallery is, byte for byte, what the template would draw."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import SECRET_KEY, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup
from sqlalchemy import func
from support_cases import add_attention, add_staff, log_in_as, person

from portal.accounts import screens_service
from portal.accounts.models import Staff
from portal.board import card_views
from portal.board.card_views import Drawn, Gallery, Painter
from portal.board.rules import Face
from portal.catalog import service as catalog_service
from portal.catalog.models import CannedSolution
from portal.db import db, transaction
from portal.journal.service import SYSTEM, Actor
from portal.orders.models import Contact
from portal.settings import service as settings_service
from portal.support import (
    clock_service,
    customer_service,
    drafts_service,
    remote_service,
    service,
)
from portal.support.customer_queries import extras
from portal.support.models import Attention
from portal.support.queries import Card

# A clock goes on by itself, and what is typed calls for no new drawing.
_MOMENT = re.compile(r'data-now="[^"]*"([^>]*>)[^<]*(?=</time>)')
_DRAFT = re.compile(r' data-draft="[^"]*"')
_VALUE = re.compile(r'(?<=<input name="csrf_token" type="hidden" )value="[^"]*"')
_TOKEN = re.compile(r'(name="csrf_token" value=")[^"]*')
HTMX = {"HX-Request": "true"}
PIN = "2468"


class Floor:
    """A desk with a card in each state, and everyone who may look at it."""

    def __init__(self, app: Flask, clock: FrozenClock) -> None:
        self.app, self.clock = app, clock
        with app.app_context():
            with transaction() as session:
                ana, luis, rosa = (
                    person(add_staff(session, name, role))
                    for name, role in (
                        ("Ana", "technician"),
                        ("Luis", "technician"),
                        ("Rosa", "owner"),
                    )
                )
                self.ana, self.luis = ana, luis
            with transaction() as session:
                catalog_service.ensure_defaults(session, clock.now)
            self.cards = [self._add() for _ in range(7)]
            screens_service.set_pin(
                luis.id, PIN, actor=Actor("staff", ana.id), now=clock.now
            )
            code = screens_service.open_pairing("Muro", actor=SYSTEM, now=clock.now)
        self.wall = app.test_client()
        self.wall.post("/tablero/emparejar", data={"code": code.lower()})
        self.walls = {
            "Ana": log_in_as(app, ana.id),
            "Luis": log_in_as(app, luis.id),
            "Rosa": log_in_as(app, rosa.id),
            "muro": self.wall,
        }

    def _add(self) -> int:
        text = '<b data-now="x">no abre</time>'
        with transaction() as session:
            made = add_attention(session, now=self.clock.now, problem=text)
            return made.id

    def do(self, act: Callable[..., object], card: int, *more: object) -> None:
        with self.app.app_context():
            act(self.cards[card], *more, by=self.ana, now=self.clock.now)

    def tell(self, act: Callable[..., object], card: int, *more: object) -> None:
        with self.app.app_context():
            order = db.session.get_one(Attention, self.cards[card]).order_id
            act(order, *more, now=self.clock.now)

    def change(self, model: type[Any], **values: object) -> None:
        """The first row of the table, or the one of this `id`, by whoever."""
        with self.app.app_context(), transaction() as session:
            number = values.pop("id", session.query(func.min(model.id)).scalar())
            session.query(model).filter_by(id=number).update(values)
            settings_service.bump_revision(session, self.clock.now)

    def drop_canned(self) -> None:
        with self.app.app_context(), transaction() as session:
            session.query(CannedSolution).update({"active": False})
            settings_service.bump_revision(session, self.clock.now)

    def set(self, **values: object) -> None:
        with self.app.app_context():
            settings_service.change(values, actor=SYSTEM, now=self.clock.now)


@pytest.fixture
def floor(app: Flask, clock: FrozenClock) -> Floor:
    return Floor(app, clock)


def board(client: FlaskClient) -> str:
    answer = client.get("/tablero/tarjetas?v=x", headers=HTMX)
    assert answer.status_code == 200
    return answer.text


def plain(page: str) -> str:
    return _TOKEN.sub(r"\1", page)


def _render(painter: Painter, card: Card, *_: object) -> Markup:
    extra, face = extras(db.session(), [card.id])[card.id], painter.face(card)
    return Markup(painter._render(card, extra, face))  # noqa: S704 (as `place` does)


class Screen:
    """A board that is told what changed on it alone, as `board.js` keeps it."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.cards, self.sent = client, {}, []
        self.poll = self._take(client.get("/tablero").text)

    def ask(self, poll: str | None = None) -> int:
        """Poll once; how many cards came whole."""
        answer = self.client.get(poll or self.poll, headers=HTMX)
        if answer.status_code == 200:
            self.poll = self._take(answer.text)
            return len(self.sent)
        assert answer.status_code == 204
        return 0

    def _take(self, html: str) -> str:
        shown = BeautifulSoup(html, "html.parser").select_one("#tablero")
        cards = {it["id"]: it for it in shown.select("article[data-same], .bcard")}
        self.sent = [key for key, it in cards.items() if "data-same" not in it.attrs]
        self.cards = {
            key: it if key in self.sent else self.cards[key]
            for key, it in cards.items()
        }
        return str(shown["hx-get"])

    def plain(self) -> dict[str, str]:
        """The cards, without what each reading makes anew."""
        return {
            key: _MOMENT.sub(r"\1", _DRAFT.sub("", _VALUE.sub("", str(it))))
            for key, it in self.cards.items()
        }


def check(floor: Floor) -> None:
    """All who look see from the gallery what the template itself makes."""
    seen = {name: plain(board(each)) for name, each in floor.walls.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Painter, "place", _render)
        patch.setattr(Gallery, "find_view", lambda *_: None)
        for name, each in floor.walls.items():
            assert plain(board(each)) == seen[name], name


def bring_to_every_state(floor: Floor, clock: FrozenClock) -> None:
    """A card in each state, a code, a line; what hangs since now is until later."""
    do = floor.do
    with floor.app.app_context():
        order = db.session.get_one(Attention, floor.cards[2]).order_id
        remote_service.give_code(
            order, "123 456 789", consents=True, keys=(SECRET_KEY,), now=clock.now
        )
    for card in range(2, 7):
        do(service.take, card)
    do(service.contacted, 3)
    for card in range(4, 7):
        do(service.contacted, card)
        do(service.start, card)
    do(service.add_entry, 4, "hecho", "Revisamos la base")
    clock.advance(minutes=1)


def steps_of(floor: Floor, clock: FrozenClock) -> list[Callable[[], object]]:
    """All that changes how a card looks, by whoever, and by time alone."""
    do, tell = floor.do, floor.tell
    return [
        # What is written, by the desk, the customer or the owner.
        lambda: do(service.add_note, 0, "Ofrecer respaldo"),
        lambda: do(drafts_service.keep, 0, "nota", "escribo"),
        lambda: do(drafts_service.keep, 0, "nota", "escribo más"),
        lambda: tell(customer_service.send_message, 1, "¿Me llaman?"),
        lambda: do(clock_service.pause, 5, "El cliente lo pidió"),
        lambda: do(service.close, 4, "resuelto", ""),
        lambda: floor.change(Staff, id=floor.luis.id, name="Luisa"),
        lambda: floor.change(CannedSolution, topic_slug=None),
        lambda: floor.change(CannedSolution, title="Otra solución"),
        floor.drop_canned,
        lambda: floor.change(Contact, name="Otro <b>nombre</b>"),
        lambda: floor.change(Contact, blocked=True),
        lambda: floor.set(business_name="Mesa & Cía."),
        lambda: floor.set(pause_reasons=["El cliente lo pidió", "Corte de luz"]),
        lambda: floor.change(Attention, no_answer_at=clock.now),
        # What time alone does: undo, promise soon and late, the clock's end.
        lambda: clock.advance(seconds=0.4),
        lambda: clock.advance(seconds=10),
        lambda: clock.advance(minutes=7),
        lambda: clock.advance(minutes=2),
        lambda: clock.advance(seconds=1),
        lambda: clock.advance(minutes=85),
        lambda: floor.walls["muro"].post(
            "/tablero/turno", data={"staff_id": str(floor.luis.id), "pin": PIN}
        ),
    ]


def test_everybody_sees_from_the_gallery_what_the_template_draws(
    floor: Floor, clock: FrozenClock
) -> None:
    bring_to_every_state(floor, clock)
    check(floor)
    for step in steps_of(floor, clock):
        step()
        check(floor)


def test_a_screen_that_is_sent_what_changed_shows_what_a_new_one_would(
    floor: Floor, clock: FrozenClock
) -> None:
    bring_to_every_state(floor, clock)
    screens = [Screen(each) for each in floor.walls.values()]
    for step in steps_of(floor, clock):
        step()
        for each in screens:
            each.ask()
            anew = Screen(each.client)
            # A clock that runs overtakes a paused one without news: not told at once.
            assert each.plain() == anew.plain()


def test_screens_of_one_person_share_a_view_until_a_row_or_a_clock_changes_it(
    floor: Floor, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_to_every_state(floor, clock)
    faced: list[int] = []
    face = Painter.face

    def count(self: Painter, card: Card) -> Face:
        faced.append(card.id)
        return face(self, card)

    monkeypatch.setattr(Painter, "face", count)

    def look(name: str) -> bool:
        """Whether this one's board was looked at card by card."""
        faced.clear()
        board(floor.walls[name])
        return bool(faced)

    assert [look(name) for name in ("Ana", "Ana", "muro", "muro")] == [True, False] * 2
    assert look("Luis")
    assert not look("Luis")
    floor.do(service.add_note, 0, "Ofrecer respaldo")
    assert look("Ana")
    assert not look("Ana")
    # A promise is missed, and the clock of the demo goes back.
    clock.advance(minutes=9)
    assert look("Ana")
    assert not look("Ana")
    clock.advance(seconds=-1)
    assert look("Ana")


def test_only_the_card_that_changed_is_sent(floor: Floor, clock: FrozenClock) -> None:
    mine = Screen(floor.walls["Ana"])
    assert len(mine.sent) == len(floor.cards)
    floor.do(service.take, 3)
    assert mine.ask() == 1
    assert mine.sent == [f"atencion-{floor.cards[3]}"]
    floor.do(service.add_note, 3, "Ofrecer respaldo")
    before = mine.poll
    assert mine.ask() == 1
    # What came to nothing is asked again, and told as it then is.
    floor.do(service.take, 1)
    assert mine.ask(before) == 2


def test_a_board_that_is_not_known_here_is_sent_whole(
    floor: Floor, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, whole = Screen(floor.walls["Ana"]), len(floor.cards)
    floor.do(service.take, 1)
    version, _, _ = mine.poll.partition("&dibujo=")
    # One of another process; none at all; a page of before this was known.
    assert mine.ask(f"{version}&dibujo=1234567890") == whole
    assert mine.ask("/tablero/tarjetas?dibujo=") == whole
    old = floor.walls["Luis"].get("/tablero/tarjetas?v=x", headers=HTMX).text
    assert "dibujo" not in old
    # Too old, and then one of too many.
    floor.do(service.take, 2)
    clock.advance(seconds=card_views.LONGEST.total_seconds())
    assert mine.ask() == whole
    monkeypatch.setattr(card_views, "MOST_DRAWINGS", 2)
    for card, sent in ((3, 1), (4, 1)):
        floor.do(service.take, card)
        assert mine.ask() == sent
    first = mine.poll
    for card in (5, 6):
        floor.do(service.take, card)
        assert mine.ask() == 1
    assert mine.ask(first) == whole


def test_a_card_drawn_for_one_carries_the_others_own_token(floor: Floor) -> None:
    forms = [
        dict(re.findall(r'action="([^"]+)".*?value="([^"]+)"', board(each), re.S))
        for each in (floor.walls["Ana"], floor.walls["Luis"])
    ]
    take = f"/tablero/{floor.cards[0]}/tomar"
    assert forms[0][take] != forms[1][take]


def test_no_code_is_read_on_a_wall(floor: Floor, clock: FrozenClock) -> None:
    """The way into a till is for who acts: not for whoever passes by a screen."""
    bring_to_every_state(floor, clock)

    def readers() -> set[str]:
        return {name for name, it in floor.walls.items() if "123 456 789" in board(it)}

    assert readers() == {"Ana", "Luis", "Rosa"}
    turn = {"staff_id": str(floor.luis.id), "pin": PIN}
    assert floor.wall.post("/tablero/turno", data=turn).status_code == 303
    assert readers() == {"Ana", "Luis", "Rosa", "muro"}
    floor.wall.post("/tablero/turno/salir")
    assert readers() == {"Ana", "Luis", "Rosa"}


def test_two_processes_name_no_drawing_alike() -> None:
    """A screen may be answered by either: what it has is known by one of them alone."""
    card = {1: Drawn("card", "", False)}
    one, other = Gallery(), Gallery()
    names = [hung.keep_drawing(card) for hung in (one, other) for _ in range(3)]
    assert len(set(names)) == 6
    assert [bool(one.find_drawing(name)) for name in names] == [True] * 3 + [False] * 3


def test_the_gallery_keeps_few_and_not_for_long(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_views, "MOST", 2)
    hung, drawn = Gallery(), []

    def draw(key: str) -> int:
        desk = hung.desk_number("desk", clock.now)
        before = len(drawn)
        hung.draw((desk, key), lambda: drawn.append(key) or Drawn(key, "", False))
        return len(drawn) - before

    assert [draw(key) for key in "aabab"] == [1, 0, 1, 0, 0]
    assert [draw(key) for key in "ca"] == [1, 1]
    clock.advance(seconds=card_views.LONGEST.total_seconds() - 1)
    assert draw("a") == 0
    shown = hung.keep_drawing({1: Drawn("card", "", False)})
    assert draw("a") == 0
    assert hung.find_drawing(shown)
    clock.advance(seconds=1)
    assert draw("a") == 1
    # A board's drawing holds the same words of customers.
    assert not hung.find_drawing(shown)
    clock.advance(seconds=-2)
    assert draw("a") == 1
