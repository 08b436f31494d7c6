"""Deleting what has been kept long enough: each kind in batches, counted in history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import StaffSession
from portal.db import reading, transaction
from portal.journal.service import SYSTEM, record
from portal.orders.models import Order
from portal.orders.note_models import OrderNote
from portal.payments.models import Notification
from portal.privacy import retention_queries as due
from portal.privacy.models import PrivacyRequest
from portal.privacy.persons_service import forget_in
from portal.privacy.retention_queries import Ids
from portal.support.erase_service import forget_words
from portal.support.models import Draft

BATCH = 200
Drop = Callable[[Session, list[int], tuple[str, ...], datetime], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that goes: its name, what is due, and how it goes."""

    name: str
    due: Callable[[datetime], Ids]
    drop: Drop


def _forget(
    session: Session, ids: list[int], keys: tuple[str, ...], now: datetime
) -> None:
    orders = [session.get_one(Order, number) for number in ids]
    forget_in(session, orders, actor=SYSTEM, keys=keys, now=now, with_tax=True)


def _blank(session: Session, ids: list[int], _keys: object, _now: datetime) -> None:
    forget_words(session, ids)
    session.execute(
        update(Order).where(Order.id.in_(ids), Order.problem != "").values(problem="")
    )


def _drop_notes(
    session: Session, ids: list[int], _keys: object, _now: datetime
) -> None:
    session.execute(delete(OrderNote).where(OrderNote.id.in_(ids)))


def _drop_notifications(
    session: Session, ids: list[int], _keys: object, _now: datetime
) -> None:
    session.execute(delete(Notification).where(Notification.id.in_(ids)))


def _drop_sessions(
    session: Session, ids: list[int], _keys: object, _now: datetime
) -> None:
    session.execute(delete(StaffSession).where(StaffSession.id.in_(ids)))


def _drop_drafts(
    session: Session, ids: list[int], _keys: object, now: datetime
) -> None:
    session.execute(delete(Draft).where(Draft.attention_id.in_(ids)))


def _drop_requests(
    session: Session, ids: list[int], _keys: object, _now: datetime
) -> None:
    session.execute(delete(PrivacyRequest).where(PrivacyRequest.id.in_(ids)))


def _wipe_requests(
    session: Session, ids: list[int], _keys: object, now: datetime
) -> None:
    session.execute(
        update(PrivacyRequest)
        .where(PrivacyRequest.id.in_(ids))
        .values(name="", email="", text="", answer=None, erased_at=now)
    )


KINDS = (
    Kind("unpaid orders", due.unpaid, _forget),
    Kind("orders past the tax years", due.past_tax, _forget),
    Kind("orders with old texts", due.old_words, _blank),
    Kind("owner's old notes", due.notes, _drop_notes),
    Kind("notifications", due.notifications, _drop_notifications),
    Kind("ended sessions", due.dead_sessions, _drop_sessions),
    Kind("old drafts", due.drafts, _drop_drafts),
    Kind("unconfirmed requests", due.unconfirmed, _drop_requests),
    Kind("requests past their years", due.old_requests, _wipe_requests),
)


def what_is_due(now: datetime) -> dict[str, int]:
    """How many of each kind would go now; nothing is written."""
    with reading() as session:
        return {kind.name: _count(session, kind.due(now)) for kind in KINDS}


def _count(session: Session, ids: Ids) -> int:
    return int(session.scalar(select(func.count()).select_from(ids.subquery())) or 0)


def run(keys: tuple[str, ...], *, now: datetime) -> dict[str, int]:
    """Let go of all that is due; how many of each kind. One line of history, counts.

    Each batch is a transaction of its own: whatever stops it, the next run goes on.
    """
    counts = {kind.name: _run(kind, keys, now) for kind in KINDS}
    if any(counts.values()):
        with transaction() as session:
            record(
                session,
                at=now,
                actor=SYSTEM,
                action="retention.ran",
                object_kind="retention",
                object_id=0,
                data={name: count for name, count in counts.items() if count},
            )
    return counts


def _run(kind: Kind, keys: tuple[str, ...], now: datetime) -> int:
    """The search runs over everything, so it holds no lock; what it found is asked
    again, by id, under the lock of its batch."""
    total, query, before = 0, kind.due(now), [0]
    (column,) = query.selected_columns
    while True:
        with reading() as session:
            found = list(session.scalars(query.order_by(column).limit(BATCH)))
        if not found:
            return total
        if found == before:
            raise RuntimeError(f"{kind.name} do not go: {found[:5]}")
        before = found
        with transaction() as session:
            ids = list(session.scalars(query.where(column.in_(found))))
            if ids:
                kind.drop(session, ids, keys, now)
            total += len(ids)
