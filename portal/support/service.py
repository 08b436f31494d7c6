"""Opening the work of a paid order."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.hours.queries import load_calendar
from portal.hours.rules import CLOSED, NORMAL, add_open_minutes, regime_at
from portal.journal.service import SYSTEM, record
from portal.orders.models import Order
from portal.settings import queries as settings_queries
from portal.support.models import Attention, Errand
from portal.support.states import DEFERRED, ERRAND_OPEN, WAITING

ONLINE_SUPPORT = "soporte-online"


def open_for_order(session: Session, order: Order, *, now: datetime) -> None:
    """Open what a just paid order asks for, in the caller's transaction.

    One attention for `soporte-online`, one errand for every other service.
    """
    if order.service_slug == ONLINE_SUPPORT:
        _open_attention(session, order, now)
    else:
        _open_errand(session, order, now)


def _open_attention(session: Session, order: Order, now: datetime) -> None:
    calendar = load_calendar(session)
    regime = regime_at(calendar, now)
    promise_at = None
    if regime.kind == NORMAL:
        minutes = settings_queries.load(session).promise_minutes
        promise_at = add_open_minutes(calendar, now, minutes)
    attention = Attention(
        order_id=order.id,
        state=DEFERRED if regime.kind == CLOSED else WAITING,
        regime_kind=regime.kind,
        queued_at=now,
        promise_at=promise_at,
        changed_at=now,
    )
    session.add(attention)
    session.flush()
    record(
        session,
        at=now,
        actor=SYSTEM,
        action="attention.opened",
        object_kind="attention",
        object_id=attention.id,
        order_id=order.id,
        to_state=attention.state,
        data={"regime": regime.kind},
    )


def _open_errand(session: Session, order: Order, now: datetime) -> None:
    errand = Errand(order_id=order.id, state=ERRAND_OPEN, opened_at=now, changed_at=now)
    session.add(errand)
    session.flush()
    record(
        session,
        at=now,
        actor=SYSTEM,
        action="errand.opened",
        object_kind="errand",
        object_id=errand.id,
        order_id=order.id,
        to_state=ERRAND_OPEN,
    )
