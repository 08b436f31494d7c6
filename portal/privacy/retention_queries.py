"""What has been kept long enough: for each kind, the query of its ids at an instant."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

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

Ids = Select[int]


def years_ago(now: datetime, years: int) -> datetime:
    """The first instant (UTC) of Santiago's same day some years earlier."""
    day = rules.years_before(local(now).date(), years)
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def months_ago(now: datetime, months: int) -> datetime:
    """Twelve months are a year of the calendar; other counts are of 31 days."""
    years, rest = divmod(months, 12)
    return years_ago(now, years) - timedelta(days=31 * rest)


def unpaid(now: datetime) -> Ids:
    """Orders that nobody paid, whose person is still there; no money hangs on them."""
    may_be_money = exists().where(
        Payment.order_id == Order.id,
        or_(
            Payment.disposition.is_not(None),
            Payment.state.in_(tuple(pay.IN_FLIGHT)),
        ),
    )
    return _orders(
        Order.state.in_((EXPIRED, CANCELLED)),
        Order.created_at < now - timedelta(days=rules.UNPAID_DAYS),
        Contact.pseudonymised_at.is_(None),
        ~may_be_money,
    )


def past_tax(now: datetime) -> Ids:
    """Orders beyond the years of the tax law, with a person or tax data on them."""
    since = func.coalesce(Order.paid_at, Order.created_at, type_=Order.created_at.type)
    return _orders(
        Order.state.in_((*EVER_PAID, EXPIRED, CANCELLED)),
        since < years_ago(now, rules.KEEP_YEARS),
        or_(Contact.pseudonymised_at.is_(None), Order.tax_rut.is_not(None)),
    )


def _orders(*where: ColumnElement[bool]) -> Ids:
    joined = select(Order.id).join(Contact, Contact.id == Order.contact_id)
    return joined.where(*where)


def old_words(now: datetime) -> Ids:
    """Orders whose texts have had their months."""
    return with_old_words(months_ago(now, rules.WORDS_MONTHS))


def notes(now: datetime) -> Ids:
    """The owner's own notes on orders that have had their months."""
    return select(OrderNote.id).where(
        OrderNote.at < months_ago(now, rules.WORDS_MONTHS)
    )


def notifications(now: datetime) -> Ids:
    """Notifications of gateways that were dealt with long ago."""
    before = months_ago(now, rules.NOTICE_MONTHS)
    return select(Notification.id).where(
        Notification.done_at.is_not(None), Notification.received_at < before
    )


def dead_sessions(now: datetime) -> Ids:
    """Log-ins that have run out."""
    return select(StaffSession.id).where(StaffSession.expires_at < now)


def drafts(now: datetime) -> Ids:
    """Attentions with a draft that nobody took up again."""
    before = now - timedelta(days=rules.DRAFT_DAYS)
    return select(Draft.attention_id).where(Draft.at < before).distinct()


def unconfirmed(now: datetime) -> Ids:
    """Requests whose address nobody proved."""
    return select(PrivacyRequest.id).where(
        PrivacyRequest.state == UNVERIFIED, PrivacyRequest.confirm_until <= now
    )


def old_requests(now: datetime) -> Ids:
    """Answered requests beyond the years that they are kept as proof."""
    return select(PrivacyRequest.id).where(
        PrivacyRequest.state.in_(tuple(OVER)),
        PrivacyRequest.answered_at < years_ago(now, rules.KEEP_YEARS),
        PrivacyRequest.erased_at.is_(None),
    )
