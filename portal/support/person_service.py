"""What changes about the person of an order, and must show on board and page at once.

The history names the fields that changed, never what stood in them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import CUSTOMER, Actor, record
from portal.mail.models import OutboxRow
from portal.mail.service import enqueue
from portal.orders import queries as order_queries
from portal.orders.models import Contact, Order
from portal.support.models import Attention, Errand

CORRECTED = "contact.corrected"
# A link in wrong hands must not mail the world.
MAX_CORRECTIONS = 10
# A database takes only so many values in one question.
_AT_ONCE = 500


def touch(session: Session, order_ids: Sequence[int]) -> None:
    """Raise the versions of the orders' work: board and pages are drawn again."""
    for start in range(0, len(order_ids), _AT_ONCE):
        some = order_ids[start : start + _AT_ONCE]
        for attention in session.scalars(
            select(Attention).where(Attention.order_id.in_(some))
        ):
            attention.version += 1
        for errand in session.scalars(select(Errand).where(Errand.order_id.in_(some))):
            errand.version += 1


def note_people(
    session: Session,
    orders: Sequence[Order],
    action: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    data: dict[str, object] | None = None,
) -> None:
    """A line of history in each of these orders, written together."""
    touch(session, [order.id for order in orders])
    for order in orders:
        record(
            session,
            at=now,
            actor=actor,
            action=action,
            object_kind="contact",
            object_id=order.contact_id,
            order_id=order.id,
            reason=reason,
            data=data,
        )


def correct_person(
    order_id: int, *, name: str, email: str, phone: str, now: datetime
) -> list[str]:
    """The customer's own name, mail and phone (E.164); which of them changed.

    The tax data of the order stay: they are those of its document. A new mail address
    gets the confirmation that went to the old one. Raises NotFoundError, and
    RefusedError after MAX_CORRECTIONS.
    """
    with transaction() as session:
        order = order_queries.get(session, order_id, lock=True)
        contact = order_queries.get_contact(session, order)
        given = {"name": name, "email": email, "phone": phone}
        changed = [
            key for key, value in given.items() if getattr(contact, key) != value
        ]
        if not changed:
            return []
        if contact.pseudonymised_at is not None:
            raise RefusedError("Estos datos ya se borraron: no se pueden corregir.")
        before = _corrections(session, contact)
        if before >= MAX_CORRECTIONS:
            raise RefusedError("Ya los corrigió muchas veces: escríbanos o llámenos.")
        for key in changed:
            setattr(contact, key, given[key])
        note_people(
            session,
            [order],
            CORRECTED,
            actor=CUSTOMER,
            now=now,
            data={"fields": sorted(changed)},
        )
        if "email" in changed and _was_confirmed(session, order_id):
            key = f"corregido-{before + 1}"
            enqueue(
                session, kind="order.confirmed", order_id=order_id, key=key, now=now
            )
        return changed


def _corrections(session: Session, contact: Contact) -> int:
    count = select(func.count()).where(
        JournalEntry.object_kind == "contact",
        JournalEntry.object_id == contact.id,
        JournalEntry.action == CORRECTED,
    )
    return int(session.scalar(count) or 0)


def _was_confirmed(session: Session, order_id: int) -> bool:
    """Whether it went out; one that still waits goes to the new address."""
    sent = select(OutboxRow.id).where(
        OutboxRow.order_id == order_id,
        OutboxRow.kind == "order.confirmed",
        OutboxRow.state == "sent",
    )
    return session.scalar(sent.limit(1)) is not None
