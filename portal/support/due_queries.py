"""What is due to be written by the worker or the next act."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.support.models import Attention, AttentionPause
from portal.support.states import PAUSED, RUNNING, TAKEN, WAITING


def over(session: Session, now: datetime) -> list[int]:
    """The attentions whose clock or pause is over, with nobody having written it."""
    statement = select(Attention.id).where(
        or_(
            and_(Attention.state == RUNNING, Attention.ends_at <= now),
            and_(Attention.state == PAUSED, Attention.paused_until <= now),
        )
    )
    return list(session.scalars(statement.order_by(Attention.ends_at)))


def promises_over(session: Session, now: datetime) -> list[int]:
    """The attentions whose promise went by without a call, not yet written down."""
    known = Attention.promise_missed_at
    statement = select(Attention.id).where(
        Attention.state.in_((WAITING, TAKEN)),
        Attention.promise_at <= now,
        Attention.contacted_at.is_(None),
        or_(known.is_(None), known != Attention.promise_at),
    )
    return list(session.scalars(statement.order_by(Attention.promise_at)))


def running_pause(session: Session, attention: Attention) -> AttentionPause | None:
    """The pause that stands now, or stood when it was closed; None without one."""
    if attention.paused_at is None:
        return None
    return session.scalar(
        select(AttentionPause)
        .where(
            AttentionPause.attention_id == attention.id,
            AttentionPause.from_at == attention.paused_at,
        )
        .order_by(AttentionPause.id.desc())
        .limit(1)
    )


def ids_in_state(session: Session, state: str) -> list[int]:
    """The attentions in a state, in the order of the queue."""
    statement = select(Attention.id).where(Attention.state == state)
    return list(session.scalars(statement.order_by(Attention.queued_at)))
