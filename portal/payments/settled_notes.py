"""What is written beside the machine: the owner's alert, and words that move no state.

Part of `service.settle`: everything here runs inside its transaction.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.journal.queries import has_line
from portal.journal.service import GATEWAY, Actor, record
from portal.mail.service import enqueue
from portal.payments import queries, states
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment
from portal.payments.settled_refunds import confirm_refunds


def alert(session: Session, payment: Payment, now: datetime) -> None:
    """Tell the owner of money that did not simply pay its order."""
    enqueue(
        session,
        kind="alert.payment",
        order_id=payment.order_id,
        key=f"{payment.disposition}-{payment.id}",
        now=now,
    )


def alert_chargeback(
    session: Session, payment: Payment, now: datetime, actor: Actor
) -> None:
    """Tell the owner that a bank took a payment back, unless the owner told us."""
    if actor.kind == GATEWAY.kind:
        enqueue(
            session,
            kind="alert.chargeback",
            order_id=payment.order_id,
            key=str(payment.id),
            now=now,
        )


def note(
    session: Session,
    payment: Payment,
    evidence: Evidence,
    now: datetime,
    actor: Actor = GATEWAY,
    reason: str | None = None,
) -> bool:
    """A word that moves nothing may still be worth a line: a rejected try, a refund."""
    if evidence.word == "rejected" and payment.state == states.REDIRECTED:
        return _note_rejected_try(session, payment, evidence, now)
    if payment.state == states.REFUNDED:
        return note_gone_twice(session, payment, evidence, now)
    grown = evidence.refunded_amount > payment.refunded_amount
    if payment.state != states.PARTLY_REFUNDED or not grown:
        return False
    payment.refunded_amount = evidence.refunded_amount
    payment.version += 1
    _line(session, payment, "payment.refund_seen", evidence, now, actor, reason)
    confirm_refunds(session, payment, now, actor, reason)
    return True


def note_gone_twice(
    session: Session, payment: Payment, evidence: Evidence, now: datetime
) -> bool:
    """Money that the owner gave back by hand, and that left at the gateway as well.

    No machine has a state for it: the owner is told once, and the history has a line.
    """
    if not queries.paid_by_hand(session, payment.id):
        return False
    taken = evidence.word == states.CHARGED_BACK
    if not taken and evidence.refunded_amount <= payment.charged:
        return False
    action = "payment.taken_twice" if taken else "payment.given_twice"
    if has_line(session, "payment", payment.id, action):
        return False
    _line(session, payment, action, evidence, now)
    if taken:
        alert_chargeback(session, payment, now, GATEWAY)
        return True
    order_id, key = payment.order_id, str(payment.id)
    enqueue(session, kind="alert.given_twice", order_id=order_id, key=key, now=now)
    return True


def _note_rejected_try(
    session: Session, payment: Payment, evidence: Evidence, now: datetime
) -> bool:
    """Mercado Pago lets the customer try again under the same preference."""
    tried = evidence.gateway_payment_id or ""
    if tried in payment.rejected_ids:
        return False
    payment.rejected_ids = [*payment.rejected_ids, tried]
    payment.detail = evidence.detail
    payment.version += 1
    _line(session, payment, "payment.try_rejected", evidence, now)
    return True


def _line(
    session: Session,
    payment: Payment,
    action: str,
    evidence: Evidence,
    now: datetime,
    actor: Actor = GATEWAY,
    reason: str | None = None,
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="payment",
        object_id=payment.id,
        order_id=payment.order_id,
        from_state=payment.state,
        to_state=payment.state,
        reason=reason,
        data={
            "detail": evidence.detail,
            "gateway_payment_id": evidence.gateway_payment_id,
            "refunded_amount": evidence.refunded_amount,
        },
    )
