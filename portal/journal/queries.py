"""Reading history."""

from sqlalchemy import select
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
