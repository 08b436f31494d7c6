"""Reading what the owner decides about, and how the day goes. Four queries in all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Session

from portal.admin import rules
from portal.admin.money_rules import REASONS, Giving
from portal.admin.order_queries import can_ask, giving_of, number_at_gateway
from portal.config import Settings
from portal.orders.models import Order
from portal.orders.states import EXPIRED
from portal.payments import states
from portal.payments.models import Payment, Refund
from portal.payments.owner_words import may_reject
from portal.payments.refund_rules import IN_FLIGHT
from portal.payments.rules import MERCADOPAGO_WINDOW
from portal.support.models import Attention
from portal.support.states import HELD, WAITING
from portal.support.version_queries import day_start

SHOWN = 100


class Pulse(Protocol):
    """How worker, outbox and backups are: ages in seconds, None without any."""

    @property
    def status(self) -> str: ...
    @property
    def worker_age(self) -> int | None: ...
    @property
    def outbox_age(self) -> int | None: ...
    @property
    def backup_age(self) -> int | None: ...
    @property
    def worker_stopped(self) -> bool: ...
    @property
    def outbox_stuck(self) -> bool: ...
    @property
    def backups_stopped(self) -> bool: ...


TakePulse = Callable[[Session, Settings, datetime], Pulse]
# Requests over personal data that must be answered by tomorrow.
CountRequests = Callable[[Session, datetime], int]


@dataclass(frozen=True, slots=True)
class Money:
    """One payment that waits for the owner. Amounts in pesos.

    `said_amount` is what the gateway says it charged, when that differs; `refunding`
    that the portal itself is giving it back.
    """

    payment_id: int
    number: str
    gateway: str
    amount: int
    refunded: int
    said_amount: int | None
    at: datetime
    can_ask: bool
    refunding: bool
    giving: Giving | None
    reason: str
    may_honour: bool
    may_reject: bool
    meaning: rules.Meaning
    panel: rules.Panel | None
    gateway_number: str


@dataclass(frozen=True, slots=True)
class Today:
    """Santiago's day so far. Pesos; `waiting_since` is the oldest who waits."""

    orders: int
    income: int
    refunded: int
    waiting: int
    waiting_since: datetime | None
    running: int


def money_waiting(session: Session, now: datetime) -> list[Money]:
    """Money out of place and attempts without an answer, oldest first, SHOWN + 1."""
    # In the words of its index: all that ever were, but what was given back.
    misplaced = Payment.disposition != literal_column(f"'{states.APPLIED}'")
    out_of_place = [
        and_(misplaced, Payment.state == state) for state in rules.NOT_GIVEN_BACK
    ]
    # Of an attempt whose form nobody was sent to no money can have come.
    silent = and_(
        Payment.state.in_(rules.UNRESOLVED_STATES),
        Payment.created_at <= now - rules.UNRESOLVED_AFTER,
    )
    # A pending payment is in nobody's hands until its gateway is asked no more.
    left_over = and_(
        Payment.state == states.PENDING,
        Payment.created_at < now - MERCADOPAGO_WINDOW,
    )
    unresolved = and_(Payment.redirected_at.is_not(None), or_(silent, left_over))
    refunding = exists().where(
        Refund.payment_id == Payment.id, Refund.state.in_(IN_FLIGHT)
    )
    # The oldest of each kind, before anything else of them is read.
    oldest = union(*(_oldest(wanted) for wanted in (*out_of_place, unresolved)))
    rows = session.execute(
        select(Payment, Order, refunding)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id.in_(oldest))
        .order_by(Payment.created_at, Payment.id)
        .limit(SHOWN + 1)
    ).all()
    return [_money(row, now) for row in rows]


def _oldest(wanted: ColumnElement[bool]) -> Select[int]:
    """SHOWN + 1 ids at most; within another select, as SQLite asks of a limit."""
    found = select(Payment.id).where(wanted).order_by(Payment.created_at, Payment.id)
    return select(found.limit(SHOWN + 1).subquery().c.id)


def _money(row: Row[Payment, Order, bool], now: datetime) -> Money:
    payment, order, refunding = row
    late = payment.disposition == states.LATE and payment.state == states.APPROVED
    return Money(
        payment_id=payment.id,
        number=order.number,
        gateway=states.medium_name(payment.gateway, payment.amount),
        amount=payment.amount,
        refunded=payment.refunded_amount,
        said_amount=_other_amount(payment),
        at=payment.approved_at or payment.created_at,
        can_ask=can_ask(payment, now),
        refunding=refunding,
        giving=giving_of(payment, now),
        reason=REASONS.get(payment.disposition or "", ""),
        may_honour=late and order.state == EXPIRED and not refunding,
        may_reject=may_reject(payment, now),
        meaning=rules.MEANINGS[rules.kind_of(payment.disposition)],
        panel=rules.PANELS.get(payment.gateway),
        gateway_number=number_at_gateway(payment),
    )


def _other_amount(payment: Payment) -> int | None:
    evidence: dict[str, Any] = payment.evidence or {}
    said = evidence.get("amount")
    return said if isinstance(said, int) and said != payment.amount else None


def today(session: Session, now: datetime) -> Today:
    """Orders paid since midnight, and the desk as it stands: two queries."""
    orders, income, refunded = session.execute(
        select(
            func.count(Order.id),
            func.coalesce(func.sum(Payment.amount), 0),
            func.coalesce(func.sum(Payment.refunded_amount), 0),
        )
        .join(Payment, Payment.order_id == Order.id)
        .where(
            Payment.disposition == states.APPLIED,
            Order.paid_at >= day_start(now),
            Order.paid_at <= now,
        )
    ).one()
    desk = session.execute(
        select(Attention.state, func.count(), func.min(Attention.queued_at))
        .where(Attention.state.in_({WAITING, *HELD}))
        .group_by(Attention.state)
    ).all()
    waiting = {state: (count, since) for state, count, since in desk}.get(WAITING)
    return Today(
        orders=orders,
        income=int(income),
        refunded=int(refunded),
        waiting=waiting[0] if waiting else 0,
        waiting_since=waiting[1] if waiting else None,
        running=sum(count for state, count, _ in desk if state != WAITING),
    )


def title_of(session: Session, payment_id: int) -> tuple[str, str]:
    """Gateway and order number of a payment that is known to exist."""
    payment, order = session.execute(
        select(Payment, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id == payment_id)
    ).one()
    return payment.gateway, order.number
