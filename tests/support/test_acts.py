"""What technicians do with an attention: each act once, by who may, in time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from support_cases import add_attention, add_staff, person

from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.support import queries, service
from portal.support.models import Attention, AttentionEntry, AttentionNote
from portal.support.service import LateActError

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = pytest.mark.postgres


def at(minutes: float, seconds: float = 0) -> datetime:
    return NOON + timedelta(minutes=minutes, seconds=seconds)


@pytest.fixture
def desk(session):
    """An attention that waits, two technicians and the owner."""
    with transaction() as session:
        attention = add_attention(session, now=NOON)
        staff = [add_staff(session, name) for name in ("Ana", "Luis")]
        staff.append(add_staff(session, "Rosa", role="owner"))
        made = attention.id, *map(person, staff)
    return made


def read(session, attention_id: int) -> Attention:
    session.rollback()
    return queries.get(session, attention_id)


def journal(session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(JournalEntry.action).order_by(JournalEntry.id)))


def test_taking_gives_it_to_the_technician(session, desk) -> None:
    number, ana, *_ = desk
    service.take(number, by=ana, now=at(1))
    attention = read(session, number)
    assert (attention.state, attention.technician_id) == ("taken", ana.id)
    assert attention.taken_at == at(1)
    assert journal(session) == ["attention.opened", "attention.taken"]


def test_the_second_to_take_reads_who_did_and_when(session, desk) -> None:
    number, ana, luis, _ = desk
    service.take(number, by=ana, now=at(4, 12))
    with pytest.raises(LateActError, match=r"^La tomó Ana a las 12:04:12\.$") as caught:
        service.take(number, by=luis, now=at(4, 13))
    assert caught.value.attention_id == number
    assert read(session, number).technician_id == ana.id


def test_every_act_repeated_has_no_second_effect(session, desk) -> None:
    number, ana, *_ = desk
    acts = [
        lambda now: service.take(number, by=ana, now=now),
        lambda now: service.contacted(number, by=ana, now=now),
        lambda now: service.start(number, by=ana, now=now),
        lambda now: service.add_entry(number, "hecho", "Listo", by=ana, now=now),
        lambda now: service.add_note(number, "Ojo", by=ana, now=now),
        lambda now: service.close(number, "resuelto", by=ana, now=now),
    ]
    for minute, act in enumerate(acts):
        act(at(minute))
        once = journal(session), read(session, number).version
        act(at(minute, 1))
        assert (journal(session), read(session, number).version) == once
    assert session.scalar(select(func.count(OutboxRow.id))) == 1


def test_release_keeps_the_place_in_the_queue(session, desk) -> None:
    number, ana, *_ = desk
    service.take(number, by=ana, now=at(1))
    service.release(number, by=ana, now=at(2))
    service.release(number, by=ana, now=at(3))
    attention = read(session, number)
    assert (attention.state, attention.technician_id) == ("waiting", None)
    assert (attention.queued_at, attention.promise_at) == (NOON, at(10))
    assert journal(session)[-1] == "attention.released"


def test_start_runs_ninety_minutes_and_keeps_the_promise(session, desk) -> None:
    number, ana, *_ = desk
    service.take(number, by=ana, now=at(1))
    service.start(number, by=ana, now=at(3))
    attention = read(session, number)
    assert (attention.state, attention.started_at) == ("running", at(3))
    assert (attention.ends_at, attention.contacted_at) == (at(93), at(3))


def test_only_who_holds_it_or_the_owner_acts(session, desk) -> None:
    number, ana, luis, rosa = desk
    service.take(number, by=ana, now=at(1))
    acts = [
        lambda by: service.release(number, by=by, now=at(2)),
        lambda by: service.contacted(number, by=by, now=at(2)),
        lambda by: service.start(number, by=by, now=at(2)),
        lambda by: service.add_entry(number, "hecho", "x", by=by, now=at(2)),
        lambda by: service.add_note(number, "x", by=by, now=at(2)),
        lambda by: service.close(number, "resuelto", "x", by=by, now=at(2)),
    ]
    for act in acts:
        with pytest.raises(LateActError, match="La tomó Ana"):
            act(luis)
    assert journal(session)[-1] == "attention.taken"
    service.start(number, by=rosa, now=at(2))
    assert read(session, number).technician_id == ana.id


def test_nobody_acts_on_what_nobody_took(desk) -> None:
    number, ana, *_ = desk
    for act in (service.release, service.start, service.contacted):
        with pytest.raises(LateActError, match="Todavía no la ha tomado nadie"):
            act(number, by=ana, now=at(1))


def started(desk) -> int:
    number, ana, *_ = desk
    service.take(number, by=ana, now=at(1))
    service.start(number, by=ana, now=at(2))
    return number


def test_closing_needs_an_outcome_and_something_done(session, desk) -> None:
    number, ana = started(desk), desk[1]
    with pytest.raises(RefusedError, match="resultado"):
        service.close(number, "bien", "Listo", by=ana, now=at(5))
    service.add_entry(number, "haremos", "Vamos a reinstalar", by=ana, now=at(5))
    with pytest.raises(RefusedError, match="qué se hizo"):
        service.close(number, "resuelto", by=ana, now=at(6))
    assert read(session, number).state == "running"
    service.close(number, "parcial", "Se reinstaló", by=ana, now=at(7))
    attention = read(session, number)
    assert (attention.state, attention.outcome) == ("closed", "parcial")
    assert attention.closed_at == at(7)
    assert [line.kind for line in queries.entries(session, number)] == [
        "haremos",
        "hecho",
    ]
    mail = session.scalars(select(OutboxRow)).one()
    assert (mail.kind, mail.order_id) == ("attention.summary", attention.order_id)


def test_act_on_a_closed_card_says_who_closed_it(desk) -> None:
    number, ana, _, rosa = started(desk), *desk[1:]
    service.close(number, "resuelto", "Listo", by=rosa, now=at(9))
    with pytest.raises(LateActError, match=r"La cerró Rosa a las 12:09:00\."):
        service.add_entry(number, "hecho", "Tarde", by=ana, now=at(10))
    with pytest.raises(LateActError, match="La cerró Rosa"):
        service.close(number, "resuelto", "Tarde", by=ana, now=at(10))


def test_notes_and_entries_are_kept_apart(session, desk) -> None:
    number, ana = started(desk), desk[1]
    service.add_note(number, "El cliente no tiene respaldo", by=ana, now=at(3))
    service.add_entry(number, "hecho", "Revisamos la base", by=ana, now=at(4))
    assert session.scalars(select(AttentionEntry.text)).all() == ["Revisamos la base"]
    assert session.scalars(select(AttentionNote.text)).all() == [
        "El cliente no tiene respaldo"
    ]
    card = queries.card(session, number)
    assert card.last_entry is not None
    assert card.last_note is not None
    assert (card.last_entry.author, card.last_entry.text) == (
        "Ana",
        "Revisamos la base",
    )
    assert card.last_note.text == "El cliente no tiene respaldo"


def test_anyone_may_leave_a_note_while_it_waits(session, desk) -> None:
    number, _, luis, _ = desk
    service.add_note(number, "Llamó dos veces", by=luis, now=at(1))
    assert read(session, number).state == "waiting"


def test_history_has_no_word_of_what_was_written(session, desk) -> None:
    number, ana = started(desk), desk[1]
    service.add_note(number, "secreto-uno", by=ana, now=at(3))
    service.add_entry(number, "hecho", "secreto-dos", by=ana, now=at(4))
    lines = session.scalars(select(JournalEntry)).all()
    assert "secreto" not in repr([(line.reason, line.data) for line in lines])


def test_worker_writes_the_end_at_the_instant_when_it_came(session, desk) -> None:
    number = started(desk)
    assert service.time_out_due(at(91, 59)) == 0
    assert service.time_out_due(at(97)) == 1
    assert service.time_out_due(at(98)) == 0
    attention = read(session, number)
    assert (attention.state, attention.changed_at) == ("timed_out", at(92))
    line = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()[-1]
    assert (line.action, line.actor_kind) == ("attention.timed_out", "system")
    assert line.at == at(92)


def test_act_after_the_end_writes_the_end_first(session, desk) -> None:
    number, ana = started(desk), desk[1]
    service.add_entry(number, "hecho", "Listo", by=ana, now=at(95))
    assert read(session, number).state == "timed_out"
    service.close(number, "resuelto", by=ana, now=at(96))
    assert read(session, number).state == "closed"
    assert journal(session)[-3:] == [
        "attention.timed_out",
        "attention.entry_added",
        "attention.closed",
    ]


def test_closing_right_after_the_end_passes_through_it(session, desk) -> None:
    number, ana = started(desk), desk[1]
    service.close(number, "no resuelto", "Sin respaldo", by=ana, now=at(100))
    states = session.scalars(
        select(JournalEntry.to_state)
        .where(JournalEntry.to_state.is_not(None))
        .order_by(JournalEntry.id)
    ).all()
    assert states == ["waiting", "taken", "running", "timed_out", "closed"]


def test_every_change_of_state_is_in_the_history(session, desk) -> None:
    number, ana = started(desk), desk[1]
    service.close(number, "resuelto", "Listo", by=ana, now=at(30))
    folded = None
    for line in session.scalars(select(JournalEntry).order_by(JournalEntry.id)):
        if line.to_state:
            assert line.from_state == folded
            folded = line.to_state
    assert folded == read(session, number).state
