"""Finding orders by anything that anybody says, and documents still missing."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Session

from portal.chile import parse_phone, parse_rut
from portal.clock import ZONE, local
from portal.journal.models import JournalEntry
from portal.orders.document_models import OrderDocument
from portal.orders.mask_queries import IS_HIDDEN, SHOWN_NAME
from portal.orders.models import Contact, Order
from portal.orders.tax_rules import BOLETA, ELECTRONIC
from portal.payments.models import Payment
from portal.payments.states import APPLIED, GATEWAYS, medium_name
from portal.settings.queries import load as load_business

SHOWN = 50
# Documents of one page: who notes them finds the next ones after these.
DOCUMENTS_SHOWN = 200
# Orders that one search reads for a word: further back it goes on when it is asked to.
READ = 10_000
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


@dataclass(frozen=True, slots=True)
class Page:
    """The orders that fit, newest first, SHOWN at most.

    `before`: the id to go on from; None when there are no more. `read_to`: how far back
    it was read, when the page ends there and not with the SHOWN-th; else None.
    """

    found: list[Found]
    before: int | None
    read_to: int | None


def search(session: Session, sought: Wanted) -> Page:
    """A page of what is sought.

    A number, mail, phone, RUT, folio or payment is found in all of history, by indexes.
    Words, services and media are read in the newest READ orders, then in those before.
    """
    newest = sought.before or (session.scalar(select(func.max(Order.id))) or 0) + 1
    wanted = [*_filters(sought), Order.id < newest]
    scans = bool(sought.text or sought.service or sought.gateway) and not sought.day
    floor = max(0, newest - 1 - READ) if scans else 0
    loose = [*wanted, Order.id > floor]
    if sought.text:
        loose.append(or_(*_words(sought.text)))
    found = {it.order.id: it for it in _found(session, loose)}
    if sought.text:
        named = [*wanted, Order.id.in_(_named(sought.text))]
        found |= {it.order.id: it for it in _found(session, named)}
    listed = [found[number] for number in sorted(found, reverse=True)]
    if len(listed) > SHOWN:
        return Page(listed[:SHOWN], listed[SHOWN - 1].order.id, None)
    # What remains are older orders with these words; those named are told again there.
    return Page(listed, floor + 1 if floor else None, floor + 1 if floor else None)


def _filters(sought: Wanted) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if sought.state:
        wanted.append(Order.state == sought.state)
    if sought.service:
        wanted.append(Order.service_slug == sought.service)
    if sought.gateway:
        # An expression, so that SQLite does not begin with all payments of a gateway.
        wanted.append(func.coalesce(Payment.gateway, "") == sought.gateway)
    if sought.day:
        start, end = day_bounds(sought.day, sought.day)
        instants = (Order.created_at, Order.paid_at)
        of_day = (select(Order.id).where(it >= start, it < end) for it in instants)
        wanted.append(Order.id.in_(union(*of_day)))
    return wanted


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


def _named(text: str) -> CompoundSelect[int]:
    """Ids of the orders that the whole text names, each by an index."""
    ways = [
        *(_of_person(it) for it in _personal_names(text)),
        select(Payment.order_id).where(Payment.buy_order == text.upper()),
        select(Payment.order_id).where(
            Payment.gateway.in_(GATEWAYS), Payment.gateway_payment_id == text
        ),
    ]
    plain = text.removeprefix("#").strip()
    if plain.isascii() and plain.isdigit() and len(plain) <= 9:
        document = OrderDocument
        ways += [
            select(Order.id).where(Order.id == int(plain) - _FIRST_NUMBER),
            select(document.order_id).where(
                document.kind.in_((BOLETA, "factura")),
                document.folio == plain.lstrip("0"),
            ),
        ]
    return union(*ways)


def _of_person(is_named: ColumnElement[bool]) -> Select[int]:
    """Who asked not to be used is not found by what the person is."""
    joined = select(Order.id).join(Contact, Contact.id == Order.contact_id)
    return joined.where(is_named, ~IS_HIDDEN)


def _personal_names(text: str) -> Iterator[ColumnElement[bool]]:
    yield func.lower(Contact.email) == text.lower()
    with suppress(ValueError):
        yield Contact.phone == parse_phone(text)
    with suppress(ValueError):
        rut = parse_rut(text)
        yield Contact.rut == rut
        yield Order.tax_rut == rut


def _words(text: str) -> Iterator[ColumnElement[bool]]:
    """Part of what the person is or wrote; nothing of whom is hidden."""
    for column in (Contact.name, Contact.email, Order.tax_name, Order.problem):
        yield and_(~IS_HIDDEN, column.icontains(text, autoescape=True))


def without_document(
    session: Session, first: date, last: date
) -> tuple[list[Order], int]:
    """Orders of these days, paid with money, that have no folio, and how many they are.

    The oldest DOCUMENTS_SHOWN of them. A boleta lacks none when the voucher of its
    payment counts as one.
    """
    lacks = _lacks_folio(session, *day_bounds(first, last))
    oldest = select(Order).where(*lacks).order_by(Order.paid_at, Order.id)
    found = list(session.scalars(oldest.limit(DOCUMENTS_SHOWN)))
    if len(found) < DOCUMENTS_SHOWN:
        return found, len(found)
    count = select(func.count()).select_from(Order).where(*lacks)
    return found, session.scalar(count) or 0


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
