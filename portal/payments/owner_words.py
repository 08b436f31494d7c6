"""What no gateway tells and the owner has seen in its panel, entered with a reason."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import ConflictError, RefusedError
from portal.journal.service import Actor
from portal.orders import queries as order_queries
from portal.orders.models import Order
from portal.payments import queries, refund_rules, rules, states
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment
from portal.payments.moves_service import move_payment
from portal.payments.service import apply_evidence

REFUND = "refund"
CHARGEBACK = "chargeback"
BY_OWNER = "by_owner"
MAX_REASON = 300


def enter(
    payment_id: int,
    kind: str,
    amount: int,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Pesos of a payment that went back at the gateway's own panel, or by chargeback.

    A refund confirms ours, if one is in flight. Raises RefusedError for an amount that
    is not there, no reason, or a refused refund that waits; ConflictError when all
    the money had gone back.
    """
    words = _reason(reason)
    with transaction() as session:
        order, payment = _locked(session, payment_id)
        if payment.state not in refund_rules.GIVABLE:
            raise ConflictError("Este pago ya figura devuelto o desconocido.")
        if not 0 < amount <= payment.left:
            raise RefusedError(
                "El monto debe ser mayor que cero y no pasar de lo que queda."
            )
        if kind == REFUND:
            _refuse_if_rejected_waits(session, payment)
        evidence = _evidence(payment, kind, amount)
        apply_evidence(
            session, order, payment, evidence, (), None, now, actor=actor, reason=words
        )


def _reason(text: str) -> str:
    if not text.strip():
        raise RefusedError("Escriba dónde y cuándo lo vio.")
    return text.strip()[:MAX_REASON]


def _locked(session: Session, payment_id: int) -> tuple[Order, Payment]:
    order_id = queries.get(session, payment_id).order_id
    order = order_queries.get(session, order_id, lock=True)
    payment = queries.get(session, payment_id, lock=True)
    session.refresh(payment)
    return order, payment


def _refuse_if_rejected_waits(session: Session, payment: Payment) -> None:
    """One gift of money, one row: the refused refund itself is marked as paid."""
    refunds = queries.refunds_of_payment(session, payment.id)
    if any(it.state == refund_rules.REJECTED and not it.dropped_at for it in refunds):
        raise RefusedError(
            "Este pago tiene una devolución sin hacer: anótela en ella, con «La pagué»."
        )


def _evidence(payment: Payment, kind: str, amount: int) -> Evidence:
    """The owner's word in the form of a gateway's.

    A chargeback takes the whole sale; what it says of pesos stays as it was.
    """
    given = payment.refunded_amount + (amount if kind == REFUND else 0)
    word = states.CHARGED_BACK
    if kind == REFUND:
        whole = given >= payment.charged
        word = states.REFUNDED if whole else states.PARTLY_REFUNDED
    return Evidence.kept(
        payment.evidence,
        word=word,
        gateway_payment_id=payment.gateway_payment_id,
        refunded_amount=given,
        detail=BY_OWNER,
    )


def may_reject(payment: Payment, now: datetime) -> bool:
    """Whether the owner may say that it was not paid: nobody will ask any more."""
    ended = now > rules.window_end(payment.gateway, payment.created_at)
    return ended and payment.state in (states.UNKNOWN, states.PENDING)


def reject_unknown(
    payment_id: int, *, reason: str, actor: Actor, now: datetime
) -> None:
    """The owner looked for an attempt without an answer, and it was not paid.

    Its order then expires by itself. Raises RefusedError before the gateway's window
    is over or with no reason, ConflictError when somebody has told meanwhile.
    """
    words = _reason(reason)
    with transaction() as session:
        _, payment = _locked(session, payment_id)
        if payment.state not in states.WITHOUT_ANSWER:
            raise ConflictError("Este pago ya tiene respuesta.")
        if not may_reject(payment, now):
            raise RefusedError("Todavía no: el portal le sigue preguntando.")
        move_payment(
            session,
            payment,
            states.REJECTED,
            actor=actor,
            now=now,
            reason=words,
            data={"detail": BY_OWNER},
            detail=BY_OWNER,
            next_check_at=None,
        )
