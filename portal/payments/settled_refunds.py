"""What the pesos given back, as the gateway tells them, say of our refunds.

Part of `service.settle`: everything here runs inside its transaction.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.journal.service import GATEWAY, Actor, record
from portal.mail.service import enqueue
from portal.payments import queries, refund_rules, states
from portal.payments.models import Payment, Refund
from portal.payments.moves_service import move_refund


def confirm_refunds(
    session: Session,
    payment: Payment,
    now: datetime,
    actor: Actor = GATEWAY,
    reason: str | None = None,
) -> None:
    """Confirm the refunds that the pesos given back account for, oldest first.

    What no refund of ours asked for was given back at the gateway's own panel: the
    gateway says so, or the owner with a reason.
    """
    refunds = [
        refund
        for refund in queries.refunds_of_payment(session, payment.id)
        if refund.state != refund_rules.REJECTED
    ]
    amounts = [refund.amount for refund in refunds]
    done = refund_rules.covered(amounts, payment.refunded_amount)
    for refund in refunds[:done]:
        _confirm(session, refund, now, actor)
    rest = payment.refunded_amount - sum(amounts)
    if rest > 0 and payment.state != states.CHARGED_BACK:
        _add_panel_refund(session, payment, rest, now, actor, reason)


def _confirm(session: Session, refund: Refund, now: datetime, actor: Actor) -> None:
    road = {
        refund_rules.REQUESTED: (refund_rules.SENT, refund_rules.CONFIRMED),
        refund_rules.SENT: (refund_rules.CONFIRMED,),
    }.get(refund.state, ())
    for state in road:
        move_refund(
            session,
            refund,
            state,
            actor=actor,
            now=now,
            answered_at=now,
            next_try_at=None,
        )
    if road:
        _tell_refunded(session, refund, now)


def _tell_refunded(session: Session, refund: Refund, now: datetime) -> None:
    enqueue(
        session,
        kind="refund.confirmed",
        order_id=refund.order_id,
        key=str(refund.id),
        now=now,
    )


def _add_panel_refund(
    session: Session,
    payment: Payment,
    amount: int,
    now: datetime,
    actor: Actor,
    reason: str | None,
) -> None:
    source = "gateway" if actor == GATEWAY else "owner"
    number = queries.count_refunds(session, payment.id) + 1
    refund = Refund(
        payment_id=payment.id,
        order_id=payment.order_id,
        state=refund_rules.CONFIRMED,
        source=source,
        amount=amount,
        reason=reason or "",
        idempotency_key=f"panel-{payment.buy_order}-{number}",
        requested_at=now,
        answered_at=now,
    )
    session.add(refund)
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="refund.confirmed",
        object_kind="refund",
        object_id=refund.id,
        order_id=refund.order_id,
        to_state=refund_rules.CONFIRMED,
        reason=reason,
        data={"amount": amount, "payment": payment.id, "source": source},
    )
    _tell_refunded(session, refund, now)
