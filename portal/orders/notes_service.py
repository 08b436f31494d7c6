"""Writing down what the owner wants remembered of an order."""

from datetime import datetime

from portal.db import transaction
from portal.journal.service import Actor, record
from portal.orders import queries
from portal.orders.note_models import OrderNote

MAX_NOTE = 1000


def add(order_id: int, text: str, *, author_id: int, now: datetime) -> None:
    """Keep one internal note; the history tells that there is one, not what it says.

    Raises NotFoundError.
    """
    with transaction() as session:
        queries.get(session, order_id)
        note = OrderNote(order_id=order_id, text=text, at=now, author_id=author_id)
        session.add(note)
        session.flush()
        record(
            session,
            at=now,
            actor=Actor("staff", author_id),
            action="order.noted",
            object_kind="order_note",
            object_id=note.id,
            order_id=order_id,
        )
