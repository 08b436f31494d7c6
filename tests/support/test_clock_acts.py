"""Pausing, going on and taking back: the sold minutes stay ninety, whatever happens."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from support_cases import add_attention, add_staff, person

from portal import create_app
from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail import service as mail_service
from portal.mail.models import OutboxRow
from portal.settings.service import write
from portal.support import clock_service, queries, rules, service
from portal.support.models import Attention, AttentionPause
from portal.support.service import LateActError

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
REASON = "El cliente lo pidió"
pytestmark = pytest.mark.postgres


def at(minutes: float, seconds: float = 0) -> datetime:
    return NOON + timedelta(minutes=minutes, seconds=seconds)


@pytest.fixture
def desk(session, settings):
    """A running attention (since minute 0) of Ana's; Luis, and Rosa the owner."""
    with transaction() as session:
        number = add_attention(session, now=at(-5), key=settings.secret_keys[0]).id
        staff = [add_staff(session, name) for name in ("Ana", "Luis")]
        staff.append(add_staff(session, "Rosa", role="owner"))
        ana, luis, rosa = map(person, staff)
    service.take(number, by=ana, now=at(-1))
    service.start(number, by=ana, now=NOON)
    return number, ana, luis, rosa


def read(session, number: int) -> Attention:
    session.rollback()
    return queries.get(session, number)


def pauses(session) -> list[tuple[datetime, datetime, str]]:
    session.rollback()
    rows = session.scalars(select(AttentionPause).order_by(AttentionPause.id))
    return [(row.from_at, row.until_at, row.reason) for row in rows]


def story(session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(JournalEntry.action).order_by(JournalEntry.id)))


def pause(desk, minutes: float, reason: str = REASON) -> None:
    clock_service.pause(desk[0], reason, by=desk[1], now=at(minutes))


def resume(desk, minutes: float) -> None:
    clock_service.resume(desk[0], by=desk[1], now=at(minutes))


def undo(desk, minutes: float, seconds: float, by=None) -> None:
    clock_service.undo(desk[0], by=by or desk[1], now=at(minutes, seconds))


def test_pause_moves_the_end_by_itself_and_no_more(session, desk) -> None:
    pause(desk, 20)
    paused = read(session, desk[0])
    assert (paused.state, paused.paused_until) == ("paused", at(50))
    assert rules.time_left(paused, at(29)) == timedelta(minutes=70)
    resume(desk, 30)
    running = read(session, desk[0])
    assert (running.state, running.ends_at) == ("running", at(100))
    assert (running.paused_seconds, running.paused_at) == (600, None)
    assert pauses(session) == [(at(20), at(30), REASON)]
    assert story(session)[-2:] == ["attention.paused", "attention.resumed"]


def test_pausing_and_resuming_twice_changes_nothing(session, desk) -> None:
    pause(desk, 20)
    once = story(session), read(session, desk[0]).version
    pause(desk, 21, "Se cortó la conexión")
    assert (story(session), read(session, desk[0]).version) == once
    resume(desk, 30)
    once = story(session), read(session, desk[0]).version
    resume(desk, 31)
    assert (story(session), read(session, desk[0]).version) == once
    assert read(session, desk[0]).ends_at == at(100)


@pytest.mark.parametrize("reason", ["", "Quiero", "El cliente lo pidió ", "x" * 500])
def test_pause_needs_a_reason_of_the_list(session, desk, reason) -> None:
    with pytest.raises(RefusedError, match="motivo"):
        pause(desk, 20, reason)
    assert pauses(session) == []


def test_pauses_last_thirty_minutes_in_all(session, desk) -> None:
    pause(desk, 10)
    resume(desk, 35)
    pause(desk, 40)
    assert read(session, desk[0]).paused_until == at(45)
    assert service.time_out_due(at(45)) == 1
    attention = read(session, desk[0])
    assert (attention.state, attention.ends_at) == ("running", at(120))
    assert attention.paused_seconds == 30 * 60
    with pytest.raises(RefusedError, match="30 minutos"):
        pause(desk, 50)


def test_pause_ends_by_itself_for_every_reader_before_anyone_writes(
    session, desk
) -> None:
    pause(desk, 60)
    row = read(session, desk[0])
    assert rules.effective_state(row, at(89, 59)) == "paused"
    assert rules.next_own_change(row, at(70)) == at(90)
    for minute, state, left in [(90, "running", 30), (100, "running", 20)]:
        assert rules.effective_state(row, at(minute)) == state
        assert rules.time_left(row, at(minute)) == timedelta(minutes=left)
    assert rules.effective_state(row, at(120)) == "timed_out"
    assert rules.clock_end(row, at(95)) == at(120)
    assert row.state == "paused"


def test_worker_writes_both_ends_at_their_instants_after_a_long_stop(
    session, desk
) -> None:
    pause(desk, 60)
    assert service.time_out_due(at(500)) == 1
    attention = read(session, desk[0])
    assert (attention.state, attention.changed_at) == ("timed_out", at(120))
    lines = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()[-2:]
    assert [(line.action, line.at) for line in lines] == [
        ("attention.resumed", at(90)),
        ("attention.timed_out", at(120)),
    ]
    assert pauses(session) == [(at(60), at(90), REASON)]


def test_pause_of_the_owners_setting(session, desk) -> None:
    with transaction() as other:
        write(other, "pause_limit_minutes", 5, actor=SYSTEM, now=NOON)
        write(other, "pause_reasons", ["Almuerzo"], actor=SYSTEM, now=NOON)
    pause(desk, 10, "Almuerzo")
    assert read(session, desk[0]).paused_until == at(15)


def test_only_the_holder_and_the_owner_pause(session, desk) -> None:
    number, _, luis, rosa = desk
    with pytest.raises(LateActError, match="La inició Ana"):
        clock_service.pause(number, REASON, by=luis, now=at(5))
    clock_service.pause(number, REASON, by=rosa, now=at(5))
    with pytest.raises(LateActError, match="La pausó Rosa"):
        clock_service.resume(number, by=luis, now=at(6))


def test_closing_in_a_pause_ends_it_and_counts_it(session, desk) -> None:
    pause(desk, 20)
    service.close(desk[0], "resuelto", "Listo", by=desk[1], now=at(30))
    closed = read(session, desk[0])
    assert (closed.paused_seconds, closed.ends_at) == (600, at(100))
    assert pauses(session) == [(at(20), at(30), REASON)]


def test_a_day_of_the_clock_change_sells_ninety_minutes(session, desk) -> None:
    """Chile moves its clocks at midnight of a Saturday: instants know nothing of it."""
    with transaction() as other:
        number = add_attention(other, now=at(0)).id
    change = datetime(2027, 4, 4, 2, 30, tzinfo=UTC)
    service.take(number, by=desk[1], now=change)
    service.start(number, by=desk[1], now=change)
    assert read(session, number).ends_at == change + timedelta(minutes=90)


# Undo --------------------------------------------------------------------


def test_start_taken_back_gives_the_whole_time_again(session, desk) -> None:
    undo(desk, 0, 9.9)
    attention = read(session, desk[0])
    assert (attention.state, attention.technician_id) == ("taken", desk[1].id)
    assert (attention.started_at, attention.ends_at) == (None, None)
    assert attention.contacted_at is None
    assert story(session)[-1] == "attention.undone"


def test_call_noted_before_the_start_stays(session, desk) -> None:
    number, ana = desk[:2]
    undo(desk, 0, 5)
    service.contacted(number, by=ana, now=at(1))
    service.start(number, by=ana, now=at(2))
    undo(desk, 2, 5)
    assert read(session, number).contacted_at == at(1)


def test_pause_taken_back_runs_on(session, desk) -> None:
    pause(desk, 20)
    undo(desk, 20, 6)
    attention = read(session, desk[0])
    assert (attention.state, attention.ends_at) == ("running", at(90, 6))


@pytest.mark.parametrize("before", ["running", "paused", "timed_out"])
def test_closing_taken_back_is_as_before(session, desk, before) -> None:
    number, ana = desk[:2]
    if before == "paused":
        pause(desk, 20)
    minute = 95 if before == "timed_out" else 25
    service.time_out_due(at(minute))
    was = read(session, number)
    facts = [was.state, was.ends_at, was.paused_seconds, was.paused_at, pauses(session)]
    service.close(number, "resuelto", "Listo", by=ana, now=at(minute))
    undo(desk, minute, 9)
    now = read(session, number)
    assert facts == [
        *(now.state, now.ends_at, now.paused_seconds, now.paused_at),
        pauses(session),
    ]
    assert (now.state, now.outcome, now.closed_at) == (before, None, None)


def test_undo_is_for_ten_seconds_and_for_who_did_it(session, desk) -> None:
    number, _, luis, rosa = desk
    with pytest.raises(RefusedError, match="10 segundos"):
        undo(desk, 0, 10)
    for other in (luis, rosa):
        with pytest.raises(LateActError, match="La inició Ana"):
            undo(desk, 0, 5, by=other)
    assert read(session, number).state == "running"


def test_undo_twice_takes_back_once(session, desk) -> None:
    undo(desk, 0, 5)
    once = story(session)
    undo(desk, 0, 6)
    assert story(session) == once


@pytest.mark.parametrize("act", ["take", "release"])
def test_what_has_no_undo_is_refused(session, desk, act) -> None:
    number, ana, *_ = desk
    undo(desk, 0, 5)
    service.release(number, by=ana, now=at(1))
    if act == "take":
        service.take(number, by=ana, now=at(1))
    with pytest.raises(RefusedError):
        undo(desk, 1, 2)


def test_mail_waits_for_the_undo_and_is_withdrawn_by_it(
    app, session, desk, settings
) -> None:
    number, ana = desk[:2]
    renderers = app.extensions["mail_renderers"]

    def send(now: datetime) -> tuple[int, int]:
        report = mail_service.send_due(renderers, settings, now=now)
        return report.sent, report.withdrawn

    service.close(number, "resuelto", "Listo", by=ana, now=at(30))
    assert send(at(30, 9.9)) == (0, 0)
    undo(desk, 30, 9.95)
    assert send(at(30, 11)) == (0, 1)
    service.close(number, "parcial", by=ana, now=at(40))
    assert send(at(40, 5)) == (0, 0)
    assert send(at(40, 10)) == (1, 0)
    assert [row.kind for row in session.scalars(select(OutboxRow))] == [
        "attention.summary"
    ]


def test_history_folds_to_the_state_through_every_undo(session, desk) -> None:
    number, ana = desk[:2]
    pause(desk, 10)
    undo(desk, 10, 5)
    pause(desk, 20)
    service.close(number, "resuelto", "Listo", by=ana, now=at(21))
    undo(desk, 21, 5)
    resume(desk, 22)
    folded = None
    for line in session.scalars(select(JournalEntry).order_by(JournalEntry.id)):
        if line.to_state:
            assert line.from_state == folded
            folded = line.to_state
    assert folded == read(session, number).state == "running"


def test_clock_survives_a_restart(app, desk, settings) -> None:
    again = create_app(settings)
    with again.app_context():
        assert service.time_out_due(at(90)) == 1
