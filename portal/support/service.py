"""Opening the work of a paid order, and the acts of technicians on it.

Every act is one transaction. Done already by the same person, it has no second effect;
done by another before, it raises `LateActError`, which says who and when.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.db import reading, transaction
from portal.errors import RefusedError
from portal.hours.queries import load_calendar
from portal.hours.rules import CLOSED as OUT_OF_HOURS
from portal.hours.rules import NORMAL, add_open_minutes, regime_at
from portal.journal.service import SYSTEM, record
from portal.mail.service import enqueue
from portal.orders.models import Order
from portal.settings import queries as settings_queries
from portal.support import due_queries, queries
from portal.support.alert_service import alert_errand
from portal.support.drafts_service import forget
from portal.support.models import Attention, AttentionEntry, AttentionNote, Errand
from portal.support.moves_service import (
    LateActError as LateActError,
)
from portal.support.moves_service import (
    end_if_over,
    end_pause,
    late,
    move,
    moved_by_pause,
    note_change,
    require_holder,
    was_changed_by,
)
from portal.support.promise_service import tell_on_call
from portal.support.rules import ATTENTION, UNDO_WINDOW, is_new_call
from portal.support.states import (
    CLOSED,
    DEFERRED,
    DONE,
    ERRAND_OPEN,
    LIVING,
    OUTCOMES,
    PAUSED,
    RUNNING,
    TAKEN,
    TRANSITIONS,
    WAITING,
)

ONLINE_SUPPORT = "soporte-online"


def open_for_order(session: Session, order: Order, *, now: datetime) -> None:
    """Open what a just paid order asks for, in the caller's transaction.

    One attention for `soporte-online`, one errand for every other service.
    """
    if order.service_slug == ONLINE_SUPPORT:
        _open_attention(session, order, now)
    else:
        _open_errand(session, order, now)


def _open_attention(session: Session, order: Order, now: datetime) -> None:
    calendar = load_calendar(session)
    regime = regime_at(calendar, now)
    promise_at = None
    if regime.kind == NORMAL:
        minutes = settings_queries.load(session).promise_minutes
        promise_at = add_open_minutes(calendar, now, minutes)
    attention = Attention(
        order_id=order.id,
        state=DEFERRED if regime.kind == OUT_OF_HOURS else WAITING,
        regime_kind=regime.kind,
        queued_at=now,
        promise_at=promise_at,
        changed_at=now,
    )
    session.add(attention)
    session.flush()
    record(
        session,
        at=now,
        actor=SYSTEM,
        action="attention.opened",
        object_kind="attention",
        object_id=attention.id,
        order_id=order.id,
        to_state=attention.state,
        data={"regime": regime.kind},
    )
    if attention.state == WAITING:
        tell_on_call(session, order.id, regime.kind, now=now)


def _open_errand(session: Session, order: Order, now: datetime) -> None:
    errand = Errand(order_id=order.id, state=ERRAND_OPEN, opened_at=now, changed_at=now)
    session.add(errand)
    session.flush()
    record(
        session,
        at=now,
        actor=SYSTEM,
        action="errand.opened",
        object_kind="errand",
        object_id=errand.id,
        order_id=order.id,
        to_state=ERRAND_OPEN,
    )
    alert_errand(session, order.id, now=now)


def take(attention_id: int, *, by: Person, now: datetime) -> None:
    """Take a waiting attention. One technician wins; the others get LateActError."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if attention.state == TAKEN and attention.technician_id == by.id:
            return
        move(session, attention, TAKEN, by, now, technician_id=by.id, taken_at=now)


def release(attention_id: int, *, by: Person, now: datetime) -> None:
    """Give a taken attention back to the queue, at its old place."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if attention.state == WAITING and was_changed_by(attention, TAKEN, by):
            return
        require_holder(session, attention, by, now)
        move(session, attention, WAITING, by, now, technician_id=None, taken_at=None)


def start(attention_id: int, *, by: Person, now: datetime) -> None:
    """Start the 90 minutes of a taken attention; starting is also a contact."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        require_holder(session, attention, by, now)
        if attention.state == RUNNING:
            return
        move(
            session,
            attention,
            RUNNING,
            by,
            now,
            started_at=now,
            ends_at=now + ATTENTION,
            contacted_at=attention.contacted_at or now,
        )


def contacted(attention_id: int, *, by: Person, now: datetime) -> None:
    """Note that the customer was called: the first call keeps the promise.

    A second tap within half a minute is the same call.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        require_holder(session, attention, by, now)
        if attention.state != TAKEN or not is_new_call(attention.called_at, now):
            return
        attention.contacted_at = attention.contacted_at or now
        attention.called_at = now
        attention.calls += 1
        data = {"call": attention.calls}
        note_change(session, attention, "attention.contacted", by, now, data)


def add_entry(
    attention_id: int, kind: str, text: str, *, by: Person, now: datetime
) -> None:
    """Tell the customer what will be done (`haremos`) or was done (`hecho`)."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        require_holder(session, attention, by, now)
        end_if_over(session, attention, now)
        _write_entry(session, attention, kind, text, by, now)
        forget(session, attention.id, by, ("anotar",))


def add_note(attention_id: int, text: str, *, by: Person, now: datetime) -> None:
    """Write an internal line, which no customer ever sees."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if attention.state not in LIVING:
            raise late(session, attention)
        if attention.technician_id is not None:
            require_holder(session, attention, by, now)
        last = queries.last_note(session, attention.id)
        if last and (last.text, last.technician_id) == (text, by.id):
            return
        session.add(
            AttentionNote(
                attention_id=attention.id, text=text, at=now, technician_id=by.id
            )
        )
        forget(session, attention.id, by, ("nota",))
        note_change(session, attention, "attention.note_added", by, now)


def close(
    attention_id: int, outcome: str, text: str = "", *, by: Person, now: datetime
) -> None:
    """Close with an outcome; `text`, when given, is the last "Hecho".

    Raises RefusedError without a known outcome or without any "Hecho".
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if attention.state == CLOSED and attention.changed_by_id == by.id:
            return
        require_holder(session, attention, by, now)
        end_if_over(session, attention, now)
        if CLOSED not in TRANSITIONS[attention.state]:
            raise late(session, attention)
        if outcome not in OUTCOMES:
            raise RefusedError("Elija el resultado: resuelto, parcial o no resuelto.")
        if text:
            _write_entry(session, attention, DONE, text, by, now)
        if not queries.has_done(session, attention.id):
            raise RefusedError("Escriba qué se hizo: el cliente recibe el resumen.")
        _end(session, attention, outcome, by, now)
        forget(session, attention.id, by, ("anotar", "cerrar", "nota"))


def _end(
    session: Session, attention: Attention, outcome: str, by: Person, now: datetime
) -> None:
    """Close it, its pause with it; the mail waits for as long as it may be undone."""
    values: dict[str, Any] = {"outcome": outcome, "closed_at": now}
    if attention.state == PAUSED:
        end_pause(session, attention, now)
        values |= moved_by_pause(attention, now)
    move(session, attention, CLOSED, by, now, **values)
    enqueue(
        session,
        kind="attention.summary",
        now=now,
        order_id=attention.order_id,
        send_at=now + UNDO_WINDOW,
    )


def time_out_due(now: datetime) -> int:
    """Write the end of every clock and pause that is over; how many were written."""
    with reading() as session:
        due = due_queries.over(session, now)
    return sum(_time_out(attention_id, now) for attention_id in due)


def _time_out(attention_id: int, now: datetime) -> bool:
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        return end_if_over(session, attention, now)


def _write_entry(
    session: Session,
    attention: Attention,
    kind: str,
    text: str,
    by: Person,
    now: datetime,
) -> None:
    last = queries.last_entry(session, attention.id)
    if last and (last.kind, last.text, last.technician_id) == (kind, text, by.id):
        return
    session.add(
        AttentionEntry(
            attention_id=attention.id,
            kind=kind,
            text=text,
            at=now,
            technician_id=by.id,
        )
    )
    note_change(session, attention, "attention.entry_added", by, now, {"kind": kind})
