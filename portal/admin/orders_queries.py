"""Finding orders by anything that anybody says, and documents still missing."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from portal.chile import parse_phone, parse_rut
from portal.clock import ZONE, local
from portal.journal.models import JournalEntry
from portal.orders.document_models import OrderDocument
from portal.orders.mask_queries import IS_HIDDEN, SHOWN_NAME
from portal.orders.models import Contact, Order
from portal.orders.states import EVER_PAID
from portal.orders.tax_rules import BOLETA, ELECTRONIC
from portal.payments.models import Payment
from portal.payments.states import APPLIED, medium_name
from portal.settings.queries import load as load_business

SHOWN = 50
_FIRST_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """One order of the list; `medium` is empty while nobody has paid it."""

    order: Order
    name: str
    medium: str
    folio: str


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """From the first instant of `first` to that after `last`, UTC."""
    start = datetime.combine(first, time(), ZONE)
    end = datetime.combine(last + timedelta(days=1), time(), ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is sought; empty means any. `before` is an id, to go on."""

    text: str = ""
    state: str = ""
    service: str = ""
    gateway: str = ""
    day: date | None = None
    before: int | None = None


def search(session: Session, sought: Wanted) -> list[Found]:
    """The newest orders that fit, SHOWN + 1 at most."""
    wanted: list[ColumnElement[bool]] = []
    if sought.text:
        wanted.append(or_(*_readings(sought.text)))
    if sought.state:
        wanted.append(Order.state == sought.state)
    if sought.service:
        wanted.append(Order.service_slug == sought.service)
    if sought.gateway:
        wanted.append(Payment.gateway == sought.gateway)
    if sought.day:
        start, end = day_bounds(sought.day, sought.day)
        wanted.append(
            or_(
                and_(Order.created_at >= start, Order.created_at < end),
                and_(Order.paid_at >= start, Order.paid_at < end),
            )
        )
    if sought.before:
        wanted.append(Order.id < sought.before)
    return _found(session, wanted)


def _found(session: Session, wanted: list[ColumnElement[bool]]) -> list[Found]:
    rows = session.execute(
        select(Order, SHOWN_NAME, Payment, OrderDocument.folio)
        .join(Contact, Contact.id == Order.contact_id)
        .outerjoin(
            Payment,
            and_(Payment.order_id == Order.id, Payment.disposition == APPLIED),
        )
        .outerjoin(OrderDocument, OrderDocument.order_id == Order.id)
        .where(*wanted)
        .order_by(Order.id.desc())
        .limit(SHOWN + 1)
    ).all()
    return [
        Found(
            order,
            name,
            medium_name(payment.gateway, payment.amount) if payment else "",
            folio or "",
        )
        for order, name, payment, folio in rows
    ]


def _readings(text: str) -> Iterator[ColumnElement[bool]]:
    """Everything that the text may be: number, folio, person, problem, payment."""
    yield and_(~IS_HIDDEN, or_(*_personal_readings(text)))
    plain = text.removeprefix("#").strip()
    if plain.isascii() and plain.isdigit() and len(plain) <= 9:
        yield Order.id == int(plain) - _FIRST_NUMBER
        yield OrderDocument.folio == plain.lstrip("0")
    attempt = aliased(Payment)
    yield exists().where(
        attempt.order_id == Order.id,
        or_(attempt.buy_order == text.upper(), attempt.gateway_payment_id == text),
    )


def _personal_readings(text: str) -> Iterator[ColumnElement[bool]]:
    """Who asked not to be used is not found by what the person is."""
    yield Contact.name.icontains(text, autoescape=True)
    yield Contact.email.icontains(text, autoescape=True)
    yield Order.tax_name.icontains(text, autoescape=True)
    yield Order.problem.icontains(text, autoescape=True)
    with suppress(ValueError):
        yield Contact.phone == parse_phone(text)
    with suppress(ValueError):
        rut = parse_rut(text)
        yield or_(Contact.rut == rut, Order.tax_rut == rut)


def without_document(session: Session, first: date, last: date) -> list[Order]:
    """Orders of these days, paid with money, that have no folio; oldest first.

    A boleta lacks none when the voucher of its payment counts as one.
    """
    start, end = day_bounds(first, last)
    return list(
        session.scalars(
            select(Order)
            .where(*_lacks_folio(session, start, end))
            .order_by(Order.paid_at, Order.id)
        )
    )


def _lacks_folio(
    session: Session, start: datetime, end: datetime
) -> tuple[ColumnElement[bool], ...]:
    by_voucher = and_(
        literal(load_business(session).voucher_is_boleta),
        Order.document == BOLETA,
        exists().where(
            Payment.order_id == Order.id,
            Payment.disposition == APPLIED,
            Payment.gateway.in_(ELECTRONIC),
        ),
    )
    return (
        ~by_voucher,
        Order.paid_at >= start,
        Order.paid_at < end,
        Order.state.in_(EVER_PAID),
        Order.price > 0,
        ~exists().where(OrderDocument.order_id == Order.id),
    )


@dataclass(frozen=True, slots=True)
class FoliosMissing:
    """How many folios nobody has noted yet, this month and the month before."""

    before: int
    now: int
    month_before: date


def folios_missing(session: Session, now: datetime) -> FoliosMissing:
    """Both months' counts in one query."""
    first = local(now).date().replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    start, end = day_bounds(before, local(now).date())
    month_start, _ = day_bounds(first, first)
    is_old = Order.paid_at < month_start
    rows = session.execute(
        select(is_old, func.count())
        .where(*_lacks_folio(session, start, end))
        .group_by(is_old)
    )
    counts = {bool(old): count for old, count in rows}
    return FoliosMissing(counts.get(True, 0), counts.get(False, 0), before)


def document_of(session: Session, order_id: int) -> OrderDocument | None:
    """The document noted on an order, or None."""
    return session.get(OrderDocument, order_id)


def was_noted(session: Session, action: str, staff_id: int, since: datetime) -> bool:
    """Whether the search of this member of staff is in the history since (UTC)."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    JournalEntry.object_kind == "staff",
                    JournalEntry.object_id == staff_id,
                    JournalEntry.action == action,
                    JournalEntry.at > since,
                )
            )
        )
    )
