"""Giving an attention to a colleague, and customers who are not there."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from support_cases import add_attention, add_staff, person

from portal.accounts import service as accounts_service
from portal.db import transaction
from portal.errors import NotFoundError, RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.support import clock_service, handover_service, queries, service
from portal.support.service import LateActError

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = pytest.mark.postgres


def at(minutes: float, seconds: float = 0) -> datetime:
    return NOON + timedelta(minutes=minutes, seconds=seconds)


@pytest.fixture
def desk(session):
    """An attention that Ana has taken; Luis, and Rosa the owner."""
    with transaction() as session:
        number = add_attention(session, now=NOON).id
        staff = [add_staff(session, name) for name in ("Ana", "Luis")]
        staff.append(add_staff(session, "Rosa", role="owner"))
        ana, luis, rosa = map(person, staff)
    service.take(number, by=ana, now=at(1))
    return number, ana, luis, rosa


def read(session, number: int):
    session.rollback()
    return queries.get(session, number)


def last_line(session) -> JournalEntry:
    session.rollback()
    newest = select(JournalEntry).order_by(JournalEntry.id.desc()).limit(1)
    return session.scalars(newest).one()


def give(desk, minutes: float, *, by=None, to=None) -> None:
    number, ana, luis, _ = desk
    handover_service.hand_over(
        number, (to or luis).id, by=by or ana, now=at(minutes, 12)
    )


def test_handing_over_keeps_state_and_clock(session, desk) -> None:
    number, ana, luis, _ = desk
    service.start(number, by=ana, now=at(3))
    give(desk, 20)
    attention = read(session, number)
    assert (attention.state, attention.technician_id) == ("running", luis.id)
    assert (attention.started_at, attention.ends_at) == (at(3), at(93))
    line = last_line(session)
    assert (line.action, line.actor_id) == ("attention.handed_over", ana.id)
    assert line.data == {"from": ana.id, "to": luis.id}
    service.add_entry(number, "hecho", "Listo", by=luis, now=at(21))


def test_who_gave_it_away_is_told_so(session, desk) -> None:
    number, ana, *_ = desk
    give(desk, 4)
    with pytest.raises(
        LateActError, match=r"^La traspasó Ana a Luis a las 12:04:12\.$"
    ):
        service.start(number, by=ana, now=at(5))


def test_handing_over_twice_is_once(session, desk) -> None:
    give(desk, 4)
    once = last_line(session).id, read(session, desk[0]).version
    give(desk, 5)
    assert (last_line(session).id, read(session, desk[0]).version) == once


def test_nobody_undoes_what_was_before_a_hand_over(session, desk) -> None:
    number, ana, luis, _ = desk
    service.start(number, by=ana, now=at(4, 10))
    give(desk, 4)
    for who in (ana, luis):
        with pytest.raises((LateActError, RefusedError)):
            clock_service.undo(number, by=who, now=at(4, 13))
    assert read(session, number).state == "running"


def test_only_another_active_technician_receives(session, desk) -> None:
    number, ana, luis, rosa = desk
    accounts_service.disable(luis.id, actor=SYSTEM, now=at(2))
    for who in (luis, rosa, ana):
        with pytest.raises(RefusedError, match="otro técnico"):
            give(desk, 4, to=who)
    with pytest.raises(RefusedError):
        handover_service.hand_over(number, 999_999, by=ana, now=at(4))
    assert read(session, number).technician_id == ana.id


def test_owner_gives_away_what_an_absent_technician_holds(session, desk) -> None:
    give(desk, 4, by=desk[3])
    assert read(session, desk[0]).technician_id == desk[2].id


def test_others_cannot_hand_over(desk) -> None:
    with pytest.raises(LateActError, match="La tomó Ana"):
        give(desk, 4, by=desk[2])


def test_unknown_attention_is_not_found(session, desk) -> None:
    with pytest.raises(NotFoundError):
        handover_service.hand_over(999, desk[2].id, by=desk[1], now=at(4))


# No-show -----------------------------------------------------------------


def call(desk, minutes: float, seconds: float = 0) -> None:
    service.contacted(desk[0], by=desk[1], now=at(minutes, seconds))


def test_no_show_needs_two_calls(session, desk) -> None:
    number, ana, *_ = desk
    for minute in (2, 4):
        with pytest.raises(RefusedError, match="dos llamadas"):
            handover_service.no_show(number, by=ana, now=at(minute))
        call(desk, minute)
    handover_service.no_show(number, by=ana, now=at(5))
    attention = read(session, number)
    assert (attention.state, attention.technician_id) == ("no_show", None)
    assert last_line(session).action == "attention.no_show"
    handover_service.no_show(number, by=ana, now=at(6))
    assert last_line(session).at == at(5)


def test_two_taps_are_one_call(session, desk) -> None:
    call(desk, 2)
    call(desk, 2, 29)
    assert read(session, desk[0]).calls == 1
    call(desk, 2, 30)
    attention = read(session, desk[0])
    assert (attention.calls, attention.contacted_at) == (2, at(2))
    assert last_line(session).data == {"call": 2}


def test_running_attention_is_no_no_show(session, desk) -> None:
    number, ana, *_ = desk
    call(desk, 2)
    call(desk, 3)
    service.start(number, by=ana, now=at(4))
    with pytest.raises(LateActError, match="La inició Ana"):
        handover_service.no_show(number, by=ana, now=at(5))
