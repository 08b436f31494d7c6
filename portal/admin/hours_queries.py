"""Paid orders that a change of the hours would leave waiting."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.admin.hours_rules import is_stranded
from portal.hours.rules import Calendar
from portal.orders.models import Order
from portal.support.models import Attention, Errand
from portal.support.states import DEFERRED, ERRAND_SCHEDULED, WAITING


@dataclass(frozen=True, slots=True)
class Stranded:
    """One paid order with what it was promised, and when (UTC)."""

    number: str
    what: str
    at: datetime


def stranded(
    session: Session, old: Calendar, new: Calendar, now: datetime
) -> list[Stranded]:
    """Who was to be attended while open under `old` and closed under `new`."""
    promised = [
        *_rows(session, Attention, WAITING, "Espera ahora", now),
        *_rows(session, Attention, DEFERRED, "Eligió ser atendido", now),
        *_rows(session, Errand, ERRAND_SCHEDULED, "Encargo con fecha", now),
    ]
    return [it for it in promised if it.at >= now and is_stranded(old, new, it.at)]


def _rows(
    session: Session,
    model: type[Attention] | type[Errand],
    state: str,
    what: str,
    now: datetime,
) -> list[Stranded]:
    rows = session.execute(
        select(Order, model)
        .join(model, model.order_id == Order.id)
        .where(model.state == state)
        .order_by(Order.id)
    ).all()
    return [
        Stranded(order.number, what, at)
        for order, work in rows
        if (at := _instant(cast(Attention | Errand, work), now)) is not None
    ]


def _instant(work: Attention | Errand, now: datetime) -> datetime | None:
    """When it is to be attended; who waits is to be attended now."""
    if isinstance(work, Errand):
        return work.scheduled_for
    return now if work.state == WAITING else work.deferred_to
