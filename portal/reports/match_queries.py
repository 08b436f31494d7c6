"""The payments of a month with the gateways' last word about each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.payments import states
from portal.payments.models import Payment, Refund
from portal.payments.refund_rules import PAID_BY_HAND, REQUESTED, SENT
from portal.payments.refund_rules import REJECTED as REFUND_REJECTED
from portal.reports.match_rules import Known
from portal.reports.queries import within
from portal.reports.rules import Month

_FIRST_NUMBER = 1000
_UNRESOLVED = (states.UNKNOWN, states.COMMITTING, states.PENDING)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a gateway was asked about the month's payments."""

    gateway: str
    payments: int
    first: datetime | None
    last: datetime | None


def _of_month(month: Month) -> Any:
    """Approved in the month, or begun in it and never decided."""
    return and_(
        Payment.gateway != states.MANUAL,
        or_(
            within(Payment.approved_at, month),
            and_(Payment.state.in_(_UNRESOLVED), within(Payment.created_at, month)),
        ),
    )


def payments_of(session: Session, month: Month) -> list[Known]:
    """Every payment that the month must account for, oldest first."""
    rows = session.execute(
        select(Payment, _refund_pending()).where(_of_month(month)).order_by(Payment.id)
    )
    return [_known(payment, pending) for payment, pending in rows]


def with_numbers(session: Session, numbers: Collection[str]) -> list[Known]:
    """Mercado Pago's payments of these numbers, of whatever month."""
    rows = session.execute(
        select(Payment, _refund_pending()).where(
            Payment.gateway == states.MERCADOPAGO,
            Payment.gateway_payment_id.in_(numbers),
        )
    )
    return [_known(payment, pending, in_month=False) for payment, pending in rows]


def asked(session: Session, month: Month) -> list[Asked]:
    """How many payments each gateway has, and when it was last asked about them."""
    rows = session.execute(
        select(
            Payment.gateway,
            func.count(),
            func.min(Payment.last_checked_at),
            func.max(Payment.last_checked_at),
        )
        .where(_of_month(month))
        .group_by(Payment.gateway)
        .order_by(Payment.gateway)
    )
    return [
        Asked(states.GATEWAY_NAMES[gateway], count, first, last)
        for gateway, count, first, last in rows
    ]


def _refund_pending() -> Any:
    """A refund that is neither done, nor dropped, nor mended by a later one."""
    done = exists().where(
        Refund.payment_id == Payment.id, Refund.state.in_(("confirmed", PAID_BY_HAND))
    )
    waits = exists().where(
        Refund.payment_id == Payment.id,
        Refund.state.in_((REQUESTED, SENT)),
    )
    refused = exists().where(
        Refund.payment_id == Payment.id,
        Refund.state == REFUND_REJECTED,
        Refund.dropped_at.is_(None),
    )
    return or_(waits, and_(refused, ~done)).label("pending")


def _known(payment: Payment, pending: bool, in_month: bool = True) -> Known:
    evidence = payment.evidence or {}
    said = evidence.get("amount")
    return Known(
        payment_id=payment.id,
        number=_FIRST_NUMBER + payment.order_id,
        gateway=payment.gateway,
        state=payment.state,
        disposition=payment.disposition,
        charged=payment.charged,
        refunded=payment.refunded_amount,
        gateway_number=payment.gateway_payment_id,
        asked_at=payment.last_checked_at,
        word=evidence.get("word"),
        said=said if isinstance(said, int) else None,
        refund_pending=pending,
        in_month=in_month,
    )
