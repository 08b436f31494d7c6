"""`settle`: the only place where money changes what is true.

In one transaction it writes the payment's state and disposition, the order, the
attention or errand, the history and the outbox rows. Nothing else writes them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.journal.service import GATEWAY, Actor, change_state, record
from portal.mail.service import enqueue
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.orders.models import Order
from portal.orders.rules import fingerprint, new_seed
from portal.payments import queries, rules, states
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment
from portal.payments.moves_service import move_payment
from portal.payments.settled_notes import (
    alert,
    alert_chargeback,
    note,
    note_gone_twice,
)
from portal.payments.settled_refunds import confirm_refunds
from portal.support import cancel_service
from portal.support import service as support

# Approved money is asked about again each day: refunds at the gateway's own panel and
# chargebacks appear so. Webpay tells for 7 days; Mercado Pago refunds within 180.
AFTER_APPROVAL = {
    states.WEBPAY: timedelta(days=7),
    states.MERCADOPAGO: timedelta(days=180),
}
_DAILY = timedelta(days=1)
_PAID_OR_BACK = (states.APPROVED, states.PARTLY_REFUNDED, states.REFUNDED)


@dataclass(frozen=True)
class Settled:
    """What a settlement did; `changed` is False for a word already known."""

    payment_id: int
    order_id: int
    state: str
    disposition: str | None
    changed: bool


def settle(
    payment_id: int,
    evidence: Evidence,
    *,
    keys: tuple[str, ...],
    live: bool | None,
    now: datetime,
) -> Settled:
    """Apply what the gateway's API said of a payment; repeating it changes nothing.

    Called by the return page, the notification, the reconciler and the owner's button.
    Raises NotFoundError for an unknown payment.
    """
    with transaction() as session:
        order_id = queries.get(session, payment_id).order_id
        # Locks in the order order, payment, attention (PostgreSQL).
        order = order_queries.get(session, order_id, lock=True)
        payment = queries.get(session, payment_id, lock=True)
        session.refresh(payment)
        payment = _row_of(session, order, payment, evidence, keys, live, now)
        evidence = _with_by_hand(session, payment, evidence)
        changed = apply_evidence(session, order, payment, evidence, keys, live, now)
        return Settled(
            payment.id, order.id, payment.state, payment.disposition, changed
        )


def _with_by_hand(session: Session, payment: Payment, evidence: Evidence) -> Evidence:
    """What went back in all: of the pesos given by hand the gateway knows nothing."""
    by_hand = queries.paid_by_hand(session, payment.id)
    if not by_hand or evidence.word not in _PAID_OR_BACK:
        return evidence
    back = evidence.refunded_amount + by_hand
    whole = evidence.word == states.REFUNDED or back >= payment.charged
    word = states.REFUNDED if whole else states.PARTLY_REFUNDED
    return replace(evidence, word=word, refunded_amount=back)


def _row_of(
    session: Session,
    order: Order,
    payment: Payment,
    evidence: Evidence,
    keys: tuple[str, ...],
    live: bool | None,
    now: datetime,
) -> Payment:
    """The row that the evidence is about: each further approved id has its own."""
    known = payment.gateway_payment_id
    said = evidence.gateway_payment_id
    if said is None or known is None or said == known:
        return payment
    other = queries.find_by_gateway_id(session, payment.gateway, said)
    if other is not None:
        return other
    if payment.state not in states.SETTLED or evidence.word not in states.SETTLED:
        return payment
    return _add_further(session, order, payment, evidence, keys, live, now)


def _add_further(
    session: Session,
    order: Order,
    payment: Payment,
    evidence: Evidence,
    keys: tuple[str, ...],
    live: bool | None,
    now: datetime,
) -> Payment:
    """A row for one more approval of the same form: it pays if the first did not."""
    said = evidence.gateway_payment_id
    problems = disagreements(payment, evidence, keys, live)
    disposition = rules.disposition(order.state, problems, evidence.word)
    seed = new_seed()
    further = Payment(
        order_id=payment.order_id,
        gateway=payment.gateway,
        state=states.APPROVED,
        disposition=disposition,
        amount=payment.amount,
        account=payment.account,
        buy_order=rules.new_buy_order(),
        seed=seed,
        # Never sent anywhere: the money came under the first row's reference.
        reference_hash=fingerprint(f"further:{seed}"),
        gateway_payment_id=said,
        created_at=now,
        redirected_at=payment.redirected_at,
        approved_at=evidence.approved_at or now,
        detail=evidence.detail,
        evidence=evidence.record(),
        next_check_at=None,
    )
    session.add(further)
    session.flush()
    record(
        session,
        at=now,
        actor=GATEWAY,
        action="payment.approved",
        object_kind="payment",
        object_id=further.id,
        order_id=further.order_id,
        to_state=states.APPROVED,
        data={"disposition": disposition, "gateway_payment_id": said},
    )
    _follow(session, order, further, now, GATEWAY)
    # What becomes of it is told only under this row's reference.
    if payment.next_check_at is None:
        payment.next_check_at = now + _DAILY
    return further


def apply_evidence(
    session: Session,
    order: Order,
    payment: Payment,
    evidence: Evidence,
    keys: tuple[str, ...],
    live: bool | None,
    now: datetime,
    *,
    actor: Actor = GATEWAY,
    reason: str | None = None,
) -> bool:
    """Write what the evidence moves, in the caller's transaction; whether it did.

    `actor` is the owner, with a reason, for what no gateway tells. It never commits.
    """
    road = states.path(payment.gateway, payment.state, evidence.word)
    if not road:
        return note(session, payment, evidence, now, actor, reason)
    for state in road:
        values: dict[str, Any] = {}
        if state == states.APPROVED:
            values = _approval(order, payment, evidence, keys, live, now)
        elif state in states.SETTLED:
            values = {"refunded_amount": _refunded(payment, evidence)}
        elif state == states.PENDING:
            values = {"gateway_payment_id": evidence.gateway_payment_id}
        move_payment(
            session,
            payment,
            state,
            actor=actor,
            now=now,
            reason=reason,
            data={
                "detail": evidence.detail,
                "gateway_payment_id": evidence.gateway_payment_id,
                "disposition": values.get("disposition"),
                "refunded_amount": values.get("refunded_amount"),
            },
            **{"detail": evidence.detail, "evidence": evidence.record(), **values},
        )
        _follow(session, order, payment, now, actor)
    confirm_refunds(session, payment, now, actor, reason)
    if payment.state == states.REFUNDED:
        note_gone_twice(session, payment, evidence, now)
    return True


def _approval(
    order: Order,
    payment: Payment,
    evidence: Evidence,
    keys: tuple[str, ...],
    live: bool | None,
    now: datetime,
) -> dict[str, Any]:
    """The columns that an approval writes beside the state."""
    problems = disagreements(payment, evidence, keys, live)
    return {
        "disposition": rules.disposition(order.state, problems, evidence.word),
        "gateway_payment_id": evidence.gateway_payment_id or payment.buy_order,
        "approved_at": evidence.approved_at or now,
        "lease_until": None,
        "checks": 0,
        "next_check_at": first_check_after_approval(payment, now),
    }


def disagreements(
    payment: Payment, evidence: Evidence, keys: tuple[str, ...], live: bool | None
) -> tuple[str, ...]:
    """What differs between the frozen attempt and the gateway's evidence."""
    reference = rules.find_reference(keys, payment.seed, payment.reference_hash)
    expected = rules.Expected(
        gateway=payment.gateway,
        amount=payment.amount,
        reference=reference,
        buy_order=payment.buy_order,
        account=payment.account,
        live=live,
    )
    said = rules.Said(
        amount=evidence.amount,
        amount_is_whole=evidence.amount_is_whole,
        currency=evidence.currency,
        reference=evidence.reference,
        buy_order=evidence.buy_order,
        account=evidence.account,
        live=evidence.live,
    )
    return rules.disagreements(expected, said)


def first_check_after_approval(payment: Payment, now: datetime) -> datetime:
    """Once the form is dead (a second tab may have paid too), then daily."""
    in_form = payment.form_until is not None and payment.form_until > now
    if payment.gateway == states.MERCADOPAGO and in_form and payment.form_until:
        return payment.form_until + timedelta(minutes=1)
    return now + _DAILY


def _refunded(payment: Payment, evidence: Evidence) -> int:
    """Pesos given back, which never shrink."""
    if evidence.word == states.REFUNDED:
        return payment.charged
    return max(payment.refunded_amount, evidence.refunded_amount)


def _follow(
    session: Session, order: Order, payment: Payment, now: datetime, actor: Actor
) -> None:
    """What the payment's new state does to its order, in the same transaction."""
    if payment.state == states.APPROVED and payment.disposition != states.APPLIED:
        alert(session, payment, now)
        return
    if payment.state == states.CHARGED_BACK:
        alert_chargeback(session, payment, now, actor)
    if payment.disposition != states.APPLIED:
        return
    if payment.state == states.APPROVED:
        open_paid_order(session, order, actor, now)
    elif payment.state == states.REFUNDED:
        _move_order(session, order, order_states.REFUNDED, now, actor)
        _cancel_work(session, order, "Pago devuelto", now, actor)
    elif payment.state == states.CHARGED_BACK:
        _move_order(session, order, order_states.CHARGED_BACK, now, actor)
        _cancel_work(session, order, "Contracargo", now, actor)


def open_paid_order(
    session: Session, order: Order, actor: Actor, now: datetime
) -> None:
    """The order is paid: its work opens and its confirmation is mailed."""
    _move_order(session, order, order_states.PAID, now, actor, paid_at=now)
    support.open_for_order(session, order, now=now)
    enqueue(session, kind="order.confirmed", order_id=order.id, now=now)


def _move_order(
    session: Session,
    order: Order,
    state: str,
    now: datetime,
    actor: Actor,
    **values: Any,
) -> None:
    change_state(
        session,
        order,
        state,
        machine=order_states.TRANSITIONS,
        at=now,
        actor=actor,
        action=f"order.{state}",
        order_id=order.id,
        **values,
    )


def _cancel_work(
    session: Session, order: Order, reason: str, now: datetime, actor: Actor
) -> None:
    """Money that left at the gateway, given or taken back, ends work not yet begun."""
    try:
        cancel_service.cancel_work(
            session, order.id, actor=actor, reason=reason, now=now
        )
    except cancel_service.AlreadyStartedError:
        return  # it is attended to its end: what follows is the owner's decision
