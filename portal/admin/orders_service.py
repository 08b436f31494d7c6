"""Who looked among the customers: one line of history per person and hour."""

from datetime import datetime, timedelta

from portal.accounts.rules import Person
from portal.admin.orders_queries import was_noted
from portal.db import reading, transaction
from portal.journal.service import Actor, record

SEARCHED = "orders.searched"
_EVERY = timedelta(hours=1)


def note_search(*, by: Person, now: datetime) -> None:
    """Write that this person listed orders; what was sought is personal, and is not."""
    since = now - _EVERY
    with reading() as session:
        if was_noted(session, SEARCHED, by.id, since):
            return
    with transaction() as session:
        if was_noted(session, SEARCHED, by.id, since):
            return
        record(
            session,
            at=now,
            actor=Actor("staff", by.id),
            action=SEARCHED,
            object_kind="staff",
            object_id=by.id,
        )
