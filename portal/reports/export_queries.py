"""The rows of an export, a few hundred at a time."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.money import split_iva
from portal.orders.document_models import OrderDocument
from portal.orders.models import BLOCKED_WORDS, ERASED_WORDS, Contact, Order
from portal.orders.tax_rules import voucher_counts
from portal.payments import states
from portal.payments.models import Payment, Refund
from portal.reports.attention_rules import Fact, outcome_of, used_seconds
from portal.reports.day_queries import STATE_NAMES
from portal.reports.export_rules import MoneyRow, OrderRow
from portal.reports.figures_rules import FREE, REGIME_NAMES
from portal.reports.queries import (
    IS_APPLIED,
    NOBODY,
    WENT_BACK,
    facts_of_attentions,
    misplaced,
    staff_names,
    taken_back,
    within,
)
from portal.reports.rules import Month, whole_minutes
from portal.settings.queries import load as load_business
from portal.support.models import Attention, Errand

MISPLACED_KINDS = {
    states.SURPLUS: "Pago de más",
    states.LATE: "Pago que llegó tarde",
    states.MISMATCH: "Pago que no coincide",
}
_A_TIME = 500
_FIRST_NUMBER = 1000


def order_rows(session: Session, month: Month, now: int) -> Iterator[OrderRow]:
    """One row per order paid in the month, oldest first. `now` in seconds."""
    names = staff_names(session)
    for row in session.execute(_orders(month).execution_options(yield_per=_A_TIME)):
        yield _order_row(row, names, now)


def _orders(month: Month) -> Any:
    facts = facts_of_attentions()
    return (
        select(
            Order.id,
            Order.paid_at,
            Order.state.label("order_state"),
            Order.service_name,
            Order.regime_kind.label("sold_in"),
            Order.document,
            Order.tax_name,
            Order.tax_rut,
            Contact.name,
            Contact.rut,
            Contact.blocked,
            Contact.pseudonymised_at,
            Payment.gateway,
            Payment.amount,
            func.coalesce(Attention.technician_id, Errand.technician_id).label("who"),
            Errand.state.label("errand_state"),
            *facts,
        )
        .select_from(Order)
        .join(Payment, and_(Payment.order_id == Order.id, IS_APPLIED))
        .join(Contact, Contact.id == Order.contact_id)
        .outerjoin(Attention, Attention.order_id == Order.id)
        .outerjoin(Errand, Errand.order_id == Order.id)
        .where(within(Order.paid_at, month))
        .order_by(Order.paid_at, Order.id)
    )


def _order_row(row: Any, names: dict[int | None, str], now: int) -> OrderRow:
    fact = Fact._make(row[-len(Fact._fields) :]) if row.queued is not None else None
    receiver, rut = _receiver(row)
    return OrderRow(
        at=row.paid_at,
        number=_FIRST_NUMBER + row.id,
        service=row.service_name,
        regime=REGIME_NAMES[row.sold_in],
        gateway=_gateway(row.gateway, row.amount),
        technician=names.get(row.who, NOBODY),
        state=STATE_NAMES.get(row.order_state, row.order_state),
        outcome=outcome_of(fact) if fact else ERRAND_NAMES.get(row.errand_state, ""),
        minutes=whole_minutes(used_seconds(fact, now)) if fact else None,
        paused=whole_minutes(fact.paused_seconds) if fact else None,
        document=row.document,
        receiver=receiver,
        receiver_rut=rut,
        price=row.amount,
    )


ERRAND_NAMES = {
    "open": "por coordinar",
    "scheduled": "con fecha",
    "done": "hecho",
    "cancelled": "anulado",
}


def _receiver(row: Any) -> tuple[str, str]:
    """Name and RUT of who gets the document; nothing of who asked not to be used."""
    if row.blocked:
        return BLOCKED_WORDS, ""
    if row.pseudonymised_at is not None:
        return ERASED_WORDS, ""
    return row.tax_name or row.name, row.tax_rut or row.rut or ""


def _gateway(gateway: str, pesos: int) -> str:
    free = (gateway, pesos) == (states.MANUAL, 0)
    return FREE if free else states.GATEWAY_NAMES[gateway]


def money_rows(session: Session, month: Month) -> Iterator[MoneyRow]:
    """One row per movement: payments, money out of place, refunds, chargebacks."""
    yield from _payments(session, month)
    yield from _misplaced(session, month)
    yield from _refunds(session, month)
    yield from _chargebacks(session, month)


def _code(evidence: Any) -> str:
    return str((evidence or {}).get("authorization_code") or "")


def _came(pesos: int) -> dict[str, Any]:
    net, iva = split_iva(pesos)
    return {"came": pesos, "came_net": net, "came_iva": iva}


def _went(pesos: int) -> dict[str, Any]:
    net, iva = split_iva(pesos)
    return {"went": pesos, "went_net": net, "went_iva": iva}


def _payments(session: Session, month: Month) -> Iterator[MoneyRow]:
    statement = (
        select(
            Order.id,
            Order.paid_at,
            Order.document,
            Payment.gateway,
            Payment.amount,
            Payment.evidence,
            OrderDocument.folio,
        )
        .select_from(Order)
        .join(Payment, and_(Payment.order_id == Order.id, IS_APPLIED))
        .outerjoin(OrderDocument, OrderDocument.order_id == Order.id)
        .where(within(Order.paid_at, month))
        .order_by(Order.paid_at, Order.id)
    )
    rows = session.execute(statement.execution_options(yield_per=_A_TIME))
    boleta = load_business(session).voucher_is_boleta
    for order, at, document, gateway, pesos, evidence, folio in rows:
        by_voucher = voucher_counts(document, gateway, voucher_is_boleta=boleta)
        yield MoneyRow(
            at=at,
            number=_FIRST_NUMBER + order,
            kind="Pago",
            gateway=_gateway(gateway, pesos),
            code=_code(evidence),
            document="boleta (voucher)" if by_voucher and not folio else document,
            folio=folio or "",
            **_came(pesos),
        )


def _misplaced(session: Session, month: Month) -> Iterator[MoneyRow]:
    statement = misplaced(month).execution_options(yield_per=_A_TIME)
    for payment in session.scalars(statement):
        yield MoneyRow(
            at=payment.approved_at or payment.created_at,
            number=_FIRST_NUMBER + payment.order_id,
            kind=MISPLACED_KINDS[payment.disposition or ""],
            gateway=states.GATEWAY_NAMES[payment.gateway],
            code=_code(payment.evidence),
            document="",
            **_came(payment.charged),
        )


def _refunds(session: Session, month: Month) -> Iterator[MoneyRow]:
    statement = (
        select(Refund, Payment, Order.document)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Refund.order_id)
        .where(WENT_BACK, within(Refund.answered_at, month))
        .order_by(Refund.answered_at, Refund.id)
    )
    rows = session.execute(statement.execution_options(yield_per=_A_TIME))
    for refund, payment, document in rows:
        applied = payment.disposition == states.APPLIED
        yield MoneyRow(
            at=refund.answered_at or refund.requested_at,
            number=_FIRST_NUMBER + refund.order_id,
            kind="Devolución" if applied else "Devolución de un pago fuera de lugar",
            gateway=states.GATEWAY_NAMES[payment.gateway],
            code=_code(payment.evidence),
            document=f"nota de crédito ({document})" if applied else "",
            **_went(refund.amount),
        )


def _chargebacks(session: Session, month: Month) -> Iterator[MoneyRow]:
    for line, payment, pesos in taken_back(session, month):
        applied = payment.disposition == states.APPLIED
        yield MoneyRow(
            at=line.at,
            number=_FIRST_NUMBER + payment.order_id,
            kind="Contracargo" if applied else "Contracargo de un pago fuera de lugar",
            gateway=states.GATEWAY_NAMES[payment.gateway],
            code=_code(payment.evidence),
            document="",
            **_went(pesos),
        )
