"""Reading one order for the owner: its story, its payments, its refunds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.admin import money_rules, rules, story_rules
from portal.journal import queries as journal
from portal.journal.models import JournalEntry
from portal.orders import queries as order_queries
from portal.orders.models import Contact, Order
from portal.orders.note_models import OrderNote
from portal.orders.states import EXPIRED
from portal.payments import owner_words, refund_rules, states
from portal.payments import queries as payment_queries
from portal.payments.models import Payment, Refund
from portal.payments.refund_requests import problem_of
from portal.payments.rules import window_end
from portal.payments.service import AFTER_APPROVAL
from portal.terms.duties_rules import REFUND_DAYS

FIRST_NUMBER = 1001


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the story: who, when, what, from, to, why. Pesos."""

    at: datetime
    who: str
    what: str
    before: str
    after: str
    why: str
    amount: int | None


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment and what the owner may do about it."""

    payment: Payment
    gateway: str
    state: str
    disposition: str
    number: str
    number_label: str
    can_ask: bool
    giving: money_rules.Giving | None
    told: list[str]
    refunding: bool
    may_honour: bool
    may_reject: bool


@dataclass(frozen=True, slots=True)
class GoingBack:
    """One refund; `waits` for the owner, or `in_flight`; the law's term is `due_by`."""

    refund: Refund
    number: str
    gateway: str
    state: str
    source: str
    why: str
    waits: bool
    in_flight: bool
    due_by: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """One internal line of the owner's."""

    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All of one order."""

    order: Order
    contact: Contact
    state: str
    story: list[Told]
    payments: list[Paid]
    refunds: list[GoingBack]
    notes: list[Note]


def find(session: Session, number: int) -> Order:
    """The order with the number that people say. Raises NotFoundError."""
    return order_queries.get(session, number - FIRST_NUMBER + 1)


def load(session: Session, order_id: int, now: datetime) -> OrderPage:
    """The order as it stands. Raises NotFoundError."""
    order = order_queries.get(session, order_id)
    refunds = payment_queries.refunds_of_order(session, order_id)
    payments = payment_queries.of_order(session, order_id)
    by_id = {payment.id: payment for payment in payments}
    contact = order_queries.get_contact(session, order)
    return OrderPage(
        order=order,
        contact=contact,
        state=story_rules.ORDER_WORDS[order.state],
        story=_story(session, order_id),
        payments=[paid(order, it, refunds, now) for it in payments],
        refunds=[going_back(order, by_id[it.payment_id], it) for it in refunds],
        notes=[] if contact.is_hidden else _notes(session, order_id),
    )


def _notes(session: Session, order_id: int) -> list[Note]:
    rows = session.execute(
        select(OrderNote, Staff.name)
        .join(Staff, Staff.id == OrderNote.author_id)
        .where(OrderNote.order_id == order_id)
        .order_by(OrderNote.id)
    )
    return [Note(note.at, name, note.text) for note, name in rows]


def _story(session: Session, order_id: int) -> list[Told]:
    lines = journal.story_of_order(session, order_id)
    ids = {line.actor_id for line in lines if line.actor_kind == "staff"}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    return [_line(line, names) for line in lines]


def _line(line: JournalEntry, names: dict[int, str]) -> Told:
    who = story_rules.WHO.get(line.actor_kind, "Mesa de Ayuda")
    if line.actor_kind == "staff" and line.actor_id is not None:
        who = names.get(line.actor_id, "Mesa de Ayuda")
    moved = line.from_state != line.to_state
    amount = line.data.get("refunded_amount") or line.data.get("amount")
    return Told(
        at=line.at,
        who=who,
        what=story_rules.what_happened(line.action, line.object_kind),
        before=story_rules.state_words(line.object_kind, line.from_state),
        after=story_rules.state_words(line.object_kind, line.to_state) if moved else "",
        why=line.reason or "",
        amount=amount if isinstance(amount, int) and amount > 0 else None,
    )


def paid(order: Order, payment: Payment, refunds: list[Refund], now: datetime) -> Paid:
    """One payment with what the rules let the owner do now."""
    refunding = any(
        it.payment_id == payment.id and it.state in refund_rules.IN_FLIGHT
        for it in refunds
    )
    giving = giving_of(payment, now)
    late = payment.disposition == states.LATE and payment.state == states.APPROVED
    panel = rules.PANELS.get(payment.gateway)
    return Paid(
        payment=payment,
        gateway=states.medium_name(payment.gateway, payment.amount),
        state=story_rules.PAYMENT_WORDS[payment.state],
        disposition=story_rules.DISPOSITION_WORDS.get(payment.disposition or "", ""),
        number=number_at_gateway(payment),
        number_label=panel.number if panel else "Número",
        can_ask=can_ask(payment, now),
        giving=giving,
        told=_told(payment, giving, now),
        refunding=refunding,
        may_honour=late and order.state == EXPIRED and not refunding,
        may_reject=owner_words.may_reject(payment, now),
    )


def giving_of(payment: Payment, now: datetime) -> money_rules.Giving | None:
    """What may be given back; None when no money of it is here."""
    if payment.state not in refund_rules.GIVABLE:
        return None
    return money_rules.Giving(
        left=payment.left,
        whole=problem_of(payment, payment.left, now),
        part=problem_of(payment, 1, now),
    )


def _told(
    payment: Payment, giving: money_rules.Giving | None, now: datetime
) -> list[str]:
    if giving is None:
        return []
    return money_rules.told(giving, payment.gateway, payment.approved_at, now)


def can_ask(payment: Payment, now: datetime) -> bool:
    """Whether its gateway still answers about it."""
    if payment.gateway not in AFTER_APPROVAL or payment.redirected_at is None:
        return False
    if payment.state in states.SETTLED:
        return now <= payment.created_at + AFTER_APPROVAL[payment.gateway]
    return now <= window_end(payment.gateway, payment.created_at)


def number_at_gateway(payment: Payment) -> str:
    """The number that finds it in the gateway's panel."""
    if payment.gateway == states.WEBPAY:
        return payment.buy_order
    return payment.gateway_payment_id or payment.buy_order


def going_back(order: Order, payment: Payment, refund: Refund) -> GoingBack:
    """One refund with what the owner must know of it."""
    rejected = refund.state == refund_rules.REJECTED
    here = payment.state in refund_rules.GIVABLE and refund.amount <= payment.left
    return GoingBack(
        refund=refund,
        number=order.number,
        gateway=states.medium_name(payment.gateway, payment.amount),
        state=story_rules.REFUND_WORDS[refund.state],
        due_by=refund.requested_at + timedelta(days=REFUND_DAYS),
        source=story_rules.SOURCE_WORDS[refund.source],
        why=refund_rules.rejection_words(refund.detail) if rejected else "",
        waits=rejected and refund.dropped_at is None and here,
        in_flight=refund.state in refund_rules.IN_FLIGHT,
    )


def refunds_waiting(session: Session, limit: int) -> list[GoingBack]:
    """Refunds that were rejected or are not confirmed yet, oldest first."""
    rows = session.execute(
        select(Refund, Payment, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Refund.order_id)
        .where(
            Refund.state.in_((*refund_rules.IN_FLIGHT, refund_rules.REJECTED)),
            Refund.dropped_at.is_(None),
            Payment.state.in_(refund_rules.GIVABLE),
        )
        .order_by(Refund.requested_at, Refund.id)
        .limit(limit)
    ).all()
    found = [going_back(order, payment, refund) for refund, payment, order in rows]
    return [each for each in found if each.waits or each.in_flight]
