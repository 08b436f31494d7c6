"""Giving money back: the request first, durably, then the gateway, then its word.

What a refund changes of payment and order is written by `service.settle` alone, on
what the gateway's API says of the payment afterwards.
"""

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import reading, transaction
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import SYSTEM, Actor
from portal.mail.service import enqueue
from portal.orders import queries as order_queries
from portal.orders.models import Order
from portal.payments import queries, refund_rules, rules, states
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import (
    Evidence,
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
    Question,
)
from portal.payments.models import Payment, Refund
from portal.payments.moves_service import move_refund
from portal.payments.refund_requests import RefundUnderWayError, problem_of
from portal.payments.returns import GATEWAY_ERRORS
from portal.payments.service import apply_evidence, settle

# How a gateway answered about a payment: with its word, with none, or never again.
_READ, _SILENT, _UNREADABLE = "read", "silent", "unreadable"
log = logging.getLogger(__name__)


def send(refund_id: int, gateways: Gateways, *, now: datetime) -> None:
    """Ask the gateway for a requested refund; what it leaves open is asked again."""
    try:
        payment_id, amount, key = _mark_sent(refund_id, now)
    except StaleStateError:
        return  # another request or the worker sends it
    _call(refund_id, payment_id, amount, key, gateways, now)


def _mark_sent(refund_id: int, now: datetime) -> tuple[int, int, str]:
    with transaction() as session:
        refund = queries.get_refund(session, refund_id)
        move_refund(
            session,
            refund,
            refund_rules.SENT,
            actor=SYSTEM,
            now=now,
            tries=refund.tries + 1,
        )
        refund.next_try_at = refund_rules.next_try(0, now)
        return refund.payment_id, refund.amount, refund.idempotency_key


def _call(
    refund_id: int,
    payment_id: int,
    amount: int,
    key: str,
    gateways: Gateways,
    now: datetime,
) -> None:
    with reading() as session:
        payment = queries.get(session, payment_id)
        gateway, whole = payment.gateway, amount == payment.charged
        gateway_id, sealed = payment.gateway_payment_id or "", payment.token_sealed
    try:
        if gateway == states.WEBPAY:
            token = rules.unseal(gateways.keys, sealed or "")
            gateways.webpay.refund(token, amount)
        else:
            gateways.mercadopago.refund(gateway_id, None if whole else amount, key)
    except LookupError:
        _reject(refund_id, refund_rules.NO_KEY, now)
        return
    except GatewayRefusedError as error:
        _reject(refund_id, str(error), now)
        return
    except (GatewayUnknownError, GatewayUnreachableError) as error:
        log.warning("refund %s: %s", refund_id, error)
        return  # it stays sent: the worker asks what became of it
    if gateway == states.WEBPAY:
        _settle_answer(refund_id, now)
    else:
        _read_back(payment_id, gateways, now)


def _settle_answer(refund_id: int, now: datetime) -> None:
    """Webpay's answer is its word: after 7 days `status` tells nothing any more."""
    with transaction() as session:
        order, payment, refund = _locked(session, refund_id)
        if refund.state == refund_rules.SENT:  # else `status` told it before us
            evidence = _given(payment, refund.amount)
            apply_evidence(session, order, payment, evidence, (), None, now)


def _locked(session: Session, refund_id: int) -> tuple[Order, Payment, Refund]:
    """Locks in the order of `settle`: order, payment, then the refund."""
    found = queries.get_refund(session, refund_id, lock=False)
    order = order_queries.get(session, found.order_id, lock=True)
    payment = queries.get(session, found.payment_id, lock=True)
    session.refresh(payment)
    session.refresh(found, with_for_update=True)
    return order, payment, found


def _given(payment: Payment, amount: int, detail: str | None = None) -> Evidence:
    """That so many more pesos of the payment went back."""
    given = payment.refunded_amount + amount
    whole = given >= payment.charged
    return Evidence.kept(
        payment.evidence,
        word=states.REFUNDED if whole else states.PARTLY_REFUNDED,
        gateway_payment_id=payment.gateway_payment_id,
        refunded_amount=given,
        detail=detail or payment.detail or "",
    )


def _read_back(payment_id: int, gateways: Gateways, now: datetime) -> str:
    """Settle what the API says of the payment now; whether, and how, it answered."""
    try:
        found = look_up(payment_id, gateways)
    except (GatewayRefusedError, LookupError):
        return _UNREADABLE
    except GATEWAY_ERRORS:
        return _SILENT
    for evidence in found:
        if evidence.word != "open":
            settle(
                payment_id, evidence, keys=gateways.keys, live=gateways.live, now=now
            )
    return _READ


def look_up(payment_id: int, gateways: Gateways) -> list[Evidence]:
    """What the gateway says of one payment.

    Raises the three Gateway errors, LookupError when no key opens its token.
    """
    with reading() as session:
        payment = queries.get(session, payment_id)
        gateway, gateway_id = payment.gateway, payment.gateway_payment_id
        sealed = payment.token_sealed
    if gateway == states.MERCADOPAGO and gateway_id:
        evidence = gateways.mercadopago.payment(gateway_id)
        return [] if evidence is None else [evidence]
    token = rules.unseal(gateways.keys, sealed) if sealed else None
    return gateways.webpay.look_up(Question(token=token, reference=""))


def _reject(refund_id: int, why: str, now: datetime) -> None:
    """The gateway said no: the owner must act, and the customer is told."""
    try:
        with transaction() as session:
            refund = queries.get_refund(session, refund_id)
            move_refund(
                session,
                refund,
                refund_rules.REJECTED,
                actor=SYSTEM,
                now=now,
                answered_at=now,
                next_try_at=None,
                detail=why[:120],
            )
            for kind in ("alert.refund", "refund.rejected"):
                enqueue(
                    session,
                    kind=kind,
                    order_id=refund.order_id,
                    key=f"{refund.id}-{refund.tries}",
                    now=now,
                )
    except StaleStateError:
        return  # confirmed meanwhile by what the API said


def follow_due(
    gateways: Gateways, *, now: datetime, limit: int = 20, gateway: str | None = None
) -> int:
    """Send what waits, ask what became of what was sent. How many were looked at.

    With `gateway`, the refunds of this one alone.
    """
    with reading() as session:
        due = [
            (refund.id, refund.state)
            for refund in queries.due_refunds(session, now, limit, gateway)
        ]
    for refund_id, state in due:
        if state == refund_rules.REQUESTED:
            send(refund_id, gateways, now=now)
        else:
            _follow(refund_id, gateways, now)
    return len(due)


def _follow(refund_id: int, gateways: Gateways, now: datetime) -> None:
    """Read first, repeat only what the gateway says was not done."""
    with reading() as session:
        payment_id = queries.get_refund(session, refund_id).payment_id
    answer = _read_back(payment_id, gateways, now)
    with transaction() as session:
        refund = queries.get_refund(session, refund_id)
        if refund.state != refund_rules.SENT:
            return
        refund.next_try_at = refund_rules.next_try(refund.tries, now)
        if answer == _SILENT:
            return
        refund.tries += 1
        exhausted = refund.tries > refund_rules.MAX_TRIES
        amount, key = refund.amount, refund.idempotency_key
    if answer == _UNREADABLE:
        # Done or not done, nobody tells: sent again it could go back twice.
        if exhausted:
            _reject(refund_id, refund_rules.UNREADABLE, now)
    elif exhausted:
        _reject(refund_id, refund_rules.UNCONFIRMED, now)
    else:
        _call(refund_id, payment_id, amount, key, gateways, now)


def retry(refund_id: int, *, actor: Actor, now: datetime) -> None:
    """The owner lets a rejected refund be asked for again.

    Raises StaleStateError unless it is rejected, RefusedError by the gateway's rules or
    when the customer is attended instead, RefundUnderWayError for another in flight.
    """
    with transaction() as session:
        _order, payment, refund = _locked(session, refund_id)
        if refund.state == refund_rules.REJECTED:
            _check_open(session, payment, refund)
            if problem := problem_of(payment, refund.amount, now):
                raise RefusedError(problem)
        move_refund(
            session,
            refund,
            refund_rules.REQUESTED,
            actor=actor,
            now=now,
            next_try_at=now,
        )


def _check_open(session: Session, payment: Payment, refund: Refund) -> None:
    """A rejected refund may be mended while its money is here and is to go back."""
    if refund.dropped_at is not None:
        raise RefusedError("El cliente prefirió que le atiendan: ya no se devuelve.")
    if queries.find_refund_in_flight(session, payment.id) is not None:
        raise RefundUnderWayError("Ya hay una devolución en curso de este pago.")
    if refund.amount > payment.left or payment.state not in refund_rules.GIVABLE:
        raise RefusedError("Este pago ya se devolvió: no queda ese monto.")


def pay_by_hand(refund_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """The owner gave the money back by transfer: payment and order say so.

    Raises StaleStateError unless the refund was rejected, RefusedError with no reason
    or no money left, RefundUnderWayError while another one is in flight.
    """
    if not reason.strip():
        raise RefusedError("Escriba cómo y cuándo devolvió el dinero.")
    with transaction() as session:
        order, payment, refund = _locked(session, refund_id)
        if refund.state == refund_rules.REJECTED:
            _check_open(session, payment, refund)
        move_refund(
            session,
            refund,
            refund_rules.PAID_BY_HAND,
            actor=actor,
            now=now,
            reason=reason.strip()[:300],
            answered_at=now,
        )
        evidence = _given(payment, refund.amount, "by_hand")
        apply_evidence(session, order, payment, evidence, (), None, now, actor=actor)
