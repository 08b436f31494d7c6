"""What the board and the customer's page read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from support_cases import add_attention, add_staff, person

from portal.db import db, transaction
from portal.journal.service import SYSTEM
from portal.settings.service import change
from portal.support import queries, service
from portal.support.version_queries import version_of_now

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_conn, _cursor, statement, *_rest) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.postgres
def test_queries_of_the_board_do_not_grow_with_its_cards(session) -> None:
    counts = []
    for cards in (1, 20):
        with transaction() as session:
            ana = person(add_staff(session))
            for minute in range(cards):
                number = add_attention(session, now=at(minute)).id
        service.take(number, by=ana, now=at(30))
        service.add_entry(number, "haremos", "Algo", by=ana, now=at(30))
        session.rollback()
        with counted() as statements:
            rows = queries.board_rows(session, at(30))
        counts.append(len(statements))
    assert len(rows) == 21
    assert counts == [3, 3]


@pytest.mark.postgres
def test_poll_is_one_query(session) -> None:
    with counted() as statements:
        assert version_of_now(session, NOON) != "x"
    assert len(statements) == 1


@pytest.mark.postgres
def test_version_changes_with_everything_that_a_board_shows(session) -> None:
    with transaction() as session:
        ana = person(add_staff(session))
        first = add_attention(session, now=NOON).id
    acts = [
        lambda: service.take(first, by=ana, now=at(1)),
        lambda: service.contacted(first, by=ana, now=at(2)),
        lambda: service.start(first, by=ana, now=at(3)),
        lambda: service.add_entry(first, "hecho", "Listo", by=ana, now=at(4)),
        lambda: service.add_note(first, "Ojo", by=ana, now=at(4)),
        lambda: service.close(first, "resuelto", by=ana, now=at(5)),
        lambda: _open_another(),
        lambda: change({"promise_minutes": 12}, actor=SYSTEM, now=at(6)),
    ]
    seen = [version_of_now(session, at(10))]
    for act in acts:
        act()
        session.rollback()
        seen.append(version_of_now(session, at(10)))
    seen.append(version_of_now(session, at(24 * 60)))
    assert len(set(seen)) == len(acts) + 2


def _open_another() -> None:
    with transaction() as session:
        add_attention(session, now=at(6))


@pytest.mark.postgres
def test_place_in_the_queue_counts_who_comes_before(session) -> None:
    with transaction() as session:
        ana = person(add_staff(session))
        waiting = [add_attention(session, now=at(minute)) for minute in (5, 0, 0, 2)]
        places = [queries.queue_place(session, each) for each in waiting]
        first = waiting[1].id
    assert places == [4, 1, 2, 3]
    service.take(first, by=ana, now=at(6))
    assert queries.queue_place(session, queries.get(session, first)) is None
    assert queries.queue_place(session, queries.get(session, waiting[0].id)) == 3


def test_closed_cards_stay_until_the_day_ends(session) -> None:
    with transaction() as session:
        ana = person(add_staff(session))
        number = add_attention(session, now=NOON).id
    service.take(number, by=ana, now=at(1))
    service.start(number, by=ana, now=at(1))
    service.close(number, "resuelto", "Listo", by=ana, now=at(30))
    assert [card.state for card in queries.board_rows(session, at(60))] == ["closed"]
    assert queries.board_rows(session, at(24 * 60)) == []
