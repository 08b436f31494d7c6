"""That somebody of the staff opened a customer's data: who did, and when."""

from datetime import datetime

from portal.accounts.rules import Person
from portal.db import reading, transaction
from portal.journal.queries import was_done
from portal.journal.service import Actor, record
from portal.orders import queries


def note_seen(
    order_id: int, action: str, *, by: Person, since: datetime, now: datetime
) -> None:
    """Keep that `by` opened it, unless a line after `since` (UTC) says so already.

    Raises NotFoundError when there is no such order.
    """
    with reading() as session:
        if was_done(session, action, order_id, by.id, since):
            return
    with transaction() as session:
        # Of two pages opened at once one writes.
        queries.get(session, order_id, lock=True)
        if was_done(session, action, order_id, by.id, since):
            return
        record(
            session,
            at=now,
            actor=Actor("staff", by.id),
            action=action,
            object_kind="order",
            object_id=order_id,
            order_id=order_id,
        )
