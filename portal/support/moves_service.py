"""How an attention changes: by the machine, by who holds it, in time.

Everything here runs inside a transaction of `service` and never commits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.clock import local
from portal.errors import ConflictError, StaleStateError
from portal.journal.service import SYSTEM, Actor, Transitions, change_state, record
from portal.support import due_queries, queries
from portal.support.models import Attention
from portal.support.rules import effective_state, pause_end
from portal.support.states import (
    CANCELLED,
    CLOSED,
    DEFERRED,
    HELD,
    NO_SHOW,
    PAUSED,
    RUNNING,
    TAKEN,
    TIMED_OUT,
    TRANSITIONS,
    UNDO,
    WAITING,
)


class LateActError(ConflictError):
    """Another act came first; the message says whose, and when."""

    def __init__(self, attention_id: int, message: str) -> None:
        self.attention_id = attention_id
        super().__init__(message)


_WHAT_HAPPENED = {
    TAKEN: "La tomó",
    RUNNING: "La inició",
    PAUSED: "La pausó",
    CLOSED: "La cerró",
    WAITING: "La devolvió a la espera",
    DEFERRED: "La dejó para otro día",
    NO_SHOW: "La marcó como ausente",
    CANCELLED: "La anuló",
}


_ACTION_OF = {
    TAKEN: "taken",
    WAITING: "released",
    RUNNING: "started",
    PAUSED: "paused",
    CLOSED: "closed",
    NO_SHOW: "no_show",
}


def end_if_over(session: Session, attention: Attention, now: datetime) -> bool:
    """Write the ends that the rule already shows, at the instants when they came."""
    resumed = _end_pause_if_over(session, attention, now)
    return _end_clock_if_over(session, attention, now) or resumed


def moved_by_pause(attention: Attention, at: datetime) -> dict[str, Any]:
    """The columns of a clock whose pause ends at `at`: the end moves by the pause."""
    if attention.paused_at is None or attention.ends_at is None:
        return {}
    pause = at - attention.paused_at
    return {
        "ends_at": attention.ends_at + pause,
        "paused_seconds": attention.paused_seconds + round(pause.total_seconds()),
    }


def end_pause(session: Session, attention: Attention, at: datetime) -> None:
    """Note in the pause itself when it really ended."""
    pause = due_queries.running_pause(session, attention)
    if pause is not None:
        pause.until_at = at


def _end_pause_if_over(session: Session, attention: Attention, now: datetime) -> bool:
    until = pause_end(attention, now)
    if until is None:
        return False
    end_pause(session, attention, until)
    change_state(
        session,
        attention,
        RUNNING,
        machine=TRANSITIONS,
        at=until,
        actor=SYSTEM,
        action="attention.resumed",
        order_id=attention.order_id,
        reason="Se cumplió la pausa",
        **moved_by_pause(attention, until),
        paused_at=None,
        paused_until=None,
        changed_at=until,
        changed_by_id=None,
        state_before=PAUSED,
    )
    return True


def _end_clock_if_over(session: Session, attention: Attention, now: datetime) -> bool:
    if effective_state(attention, now) == attention.state:
        return False
    ended_at = attention.ends_at or now
    change_state(
        session,
        attention,
        TIMED_OUT,
        machine=TRANSITIONS,
        at=ended_at,
        actor=SYSTEM,
        action="attention.timed_out",
        order_id=attention.order_id,
        changed_at=ended_at,
        changed_by_id=None,
        state_before=attention.state,
    )
    return True


def move(
    session: Session,
    attention: Attention,
    to: str,
    by: Person,
    now: datetime,
    *,
    action: str = "",
    reason: str | None = None,
    machine: Transitions = TRANSITIONS,
    **values: Any,
) -> None:
    """Change the state by compare-and-set. Raises LateActError when it cannot."""
    end_if_over(session, attention, now)
    before = attention.state
    try:
        change_state(
            session,
            attention,
            to,
            machine=machine,
            at=now,
            actor=Actor("staff", by.id),
            action=f"attention.{action or _ACTION_OF[to]}",
            order_id=attention.order_id,
            reason=reason,
            changed_at=now,
            changed_by_id=by.id,
            state_before=before,
            **values,
        )
    except StaleStateError as error:
        session.refresh(attention)
        raise late(session, attention) from error


def was_changed_by(attention: Attention, before: str, by: Person) -> bool:
    """Whether the last change was this person's, from `before`."""
    return attention.changed_by_id == by.id and attention.state_before == before


def require_holder(
    session: Session, attention: Attention, by: Person, now: datetime
) -> None:
    """Only who holds the attention, or the owner, acts on it."""
    if attention.state not in HELD:
        raise late(session, attention)
    if attention.technician_id != by.id and not by.is_owner:
        raise late(session, attention)


def late(session: Session, attention: Attention) -> LateActError:
    """Who did what, and when: 'La tomó Ana a las 15:04:12.'"""
    at = f"{local(attention.changed_at):%H:%M:%S}"
    if attention.state == TIMED_OUT:
        return LateActError(attention.id, f"El tiempo se cumplió a las {at}.")
    who = queries.technician_name(session, attention.changed_by_id)
    if who and was_handed_over(attention):
        to = queries.technician_name(session, attention.technician_id)
        return LateActError(attention.id, f"La traspasó {who} a {to} a las {at}.")
    what = _what_happened(attention)
    if who is None and attention.state == WAITING:
        return LateActError(attention.id, "Todavía no la ha tomado nadie.")
    if who is None:
        return LateActError(attention.id, f"Cambió a las {at}.")
    return LateActError(attention.id, f"{what} {who} a las {at}.")


def was_handed_over(attention: Attention) -> bool:
    """Whether the last change was of the holder: its state came from itself."""
    return attention.state in HELD and attention.state_before == attention.state


def _what_happened(attention: Attention) -> str:
    """The last act in words; what was reopened or resumed was not begun again."""
    if attention.state == RUNNING and attention.state_before == PAUSED:
        return "La reanudó"
    if attention.state in UNDO.get(attention.state_before or "", ()):
        return "Deshizo lo último"
    return _WHAT_HAPPENED[attention.state]


def note_change(
    session: Session,
    attention: Attention,
    action: str,
    by: Person,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """What a technician changed that is no change of state."""
    note_as(Actor("staff", by.id), session, attention, action, now, data)


def note_as(
    actor: Actor,
    session: Session,
    attention: Attention,
    action: str,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """A change that is no change of state: screens must see it, history must say it."""
    attention.version += 1
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="attention",
        object_id=attention.id,
        order_id=attention.order_id,
        data=data,
    )
    session.flush()
