"""Stopping the sold clock for a reason, letting it go on, and taking an act back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.db import transaction
from portal.errors import RefusedError
from portal.settings import queries as settings_queries
from portal.support import due_queries, queries
from portal.support.models import Attention, AttentionPause
from portal.support.moves_service import (
    end_if_over,
    end_pause,
    late,
    move,
    moved_by_pause,
    require_holder,
    was_changed_by,
)
from portal.support.rules import may_undo, pause_left
from portal.support.states import CLOSED, PAUSED, RUNNING, TAKEN, UNDO


def pause(attention_id: int, reason: str, *, by: Person, now: datetime) -> None:
    """Stop a running clock for a reason of the owner's list; it goes on by itself.

    Raises RefusedError without such a reason, or when the pauses are used up.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        require_holder(session, attention, by, now)
        end_if_over(session, attention, now)
        if attention.state == PAUSED:
            return
        until = now + _allowed(session, attention, reason)
        values: dict[str, Any] = {"paused_at": now, "paused_until": until}
        move(session, attention, PAUSED, by, now, reason=reason, **values)
        session.add(
            AttentionPause(
                attention_id=attention.id,
                reason=reason,
                from_at=now,
                until_at=until,
                technician_id=by.id,
            )
        )


def _allowed(session: Session, attention: Attention, reason: str) -> timedelta:
    business = settings_queries.load(session)
    if reason not in business.pause_reasons:
        raise RefusedError("Elija el motivo de la pausa.")
    limit = business.pause_limit_minutes
    left = pause_left(attention.paused_seconds, limit)
    if not left:
        raise RefusedError(f"Ya se usaron los {limit} minutos de pausa.")
    return left


def resume(attention_id: int, *, by: Person, now: datetime) -> None:
    """Let a paused clock go on; its end moves by the pause."""
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        require_holder(session, attention, by, now)
        end_if_over(session, attention, now)
        if attention.state == RUNNING:
            return
        _go_on(session, attention, by, now, "resumed")


def _go_on(
    session: Session, attention: Attention, by: Person, now: datetime, action: str
) -> None:
    if attention.state != PAUSED:
        raise late(session, attention)
    end_pause(session, attention, now)
    values = moved_by_pause(attention, now) | {"paused_at": None, "paused_until": None}
    move(session, attention, RUNNING, by, now, action=action, **values)


def undo(attention_id: int, *, by: Person, now: datetime) -> None:
    """Take the last act back, within ten seconds, by who did it.

    Its mails were waiting for as long, and are withdrawn. Raises RefusedError when it
    is too late, LateActError when somebody did something else meanwhile.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if _was_undone(attention, by):
            return
        if attention.changed_by_id != by.id:
            raise late(session, attention)
        if not may_undo(attention, by.id, now):
            raise RefusedError("Ya no se puede deshacer: pasaron 10 segundos.")
        _take_back(session, attention, by, now)


def _was_undone(attention: Attention, by: Person) -> bool:
    before = attention.state_before or ""
    undone = attention.state in UNDO.get(before, ())
    return undone and was_changed_by(attention, before, by)


def _take_back(
    session: Session, attention: Attention, by: Person, now: datetime
) -> None:
    to = str(attention.state_before)
    if attention.state == PAUSED:
        _go_on(session, attention, by, now, "undone")
        return
    values = _before_start(attention) if to == TAKEN else _before_close(attention, to)
    if attention.state == CLOSED and to == PAUSED:
        _reopen_pause(session, attention)
    move(session, attention, to, by, now, action="undone", machine=UNDO, **values)


def _before_start(attention: Attention) -> dict[str, Any]:
    """The contact that was only the start goes with it."""
    own = attention.contacted_at == attention.started_at
    contacted_at = None if own else attention.contacted_at
    return {"started_at": None, "ends_at": None, "contacted_at": contacted_at}


def _before_close(attention: Attention, to: str) -> dict[str, Any]:
    """The clock as it stood: a pause that the closing ended goes on."""
    values: dict[str, Any] = {"outcome": None, "closed_at": None}
    if to == PAUSED and attention.paused_at and attention.closed_at:
        # As far back as the closing had moved it.
        pause = attention.closed_at - attention.paused_at
        values |= moved_by_pause(attention, attention.paused_at - pause)
    return values


def _reopen_pause(session: Session, attention: Attention) -> None:
    pause = due_queries.running_pause(session, attention)
    if pause is not None and attention.paused_until is not None:
        pause.until_at = attention.paused_until
