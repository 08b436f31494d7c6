"""Reading payments."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from portal.errors import NotFoundError
from portal.orders.models import Order
from portal.orders.rules import fingerprint
from portal.orders.states import AWAITING_PAYMENT, EVER_PAID, PAID
from portal.payments import refund_rules, states
from portal.payments.models import Notification, Payment, Refund
from portal.payments.rules import is_webpay_token


def get(session: Session, payment_id: int, *, lock: bool = False) -> Payment:
    """The payment with this id. Raises NotFoundError."""
    statement = select(Payment).where(Payment.id == payment_id)
    payment = session.scalar(statement.with_for_update() if lock else statement)
    if payment is None:
        raise NotFoundError("No encontramos ese pago.")
    return payment


def find_by_webpay_token(session: Session, token: str) -> Payment | None:
    """The attempt that this portal opened with the token; None for any other text."""
    if not is_webpay_token(token):
        return None
    return session.scalar(
        select(Payment).where(Payment.token_hash == fingerprint(token))
    )


def find_by_buy_order(
    session: Session, buy_order: str, session_id: str
) -> Payment | None:
    """The attempt with this buy order, if its secret session id is this one too."""
    payment = session.scalar(select(Payment).where(Payment.buy_order == buy_order))
    known = payment is not None and payment.reference_hash == fingerprint(session_id)
    return payment if known else None


def find_by_reference(session: Session, reference: str) -> Payment | None:
    """The attempt whose secret reference this is (the first row of it)."""
    return session.scalar(
        select(Payment).where(Payment.reference_hash == fingerprint(reference))
    )


def find_by_gateway_id(
    session: Session, gateway: str, gateway_payment_id: str
) -> Payment | None:
    """The payment that the gateway knows by this id."""
    return session.scalar(
        select(Payment).where(
            Payment.gateway == gateway,
            Payment.gateway_payment_id == gateway_payment_id,
        )
    )


def of_order(session: Session, order_id: int) -> list[Payment]:
    """All attempts of an order, oldest first."""
    return list(
        session.scalars(
            select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)
        )
    )


def find_applied(session: Session, order_id: int) -> Payment | None:
    """The payment that pays the order."""
    return session.scalar(
        select(Payment).where(
            Payment.order_id == order_id, Payment.disposition == states.APPLIED
        )
    )


def due(
    session: Session, now: datetime | None, limit: int, gateway: str | None = None
) -> list[int]:
    """Ids of the attempts to ask about; None: all that are still asked about.

    With `gateway`, those of this one alone.
    """
    statement = select(Payment.id).where(Payment.next_check_at.is_not(None))
    if now is not None:
        statement = statement.where(Payment.next_check_at <= now)
    if gateway is not None:
        statement = statement.where(Payment.gateway == gateway)
    return list(session.scalars(statement.order_by(Payment.next_check_at).limit(limit)))


def due_notifications(
    session: Session, now: datetime, limit: int
) -> list[Notification]:
    """Notifications whose payment could not be read yet."""
    return list(
        session.scalars(
            select(Notification)
            .where(Notification.done_at.is_(None), Notification.next_at <= now)
            .order_by(Notification.next_at)
            .limit(limit)
        )
    )


def open_preferences(session: Session, limit: int) -> list[tuple[int, str]]:
    """Ids and preferences of approved payments that a second tab could pay again."""
    rows = session.execute(
        select(Payment.id, Payment.preference_id)
        .where(
            Payment.disposition.is_not(None),
            Payment.preference_id.is_not(None),
            Payment.preference_closed_at.is_(None),
        )
        .limit(limit)
    ).all()
    return [(row.id, str(row.preference_id)) for row in rows]


def unpaid_past(session: Session, now: datetime, limit: int) -> list[int]:
    """Ids of the orders that wait for a payment beyond their life."""
    return list(
        session.scalars(
            select(Order.id)
            .where(Order.state == AWAITING_PAYMENT, Order.expires_at <= now)
            .order_by(Order.expires_at)
            .limit(limit)
        )
    )


def may_still_be_paid(payment: Payment, now: datetime) -> bool:
    """Whether money may yet come of the attempt without another act of the customer.

    A created or unknown attempt whose form nobody was sent to cannot be paid.
    """
    if payment.state in (states.COMMITTING, states.PENDING):
        return True
    if payment.redirected_at is None:
        return False
    if payment.state == states.UNKNOWN:
        return True
    in_form = payment.form_until is not None and now < payment.form_until
    return payment.state == states.REDIRECTED and in_form


def is_being_verified(payments: Iterable[Payment]) -> bool:
    """Whether the customer must wait for a gateway's word and not pay again."""
    return any(
        payment.state in (states.COMMITTING, states.PENDING)
        or (payment.state == states.UNKNOWN and payment.redirected_at is not None)
        for payment in payments
    )


def find_late(session: Session, order_id: int) -> Payment | None:
    """Money that came when the order no longer waited, and that is still here."""
    return session.scalar(
        select(Payment)
        .where(
            Payment.order_id == order_id,
            Payment.disposition == states.LATE,
            Payment.state == states.APPROVED,
        )
        .order_by(Payment.id)
        .limit(1)
    )


def get_refund(session: Session, refund_id: int, *, lock: bool = True) -> Refund:
    """The refund with this id, locked unless told. Raises NotFoundError."""
    statement = select(Refund).where(Refund.id == refund_id)
    refund = session.scalar(statement.with_for_update() if lock else statement)
    if refund is None:
        raise NotFoundError("No encontramos esa devolución.")
    return refund


def find_refund_in_flight(session: Session, payment_id: int) -> Refund | None:
    """The refund of a payment that its gateway has not answered yet."""
    return session.scalar(
        select(Refund).where(
            Refund.payment_id == payment_id, Refund.state.in_(refund_rules.IN_FLIGHT)
        )
    )


def find_rejected_refund(session: Session, order_id: int) -> Refund | None:
    """The newest refund of a paid order that was refused and that nobody mended.

    None once the money went back another way, or while another refund takes it.
    """
    other = aliased(Refund)
    in_flight = select(other.id).where(
        other.payment_id == Refund.payment_id, other.state.in_(refund_rules.IN_FLIGHT)
    )
    return session.scalar(
        select(Refund)
        .join(Order, Order.id == Refund.order_id)
        .where(
            Refund.order_id == order_id,
            Refund.state == refund_rules.REJECTED,
            Refund.dropped_at.is_(None),
            Order.state == PAID,
            ~in_flight.exists(),
        )
        .order_by(Refund.id.desc())
        .limit(1)
    )


def refunds_of_order(session: Session, order_id: int) -> list[Refund]:
    """All refunds of an order, oldest first."""
    statement = select(Refund).where(Refund.order_id == order_id)
    return list(session.scalars(statement.order_by(Refund.id)))


def refunds_of_payment(session: Session, payment_id: int) -> list[Refund]:
    """All refunds of a payment, oldest first."""
    statement = select(Refund).where(Refund.payment_id == payment_id)
    return list(session.scalars(statement.order_by(Refund.id)))


def paid_by_hand(session: Session, payment_id: int) -> int:
    """Pesos of a payment that the owner gave back without its gateway."""
    statement = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_id == payment_id, Refund.state == refund_rules.PAID_BY_HAND
    )
    return int(session.scalar(statement) or 0)


def has_living_further(session: Session, order_id: int) -> bool:
    """Whether money is here that Mercado Pago knows under another row's reference."""
    statement = select(Payment.id).where(
        Payment.order_id == order_id,
        Payment.gateway == states.MERCADOPAGO,
        Payment.preference_id.is_(None),
        Payment.state.in_(refund_rules.GIVABLE),
    )
    return session.scalar(statement.limit(1)) is not None


def find_refund_just_asked(
    session: Session, payment_id: int, amount: int, reason: str, since: datetime
) -> Refund | None:
    """The owner's same request since that instant (UTC): a second tap."""
    return session.scalar(
        select(Refund)
        .where(
            Refund.payment_id == payment_id,
            Refund.source == "owner",
            Refund.amount == amount,
            Refund.reason == reason,
            Refund.requested_at >= since,
        )
        .limit(1)
    )


def count_refunds(session: Session, payment_id: int) -> int:
    """How many refunds of a payment were ever asked for."""
    statement = select(func.count()).where(Refund.payment_id == payment_id)
    return int(session.scalar(statement) or 0)


def due_refunds(
    session: Session, now: datetime, limit: int, gateway: str | None = None
) -> list[Refund]:
    """Refunds to be sent, or to be asked about; with `gateway`, at this one alone."""
    statement = select(Refund).where(
        Refund.state.in_(refund_rules.IN_FLIGHT), Refund.next_try_at <= now
    )
    if gateway is not None:
        of_gateway = select(Payment.id).where(Payment.gateway == gateway)
        statement = statement.where(Refund.payment_id.in_(of_gateway))
    return list(session.scalars(statement.order_by(Refund.next_try_at).limit(limit)))


def pending_of_paid_orders(session: Session, limit: int) -> list[tuple[int, str]]:
    """Ids, ours and the gateway's, of payments that would come on top of another."""
    rows = session.execute(
        select(Payment.id, Payment.gateway_payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(
            Payment.state == states.PENDING,
            Payment.gateway_payment_id.is_not(None),
            Order.state.in_(sorted(EVER_PAID)),
        )
        .limit(limit)
    ).all()
    return [(row.id, str(row.gateway_payment_id)) for row in rows]
