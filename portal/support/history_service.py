"""That somebody of the staff read a customer's history: one line a person and hour."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.clock import local
from portal.db import reading, transaction
from portal.journal.models import JournalEntry
from portal.journal.service import Actor, record

READ = "customer.history_read"


def note_reading(order_id: int, *, by: Person, now: datetime) -> None:
    """Keep who opened this order's customer, once in each hour of the clock."""
    with reading() as session:
        if _is_noted(session, order_id, by, now):
            return
    with transaction() as session:
        if _is_noted(session, order_id, by, now):
            return
        record(
            session,
            at=now,
            actor=Actor("staff", by.id),
            action=READ,
            object_kind="order",
            object_id=order_id,
            order_id=order_id,
        )


def _is_noted(session: Session, order_id: int, by: Person, now: datetime) -> bool:
    since = local(now).replace(minute=0, second=0, microsecond=0)
    found = session.scalar(
        select(JournalEntry.id)
        .where(
            JournalEntry.order_id == order_id,
            JournalEntry.action == READ,
            JournalEntry.actor_id == by.id,
            JournalEntry.at >= since,
        )
        .limit(1)
    )
    return found is not None
