"""Technicians who press at once: one wins, the others are told. The control doubles."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from support_cases import add_attention, add_staff, person

from portal import clock as portal_clock
from portal.accounts.rules import Person
from portal.db import db, transaction
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.support import clock_service, handover_service, service
from portal.support.models import Attention
from portal.support.service import LateActError

CONTENDERS = 8
ROUNDS = 100
Taking = Callable[[int, Person, datetime], bool]
Prepared = tuple[list[int], list[Person]]


def take(number: int, by: Person, now: datetime) -> bool:
    try:
        service.take(number, by=by, now=now)
    except LateActError as error:
        assert str(error).startswith("La tomó ")  # noqa: PT017 (both ways are tested)
        return False
    return True


def prepare(app: Flask, rounds: int) -> Prepared:
    now = portal_clock.utcnow()
    with app.app_context(), transaction() as session:
        numbers = [add_attention(session, now=now).id for _ in range(rounds)]
        people = [person(add_staff(session)) for _ in range(CONTENDERS)]
    return numbers, people


def contend(app: Flask, prepared: Prepared, taking: Taking) -> list[list[int]]:
    """Who won each round, all contenders let go at once."""
    numbers, people = prepared
    winners: list[list[int]] = [[] for _ in numbers]
    start = threading.Barrier(len(people), timeout=60)
    failures: list[BaseException] = []

    def play(by: Person) -> None:
        try:
            with app.app_context():
                for won, number in zip(winners, numbers, strict=True):
                    start.wait()
                    if taking(number, by, portal_clock.utcnow()):
                        won.append(by.id)
                db.session.remove()
        except BaseException as error:
            failures.append(error)
            start.abort()
            raise

    threads = [threading.Thread(target=play, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return winners


@pytest.fixture
def holders(app: Flask) -> Iterator[Callable[[], list[int | None]]]:
    def read() -> list[int | None]:
        with app.app_context():
            found = select(Attention.technician_id).order_by(Attention.id)
            return list(db.session.scalars(found))

    return read


@pytest.mark.postgres
def test_one_of_eight_who_take_at_once_wins_every_round(app, holders) -> None:
    prepared = prepare(app, ROUNDS)
    winners = contend(app, prepared, take)
    assert [len(won) for won in winners] == [1] * ROUNDS
    assert holders() == [won[0] for won in winners]
    with app.app_context():
        taken = select(func.count()).where(JournalEntry.action == "attention.taken")
        assert db.session.scalar(taken) == ROUNDS


@pytest.mark.postgres
def test_control_that_reads_and_then_writes_doubles(app) -> None:
    both_read = threading.Barrier(CONTENDERS, timeout=60)

    def take_unguarded(number: int, by: Person, now: datetime) -> bool:
        state = db.session.scalar(select(Attention.state).filter_by(id=number))
        db.session.rollback()
        both_read.wait()
        if state != "waiting":
            return False
        with transaction() as session:
            session.execute(
                update(Attention)
                .where(Attention.id == number)
                .values(state="taken", technician_id=by.id, taken_at=now)
            )
        return True

    winners = contend(app, prepare(app, 5), take_unguarded)
    assert all(len(won) > 1 for won in winners)


@pytest.mark.postgres
def test_one_technician_who_taps_eight_times_takes_once(app) -> None:
    numbers, people = prepare(app, 10)
    winners = contend(app, (numbers, people[:1] * CONTENDERS), take)
    assert [len(won) for won in winners] == [CONTENDERS] * 10
    with app.app_context():
        taken = select(func.count()).where(JournalEntry.action == "attention.taken")
        assert db.session.scalar(taken) == 10


@pytest.mark.postgres
def test_closing_eight_times_at_once_closes_and_mails_once(app) -> None:
    numbers, people = prepare(app, 10)
    ana = people[0]
    with app.app_context():
        for number in numbers:
            now = portal_clock.utcnow()
            service.take(number, by=ana, now=now)
            service.start(number, by=ana, now=now)

    def close(number: int, by: Person, now: datetime) -> bool:
        service.close(number, "resuelto", "Listo", by=by, now=now)
        return True

    contend(app, (numbers, [ana] * CONTENDERS), close)
    with app.app_context():
        closed = select(func.count()).where(JournalEntry.action == "attention.closed")
        assert db.session.scalar(closed) == 10
        assert db.session.scalar(select(func.count(OutboxRow.id))) == 10


Act = Callable[[int, Person, datetime], None]


def clash(app: Flask, number: int, acts: list[tuple[Act, Person]]) -> list[str | None]:
    """Both acts at once on one attention; what each was told, None for who won."""
    said: list[str | None] = [None] * len(acts)
    start = threading.Barrier(len(acts), timeout=60)

    def play(place: int, act: Act, by: Person) -> None:
        with app.app_context():
            start.wait()
            try:
                act(number, by, portal_clock.utcnow())
            except LateActError as error:
                said[place] = str(error)
            db.session.remove()

    threads = [
        threading.Thread(target=play, args=(place, act, by))
        for place, (act, by) in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def running(app: Flask, rounds: int) -> Prepared:
    numbers, people = prepare(app, rounds)
    with app.app_context():
        for number in numbers:
            now = portal_clock.utcnow()
            service.take(number, by=people[0], now=now)
            service.start(number, by=people[0], now=now)
    return numbers, people


@pytest.mark.postgres
def test_of_a_hand_over_and_a_close_at_once_both_or_one_is_told(app) -> None:
    numbers, (ana, luis, *_) = running(app, 15)

    def give(number: int, by: Person, now: datetime) -> None:
        handover_service.hand_over(number, luis.id, by=by, now=now)

    def close(number: int, by: Person, now: datetime) -> None:
        service.close(number, "resuelto", "Listo", by=by, now=now)

    for number in numbers:
        gave, closed = clash(app, number, [(give, ana), (close, ana)])
        with app.app_context():
            row = db.session.get_one(Attention, number)
            held = (row.state, row.technician_id)
        # Given first, Ana may close no more; closed first, there is nothing to give.
        if gave is None:
            assert closed is not None
            assert closed.startswith("La traspasó")
            assert held == ("running", luis.id)
        else:
            assert closed is None
            assert gave.startswith("La cerró")
            assert held == ("closed", ana.id)


@pytest.mark.postgres
def test_control_that_gives_and_closes_unguarded_does_both(app) -> None:
    numbers, (ana, luis, *_) = running(app, 5)
    both_read = threading.Barrier(2, timeout=60)

    def unguarded(**values: object) -> Act:
        def act(number: int, by: Person, now: datetime) -> None:
            holder = db.session.get_one(Attention, number).technician_id
            db.session.rollback()
            both_read.wait()
            assert holder == by.id
            with transaction() as session:
                row = update(Attention).where(Attention.id == number)
                session.execute(row.values(**values))

        return act

    give = unguarded(technician_id=luis.id)
    close = unguarded(
        state="closed", outcome="resuelto", closed_at=portal_clock.utcnow()
    )
    for number in numbers:
        assert clash(app, number, [(give, ana), (close, ana)]) == [None, None]
        with app.app_context():
            row = db.session.get_one(Attention, number)
            assert (row.state, row.technician_id) == ("closed", luis.id)


@pytest.mark.postgres
def test_two_hand_overs_at_once_leave_one_holder(app) -> None:
    numbers, (ana, luis, eva, *_) = running(app, 15)

    def give_to(to: Person) -> Act:
        def give(number: int, by: Person, now: datetime) -> None:
            handover_service.hand_over(number, to.id, by=by, now=now)

        return give

    for number in numbers:
        said = clash(app, number, [(give_to(luis), ana), (give_to(eva), ana)])
        assert said.count(None) == 1
        with app.app_context():
            holder = db.session.get_one(Attention, number).technician_id
        assert holder == (luis.id if said[0] is None else eva.id)


@pytest.mark.postgres
def test_pause_and_end_at_once_leave_one_state_and_its_history(app) -> None:
    numbers, (ana, *_) = running(app, 10)

    def pause(number: int, by: Person, now: datetime) -> None:
        clock_service.pause(number, "El cliente lo pidió", by=by, now=now)

    def close(number: int, by: Person, now: datetime) -> None:
        service.close(number, "resuelto", "Listo", by=by, now=now)

    for number in numbers:
        paused, closed = clash(app, number, [(pause, ana), (close, ana)])
        assert closed is None
        with app.app_context():
            states = db.session.scalars(
                select(JournalEntry.to_state)
                .where(
                    JournalEntry.object_kind == "attention",
                    JournalEntry.object_id == number,
                    JournalEntry.to_state.is_not(None),
                )
                .order_by(JournalEntry.id)
            ).all()
        middle = ["paused"] if paused is None else []
        assert states == ["waiting", "taken", "running", *middle, "closed"]
