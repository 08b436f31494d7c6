"""That somebody of the staff read a customer's history: one line a person and hour."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.clock import local
from portal.db import reading, transaction
from portal.journal.queries import was_done
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
    """Since the hour began: what was noted at its first instant counts, too."""
    hour = local(now).replace(minute=0, second=0, microsecond=0)
    just_before = hour - timedelta(microseconds=1)
    return was_done(session, READ, order_id, by.id, since=just_before)
