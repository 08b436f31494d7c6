"""Reading notices, requests, and the orders of one person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, defer

from portal.accounts.models import Staff
from portal.clock import local
from portal.errors import NotFoundError
from portal.journal.models import IS_VIEW, JournalEntry
from portal.orders import queries as order_queries
from portal.orders.models import Contact, Order
from portal.orders.rules import fingerprint, is_token
from portal.orders.states import AWAITING_PAYMENT, CANCELLED, EXPIRED
from portal.payments import states as pay
from portal.payments.models import Payment, Refund
from portal.payments.refund_rules import GIVABLE, IN_FLIGHT
from portal.privacy import rules
from portal.privacy.models import DataBreach, NoticeVersion, PrivacyRequest
from portal.privacy.states import OPEN, OVER
from portal.support.erase_queries import unfinished_work

SHOWN = 200
# Acts of the staff that open a customer's data.
VIEWS = {
    "order.seen": "Abrió el pedido",
    "customer.history_read": "Leyó el historial del cliente",
    "orders.searched": "Buscó entre los pedidos",
    "person.seen": "Abrió los datos de la persona",
}


def current_notice(session: Session) -> NoticeVersion | None:
    """The notice in force, or None before the first."""
    newest = select(NoticeVersion).order_by(NoticeVersion.number.desc())
    return session.scalar(newest.limit(1))


def find_notice(session: Session, number: int) -> NoticeVersion:
    """One published notice. Raises NotFoundError."""
    found = session.scalar(select(NoticeVersion).where(NoticeVersion.number == number))
    if found is None:
        raise NotFoundError("Esa versión de la política no existe.")
    return found


def list_notices(session: Session) -> list[NoticeVersion]:
    """Every published notice, newest first, without its text."""
    query = select(NoticeVersion).order_by(NoticeVersion.number.desc())
    return list(session.scalars(query.options(defer(NoticeVersion.body))))


# Breaches ----------------------------------------------------------------


def list_breaches(session: Session) -> list[DataBreach]:
    """Every breach of the register, newest first."""
    newest = select(DataBreach).order_by(
        DataBreach.noticed_on.desc(), DataBreach.id.desc()
    )
    return list(session.scalars(newest))


def get_breach(session: Session, breach_id: int) -> DataBreach:
    """One breach. Raises NotFoundError."""
    found = session.get(DataBreach, breach_id)
    if found is None:
        raise NotFoundError("No encontramos esa brecha.")
    return found


# Requests ----------------------------------------------------------------


def find_by_token(session: Session, token: str) -> PrivacyRequest:
    """The request behind a mailed link. Raises NotFoundError, the same for any miss."""
    if is_token(token):
        by_hash = PrivacyRequest.token_hash == fingerprint(token)
        found = session.scalar(select(PrivacyRequest).where(by_hash))
        if found is not None:
            return found
    raise NotFoundError("Ese enlace no es de ninguna solicitud, o ya se borró.")


def get(session: Session, request_id: int, *, lock: bool = False) -> PrivacyRequest:
    """One request, its row locked for the transaction when asked."""
    query = select(PrivacyRequest).where(PrivacyRequest.id == request_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFoundError("No encontramos esa solicitud.")
    return found


def open_requests(session: Session) -> list[PrivacyRequest]:
    """Those that wait for their answer, by their last day."""
    query = select(PrivacyRequest).where(PrivacyRequest.state == OPEN)
    order = (PrivacyRequest.due_on, PrivacyRequest.id)
    return list(session.scalars(query.order_by(*order)))


def count_due(session: Session, now: datetime) -> int:
    """How many must be answered by tomorrow, or had to be before."""
    count = select(func.count()).where(
        PrivacyRequest.state == OPEN,
        PrivacyRequest.due_on <= local(now).date() + timedelta(days=1),
    )
    return int(session.scalar(count) or 0)


def answered_requests(session: Session) -> list[PrivacyRequest]:
    """The newest that were answered or refused."""
    query = select(PrivacyRequest).where(PrivacyRequest.state.in_(tuple(OVER)))
    newest = query.order_by(PrivacyRequest.answered_at.desc()).limit(SHOWN)
    return list(session.scalars(newest))


def count_links(session: Session, email: str, since: datetime) -> int:
    """How many links this address has been sent since an instant (UTC)."""
    count = select(func.count()).where(
        func.lower(PrivacyRequest.email) == email.lower(),
        PrivacyRequest.created_at > since,
    )
    return int(session.scalar(count) or 0)


# Persons -----------------------------------------------------------------


def orders_of(session: Session, email: str) -> list[tuple[Order, Contact]]:
    """The orders whose person has this mail address, newest first."""
    if not email:
        return []
    rows = session.execute(
        select(Order, Contact)
        .join(Contact, Contact.id == Order.contact_id)
        .where(func.lower(Contact.email) == email.lower())
        .order_by(Order.id.desc())
    )
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class Held:
    """One order of a person: what is against forgetting it, what stays, how long.

    `against` is empty when nothing does.
    """

    order: Order
    contact: Contact
    against: str
    keeps_tax: bool
    until: date


def held_orders(session: Session, order: Order, now: datetime) -> list[Held]:
    """The orders of the person of this order, this one included."""
    contact = order_queries.get_contact(session, order)
    found = orders_of(session, contact.email) or [(order, contact)]
    tried = _tried(session, contact.email)
    return [held(session, *each, now, tried) for each in found]


def _tried(session: Session, email: str) -> set[int]:
    """The orders of this address that anybody ever tried to pay, in one question."""
    return set(
        session.scalars(
            select(Payment.order_id)
            .join(Order, Order.id == Payment.order_id)
            .join(Contact, Contact.id == Order.contact_id)
            .where(func.lower(Contact.email) == email.lower())
        )
    )


def held(
    session: Session, order: Order, contact: Contact, now: datetime, tried: set[int]
) -> Held:
    """One order, as the owner must see it before forgetting it.

    One that nobody tried to pay (`tried`) has neither money nor work to be asked for.
    """
    since = local(order.paid_at or order.created_at).date()
    idle = order.state in (EXPIRED, CANCELLED) and order.id not in tried
    return Held(
        order=order,
        contact=contact,
        against="" if idle else _against(session, order, now),
        keeps_tax=order.tax_rut is not None and order.paid_at is not None,
        until=rules.years_after(since, rules.KEEP_YEARS),
    )


def _against(session: Session, order: Order, now: datetime) -> str:
    if order.state == AWAITING_PAYMENT:
        return "Todavía se puede pagar: espere a que venza."
    work = unfinished_work(session, order.id, now)
    if work:
        return work
    refunds = select(Refund.id).where(
        Refund.order_id == order.id, Refund.state.in_(tuple(IN_FLIGHT))
    )
    if session.scalar(refunds.limit(1)) is not None:
        return "Tiene una devolución en camino."
    payments = session.scalars(select(Payment).where(Payment.order_id == order.id))
    return "Tiene un pago por resolver." if _unresolved(payments) else ""


def _unresolved(payments: Iterable[Payment]) -> bool:
    for payment in payments:
        misplaced = payment.disposition not in (None, pay.APPLIED)
        if payment.state in pay.IN_FLIGHT:
            return True
        if misplaced and payment.state in GIVABLE:
            return True
    return False


# Who looked --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """One time that somebody of the staff opened a customer's data."""

    at: datetime
    who: str
    what: str
    number: str


def views(session: Session, order_id: int | None = None) -> list[View]:
    """The newest ones, of one order or of all."""
    line = JournalEntry
    query = (
        select(line.at, Staff.name, line.action, line.order_id)
        .join(Staff, Staff.id == line.actor_id)
        .where(text(IS_VIEW))
    )
    if order_id is not None:
        query = query.where(line.order_id == order_id)
    newest = query.order_by(line.at.desc(), line.id.desc()).limit(SHOWN)
    rows = session.execute(newest)
    return [
        View(at, who, VIEWS[action], str(1000 + order) if order else "")
        for at, who, action, order in rows
    ]
