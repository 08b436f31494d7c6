"""A card from the gallery is, byte for byte, what the template would draw."""

import re
from collections.abc import Callable
from typing import Any

import pytest
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
from portal.support.models import Attention

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


def _render(painter: Painter, *card: Any) -> Markup:
    return Markup(painter._render(*card))  # noqa: S704 (as `draw` does)


def check(floor: Floor) -> None:
    """All who look see from the gallery what the template itself makes."""
    seen = {name: plain(board(each)) for name, each in floor.walls.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Painter, "draw", _render)
        for name, each in floor.walls.items():
            assert plain(board(each)) == seen[name], name


def test_everybody_sees_from_the_gallery_what_the_template_draws(
    floor: Floor, clock: FrozenClock
) -> None:
    do, tell = floor.do, floor.tell
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
    # What hangs since now is there until after the promise.
    clock.advance(minutes=1)
    check(floor)
    steps: list[Callable[[], object]] = [
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
    for step in steps:
        step()
        check(floor)


def test_a_card_drawn_for_one_carries_the_others_own_token(floor: Floor) -> None:
    forms = [
        dict(re.findall(r'action="([^"]+)".*?value="([^"]+)"', board(each), re.S))
        for each in (floor.walls["Ana"], floor.walls["Luis"])
    ]
    take = f"/tablero/{floor.cards[0]}/tomar"
    assert forms[0][take] != forms[1][take]


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
    clock.advance(seconds=1)
    assert draw("a") == 1
    clock.advance(seconds=-2)
    assert draw("a") == 1
