"""What has been kept long enough: ids by kind, a batch at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import StaffSession
from portal.clock import ZONE, local
from portal.orders.models import Contact, Order
from portal.orders.note_models import OrderNote
from portal.orders.states import CANCELLED, EVER_PAID, EXPIRED
from portal.payments import states as pay
from portal.payments.models import Notification, Payment
from portal.privacy import rules
from portal.privacy.models import PrivacyRequest
from portal.privacy.states import OVER, UNVERIFIED
from portal.support.erase_queries import with_old_words
from portal.support.models import Draft

BATCH = 200


def years_ago(now: datetime, years: int) -> datetime:
    """The first instant (UTC) of Santiago's same day some years earlier."""
    day = rules.years_before(local(now).date(), years)
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def months_ago(now: datetime, months: int) -> datetime:
    """Twelve months are a year of the calendar; other counts are of 31 days."""
    years, rest = divmod(months, 12)
    return years_ago(now, years) - timedelta(days=31 * rest)


def unpaid(session: Session, now: datetime, limit: int) -> list[int]:
    """Orders that nobody paid, whose person is still there; no money hangs on them."""
    may_be_money = exists().where(
        Payment.order_id == Order.id,
        or_(
            Payment.disposition.is_not(None),
            Payment.state.in_(tuple(pay.IN_FLIGHT)),
        ),
    )
    return _orders(
        session,
        limit,
        Order.state.in_((EXPIRED, CANCELLED)),
        Order.created_at < now - timedelta(days=rules.UNPAID_DAYS),
        Contact.pseudonymised_at.is_(None),
        ~may_be_money,
    )


def past_tax(session: Session, now: datetime, limit: int) -> list[int]:
    """Orders beyond the years of the tax law, with a person or tax data on them."""
    return _orders(
        session,
        limit,
        Order.state.in_((*EVER_PAID, EXPIRED, CANCELLED)),
        func.coalesce(Order.paid_at, Order.created_at, type_=Order.created_at.type)
        < years_ago(now, rules.KEEP_YEARS),
        or_(Contact.pseudonymised_at.is_(None), Order.tax_rut.is_not(None)),
    )


def _orders(session: Session, limit: int, *where: ColumnElement[bool]) -> list[int]:
    query = (
        select(Order.id)
        .join(Contact, Contact.id == Order.contact_id)
        .where(*where)
        .order_by(Order.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def old_words(session: Session, now: datetime, limit: int) -> list[int]:
    """Orders whose texts have had their months."""
    return with_old_words(session, months_ago(now, rules.WORDS_MONTHS), limit)


def notes(session: Session, now: datetime, limit: int) -> list[int]:
    """The owner's own notes on orders that have had their months."""
    before = months_ago(now, rules.WORDS_MONTHS)
    query = select(OrderNote.id).where(OrderNote.at < before)
    return list(session.scalars(query.order_by(OrderNote.id).limit(limit)))


def notifications(session: Session, now: datetime, limit: int) -> list[int]:
    """Notifications of gateways that were dealt with long ago."""
    before = months_ago(now, rules.NOTICE_MONTHS)
    query = select(Notification.id).where(
        Notification.done_at.is_not(None), Notification.received_at < before
    )
    return list(session.scalars(query.order_by(Notification.id).limit(limit)))


def dead_sessions(session: Session, now: datetime, limit: int) -> list[int]:
    """Log-ins that have run out."""
    query = select(StaffSession.id).where(StaffSession.expires_at < now)
    return list(session.scalars(query.order_by(StaffSession.id).limit(limit)))


def drafts(session: Session, now: datetime, limit: int) -> list[int]:
    """Attentions with a draft that nobody took up again."""
    before = now - timedelta(days=rules.DRAFT_DAYS)
    query = select(Draft.attention_id).where(Draft.at < before).distinct()
    return list(session.scalars(query.limit(limit)))


def unconfirmed(session: Session, now: datetime, limit: int) -> list[int]:
    """Requests whose address nobody proved."""
    query = select(PrivacyRequest.id).where(
        PrivacyRequest.state == UNVERIFIED, PrivacyRequest.confirm_until <= now
    )
    return list(session.scalars(query.order_by(PrivacyRequest.id).limit(limit)))


def old_requests(session: Session, now: datetime, limit: int) -> list[int]:
    """Answered requests beyond the years that they are kept as proof."""
    query = select(PrivacyRequest.id).where(
        PrivacyRequest.state.in_(tuple(OVER)),
        PrivacyRequest.answered_at < years_ago(now, rules.KEEP_YEARS),
        PrivacyRequest.erased_at.is_(None),
    )
    return list(session.scalars(query.order_by(PrivacyRequest.id).limit(limit)))


Finder = Callable[[Session, datetime, int], list[int]]
