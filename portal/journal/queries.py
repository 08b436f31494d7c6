"""Reading history."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.journal.models import JournalEntry


def story_of_order(session: Session, order_id: int) -> list[JournalEntry]:
    """Everything that happened to an order and what hangs on it, oldest first."""
    return list(
        session.scalars(
            select(JournalEntry)
            .where(JournalEntry.order_id == order_id)
            .order_by(JournalEntry.id)
        )
    )


def was_done(
    session: Session, action: str, order_id: int, actor_id: int, since: datetime
) -> bool:
    """Whether this member of staff did it to the order since that instant (UTC)."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    JournalEntry.order_id == order_id,
                    JournalEntry.action == action,
                    JournalEntry.actor_kind == "staff",
                    JournalEntry.actor_id == actor_id,
                    JournalEntry.at > since,
                )
            )
        )
    )


def has_line(session: Session, object_kind: str, object_id: int, action: str) -> bool:
    """Whether the history of this object tells of the act."""
    line = exists().where(
        JournalEntry.object_kind == object_kind,
        JournalEntry.object_id == object_id,
        JournalEntry.action == action,
    )
    return bool(session.scalar(select(line)))


def last_of(session: Session, object_kind: str, action: str) -> JournalEntry | None:
    """The newest line of this kind that is about no object in particular."""
    return session.scalar(
        select(JournalEntry)
        .where(
            JournalEntry.object_kind == object_kind,
            JournalEntry.object_id == 0,
            JournalEntry.action == action,
        )
        .order_by(JournalEntry.id.desc())
        .limit(1)
    )
