"""Asking for money back: the durable request, and what it does to the work."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import ConflictError, RefusedError, StaleStateError
from portal.journal.service import CUSTOMER, Actor, record
from portal.mail.service import enqueue
from portal.orders import queries as order_queries
from portal.payments import queries, refund_rules, states
from portal.payments.models import Payment, Refund
from portal.support import cancel_service


class RefundUnderWayError(ConflictError):
    """One refund of the payment is in flight already."""


def request_by_customer(order_id: int, *, now: datetime) -> int:
    """Retracto: all the money back while the work has not begun. The refund's id.

    Cancels the work in the same transaction, by compare-and-set against "Iniciar".
    Asking again gives the same refund. Raises AlreadyStartedError when it has begun,
    RefusedError when there is no money to give back.
    """
    with transaction() as session:
        order = order_queries.get(session, order_id, lock=True)
        payment = queries.find_applied(session, order.id) or queries.find_late(
            session, order.id
        )
        if payment is None:
            raise RefusedError("Este pedido no tiene un pago que devolver.")
        session.refresh(payment, with_for_update=True)
        known = queries.find_refund_in_flight(session, payment.id)
        if known is not None:
            return known.id
        if payment.disposition == states.APPLIED:
            cancel_service.cancel_work(
                session, order.id, actor=CUSTOMER, reason="Retracto", now=now
            )
        refund = _insert(
            session,
            payment,
            payment.amount - payment.refunded_amount,
            source="customer",
            actor=CUSTOMER,
            reason="Retracto",
            now=now,
        )
        return refund.id


def request_by_owner(
    payment_id: int, amount: int, *, reason: str, actor: Actor, now: datetime
) -> int:
    """Pesos of any payment given back by the owner, with a reason. The refund's id.

    In full, before the work began, it cancels the work too. Raises RefusedError by the
    gateway's rules, RefundUnderWayError while another one is in flight and for the
    same request again within a minute.
    """
    if not reason.strip():
        raise RefusedError("Escriba el motivo de la devolución.")
    with transaction() as session:
        order_id = queries.get(session, payment_id).order_id
        order_queries.get(session, order_id, lock=True)
        payment = queries.get(session, payment_id, lock=True)
        session.refresh(payment)
        if queries.find_refund_in_flight(session, payment.id) is not None:
            raise RefundUnderWayError("Ya hay una devolución en curso de este pago.")
        since = now - refund_rules.SECOND_TAP
        words = reason.strip()[:300]
        if queries.find_refund_just_asked(session, payment.id, amount, words, since):
            raise RefundUnderWayError("Esa devolución ya se pidió. No se pide otra.")
        whole = amount == payment.charged
        if whole and payment.disposition == states.APPLIED:
            _cancel_if_not_begun(session, order_id, actor, now)
        return _insert(
            session,
            payment,
            amount,
            source="owner",
            actor=actor,
            reason=words,
            now=now,
        ).id


def _cancel_if_not_begun(
    session: Session, order_id: int, actor: Actor, now: datetime
) -> None:
    try:
        cancel_service.cancel_work(
            session, order_id, actor=actor, reason="Devolución", now=now
        )
    except cancel_service.AlreadyStartedError:
        return  # the owner may give money back for work that was done


def problem_of(payment: Payment, amount: int, now: datetime) -> str | None:
    """Why this amount (pesos) of the payment cannot be given back; None when it can."""
    said = payment.evidence or {}
    return refund_rules.problem(
        gateway=payment.gateway,
        state=payment.state,
        paid=payment.charged,
        refunded=payment.refunded_amount,
        amount=amount,
        payment_type=str(said.get("payment_type", "")),
        approved_at=payment.approved_at,
        now=now,
    )


def _insert(
    session: Session,
    payment: Payment,
    amount: int,
    *,
    source: str,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Refund:
    if (problem := problem_of(payment, amount, now)) is not None:
        raise RefusedError(problem)
    number = queries.count_refunds(session, payment.id) + 1
    refund = Refund(
        payment_id=payment.id,
        order_id=payment.order_id,
        state=refund_rules.REQUESTED,
        source=source,
        amount=amount,
        reason=reason[:300],
        idempotency_key=f"refund-{payment.buy_order}-{number}",
        requested_at=now,
        next_try_at=now,
    )
    session.add(refund)
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="refund.requested",
        object_kind="refund",
        object_id=refund.id,
        order_id=refund.order_id,
        to_state=refund_rules.REQUESTED,
        reason=reason[:300],
        data={"amount": amount, "payment": payment.id, "source": source},
    )
    enqueue(
        session,
        kind="refund.requested",
        order_id=refund.order_id,
        key=str(refund.id),
        now=now,
    )
    return refund


def return_to_queue(order_id: int, *, now: datetime) -> None:
    """After a refused refund the customer wants the attention after all.

    Raises StaleStateError when there is no rejected refund or no cancelled attention.
    """
    with transaction() as session:
        order_queries.get(session, order_id, lock=True)
        refund = queries.find_rejected_refund(session, order_id)
        if refund is None:
            raise StaleStateError("no refund was rejected")
        refund.dropped_at = now
        refund.version += 1
        record(
            session,
            at=now,
            actor=CUSTOMER,
            action="refund.dropped",
            object_kind="refund",
            object_id=refund.id,
            order_id=order_id,
            from_state=refund.state,
            to_state=refund.state,
        )
        cancel_service.bring_back(session, order_id, actor=CUSTOMER, now=now)
