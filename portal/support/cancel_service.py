"""What a refund does to the work that was paid: cancel it, or bring it back.

Everything here runs inside a transaction of `payments` and never commits.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.errors import ConflictError, StaleStateError
from portal.journal.service import Actor, change_state
from portal.support import queries
from portal.support.models import Attention, Errand
from portal.support.queue_service import new_promise
from portal.support.states import (
    CANCELLED,
    ERRAND_CANCELLED,
    ERRAND_TRANSITIONS,
    NOT_STARTED,
    TRANSITIONS,
    WAITING,
)


class AlreadyStartedError(ConflictError):
    """The work has begun: a full refund for the asking is over."""

    def __init__(self) -> None:
        super().__init__(
            "La atención ya comenzó. Para pedir una devolución, llámenos por teléfono."
        )


def cancel_work(
    session: Session, order_id: int, *, actor: Actor, reason: str, now: datetime
) -> None:
    """Cancel what has not begun, by compare-and-set against "Iniciar".

    Cancelled before, it stays so. Raises AlreadyStartedError when it has begun.
    """
    attention = queries.find_for_order(session, order_id)
    if attention is not None:
        session.refresh(attention, with_for_update=True)
        _cancel_attention(session, attention, actor, reason, now)
        return
    errand = queries.find_errand_for_order(session, order_id)
    if errand is not None:
        session.refresh(errand, with_for_update=True)
        _cancel_errand(session, errand, actor, reason, now)


def _cancel_attention(
    session: Session, attention: Attention, actor: Actor, reason: str, now: datetime
) -> None:
    if attention.state == CANCELLED:
        return
    if attention.state not in NOT_STARTED:
        raise AlreadyStartedError
    try:
        change_state(
            session,
            attention,
            CANCELLED,
            machine=TRANSITIONS,
            at=now,
            actor=actor,
            action="attention.cancelled",
            order_id=attention.order_id,
            reason=reason,
            technician_id=None,
            changed_at=now,
            changed_by_id=None,
            state_before=attention.state,
        )
    except StaleStateError as error:
        raise AlreadyStartedError from error


def _cancel_errand(
    session: Session, errand: Errand, actor: Actor, reason: str, now: datetime
) -> None:
    if errand.state == ERRAND_CANCELLED:
        return
    if ERRAND_CANCELLED not in ERRAND_TRANSITIONS[errand.state]:
        raise AlreadyStartedError
    change_state(
        session,
        errand,
        ERRAND_CANCELLED,
        machine=ERRAND_TRANSITIONS,
        at=now,
        actor=actor,
        action="errand.cancelled",
        order_id=errand.order_id,
        reason=reason,
        changed_at=now,
    )


def bring_back(session: Session, order_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a cancelled attention back in the queue, at its old place.

    Raises StaleStateError when there is no cancelled attention.
    """
    attention = queries.find_for_order(session, order_id)
    if attention is None:
        raise StaleStateError("there is no attention to bring back")
    session.refresh(attention, with_for_update=True)
    kind, promise_at = new_promise(session, attention, now)
    change_state(
        session,
        attention,
        WAITING,
        machine=TRANSITIONS,
        at=now,
        actor=actor,
        action="attention.brought_back",
        order_id=order_id,
        regime_kind=kind,
        promise_at=promise_at,
        contacted_at=None,
        no_answer_at=None,
        changed_at=now,
        changed_by_id=None,
        state_before=CANCELLED,
    )
