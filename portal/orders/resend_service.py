"""Sending the secret link again to whoever bought with a mail address."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal import clock
from portal.db import transaction
from portal.journal.service import CUSTOMER, record
from portal.mail.service import enqueue
from portal.orders.models import Contact, Order

RESEND_DAYS = 60
# The newest ones: nobody who asks needs more, and nobody is flooded.
MAX_LINKS = 5


def ask_links(email: str, *, now: datetime) -> None:
    """Mail the links of the address's orders of the last 60 days, once an hour each.

    Whether there is one or none, it does and takes about the same: one transaction
    with a line of history. The hour in the key lets the outbox refuse a second mail.
    """
    key = f"{clock.local(now):%Y-%m-%dT%H%z}"
    with transaction() as session:
        record(
            session,
            at=now,
            actor=CUSTOMER,
            action="link.asked",
            object_kind="contact",
            object_id=0,
        )
        for order_id in _orders_of(session, email, now):
            enqueue(session, kind="link.resend", order_id=order_id, key=key, now=now)


def _orders_of(session: Session, email: str, now: datetime) -> list[int]:
    return list(
        session.scalars(
            select(Order.id)
            .join(Contact, Contact.id == Order.contact_id)
            .where(
                func.lower(Contact.email) == email.lower(),
                Order.created_at >= now - timedelta(days=RESEND_DAYS),
                Contact.blocked.is_(False),
            )
            .order_by(Order.id.desc())
            .limit(MAX_LINKS)
        )
    )
