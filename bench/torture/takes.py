"""Eight technicians at once: one takes, one closes, one hand-over counts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask
from flask_migrate import upgrade
from postgres_cluster import Cluster
from sqlalchemy import select, update
from support_cases import add_attention, add_staff, person

from bench.torture.report import Line
from bench.torture.worlds import folder
from portal import create_app
from portal.accounts.rules import Person
from portal.config import load_settings
from portal.db import db, transaction
from portal.support import handover_service, service
from portal.support.models import Attention
from portal.support.service import LateActError

CONTENDERS, CONTROLS = 8, 25
_KEY = "torture-key-0123456789abcdefghijklmnopqrs"
NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
Act = Callable[[int, int, list[Person]], None]


def _take(number: int, place: int, people: list[Person]) -> None:
    service.take(number, by=people[place], now=NOON)


def _close_or_give(number: int, place: int, people: list[Person]) -> None:
    """The holder on eight devices: closes on some, gives to somebody on the others."""
    if place % 2:
        service.close(number, "resuelto", f"Listo {place}", by=people[0], now=NOON)
    else:
        to = people[1 + place // 2].id
        handover_service.hand_over(number, to, by=people[0], now=NOON)


def _unguarded(act: Act, both_read: threading.Barrier) -> Act:
    """The same wish by reading first and writing later: what no guard means."""

    def play(number: int, place: int, people: list[Person]) -> None:
        row = db.session.get_one(Attention, number)
        before, holder = row.state, row.technician_id
        db.session.rollback()
        both_read.wait()
        values: dict[str, object] = {
            "state": "taken",
            "technician_id": people[place].id,
        }
        if act is _close_or_give and place % 2:
            values = {"state": "closed", "outcome": "resuelto", "closed_at": NOON}
        elif act is _close_or_give:
            values = {"technician_id": people[1 + place // 2].id}
        if before not in ("waiting", "running") or holder not in (None, people[0].id):
            raise LateActError(number, "late")
        with transaction() as session:
            session.execute(
                update(Attention).where(Attention.id == number).values(**values)
            )

    return play


def contend(
    app: Flask, numbers: list[int], people: list[Person], act: Act
) -> list[int]:
    """How many won each round, all contenders let go at once."""
    won = [0] * len(numbers)
    lock, start = threading.Lock(), threading.Barrier(CONTENDERS, timeout=120)

    def play(place: int) -> None:
        with app.app_context():
            for turn, number in enumerate(numbers):
                start.wait()
                try:
                    act(number, place, people)
                except LateActError:
                    continue
                finally:
                    db.session.rollback()
                with lock:
                    won[turn] += 1
            db.session.remove()

    threads = [threading.Thread(target=play, args=(n,)) for n in range(CONTENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def _prepare(app: Flask, rounds: int, held: bool) -> tuple[list[int], list[Person]]:
    with app.app_context():
        with transaction() as session:
            people = [person(add_staff(session)) for _ in range(CONTENDERS)]
            numbers = [add_attention(session, now=NOON).id for _ in range(rounds)]
        for number in numbers if held else ():
            service.take(number, by=people[0], now=NOON)
            service.start(number, by=people[0], now=NOON)
        db.session.remove()
    return numbers, people


def _outcomes(app: Flask, numbers: list[int]) -> dict[int, tuple[str, int | None]]:
    with app.app_context():
        rows = select(Attention.id, Attention.state, Attention.technician_id)
        found = {
            row.id: (row.state, row.technician_id) for row in db.session.execute(rows)
        }
        db.session.remove()
    return {number: found[number] for number in numbers}


def _race(app: Flask, rounds: int, act: Act) -> tuple[int, int, int]:
    """Doubles and rounds without a winner; and the doubles of the control."""
    held = act is _close_or_give
    numbers, people = _prepare(app, rounds, held)
    won = contend(app, numbers, people, act)
    doubles = _doubles(app, numbers, people, won, held)
    both_read = threading.Barrier(CONTENDERS, timeout=120)
    numbers, people = _prepare(app, CONTROLS, held)
    loose = contend(app, numbers, people, _unguarded(act, both_read))
    return doubles, won.count(0), _doubles(app, numbers, people, loose, held)


def _doubles(
    app: Flask, numbers: list[int], people: list[Person], won: list[int], held: bool
) -> int:
    """Rounds that more than one wish won.

    The holder closes on four devices: repeating a closing, or giving again to the same
    person, is one wish; a closing that counts beside a hand-over is two.
    """
    if not held:
        return sum(count > 1 for count in won)
    ends = _outcomes(app, numbers)
    bad = 0
    for count, number in zip(won, numbers, strict=True):
        state, holder = ends[number]
        closed = state == "closed"
        # Closed: its four devices agree. Given: that one hand-over won, and no other.
        right = holder == people[0].id if closed else holder != people[0].id
        bad += not right or count > (CONTENDERS // 2 if closed else 1)
    return bad


@contextmanager
def _app(database: str) -> Iterator[Flask]:
    with folder() as path:
        cluster = Cluster() if database == "postgresql" else None
        url = f"sqlite:///{path}/takes.sqlite3"
        if cluster:
            url = cluster.url(cluster.create_database())
        app = create_app(load_settings({"DATABASE_URL": url, "SECRET_KEY": _KEY}))
        try:
            with app.app_context():
                upgrade()
            yield app
            with app.app_context():
                db.engine.dispose()
        finally:
            if cluster:
                cluster.stop()


def run(database: str, rounds: int) -> list[Line]:
    """Takes, and closings against hand-overs, `rounds` of each."""
    lines = []
    for name, act in (("tomas a la vez", _take), ("cierre y traspaso", _close_or_give)):
        begun = time.monotonic()
        with _app(database) as app:
            doubles, empty, loose = _race(app, rounds, act)
        lines.append(
            Line(
                f"{name}, {database}",
                f"{rounds} rondas de {CONTENDERS}: {doubles} dobles, {empty} sin nadie",
                "0 y 0",
                f"{loose} de {CONTROLS} dobles",
                doubles == empty == 0 and loose > CONTROLS // 2,
                time.monotonic() - begun,
            )
        )
    return lines
