"""Who is told of a customer that waits: those on call at once, the owner when late."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import reading, transaction
from portal.journal.service import SYSTEM, record
from portal.mail.service import enqueue
from portal.support import due_queries, queries
from portal.support.alert_queries import on_call_addresses
from portal.support.models import Attention
from portal.support.rules import is_promise_missed


def tell_on_call(
    session: Session, order_id: int, regime_kind: str, *, now: datetime
) -> None:
    """Mail each address of the regime's list, in the caller's transaction.

    A row's key is a place in the list, never an address.
    """
    for place, _address in enumerate(on_call_addresses(session, regime_kind)):
        enqueue(
            session,
            kind="attention.on_call",
            order_id=order_id,
            key=f"{regime_kind}-{place}",
            now=now,
        )


def mark_missed(now: datetime) -> int:
    """Write down every promise that nobody kept, once, and alert the owner."""
    with reading() as session:
        due = due_queries.promises_over(session, now)
    return sum(_mark(attention_id, now) for attention_id in due)


def _mark(attention_id: int, now: datetime) -> bool:
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if not is_promise_missed(attention, now):
            return False
        _write(session, attention, now)
        return True


def _write(session: Session, attention: Attention, now: datetime) -> None:
    attention.promise_missed_at = attention.promise_at
    attention.version += 1
    record(
        session,
        at=attention.promise_at or now,
        actor=SYSTEM,
        action="attention.promise_missed",
        object_kind="attention",
        object_id=attention.id,
        order_id=attention.order_id,
    )
    for kind in ("alert.promise", "attention.promise_missed"):
        enqueue(session, kind=kind, order_id=attention.order_id, now=now)
