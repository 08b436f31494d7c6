"""The orders of one day, for the link of that day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.orders.models import Order
from portal.payments.models import Payment
from portal.payments.states import GATEWAY_NAMES, MANUAL
from portal.reports.figures_rules import FREE, REGIME_NAMES
from portal.reports.queries import IS_APPLIED, NOBODY, staff_names
from portal.reports.rules import start_of
from portal.support.models import Attention, Errand

STATE_NAMES = {
    "paid": "Pagado",
    "refunded": "Devuelto",
    "charged_back": "Contracargo",
}


@dataclass(frozen=True, slots=True)
class DayOrder:
    """One paid order of a day. `pesos` is what was paid."""

    number: str
    at: datetime
    service: str
    regime: str
    gateway: str
    technician: str
    state: str
    pesos: int


def orders_of_day(session: Session, day: date) -> list[DayOrder]:
    """The orders paid on Santiago's day, oldest first."""
    who = func.coalesce(Attention.technician_id, Errand.technician_id)
    rows = session.execute(
        select(Order, Payment.gateway, Payment.amount, who)
        .select_from(Order)
        .join(Payment, and_(Payment.order_id == Order.id, IS_APPLIED))
        .outerjoin(Attention, Attention.order_id == Order.id)
        .outerjoin(Errand, Errand.order_id == Order.id)
        .where(
            Order.paid_at >= start_of(day),
            Order.paid_at < start_of(day + timedelta(days=1)),
        )
        .order_by(Order.paid_at, Order.id)
    ).all()
    names = staff_names(session)
    return [
        DayOrder(
            number=order.number,
            at=order.paid_at or order.created_at,
            service=order.service_name,
            regime=REGIME_NAMES[order.regime_kind],
            gateway=FREE if (gateway, pesos) == (MANUAL, 0) else GATEWAY_NAMES[gateway],
            technician=names.get(technician, NOBODY),
            state=STATE_NAMES.get(order.state, order.state),
            pesos=pesos,
        )
        for order, gateway, pesos, technician in rows
    ]
