"""A month read by a few grouped queries over ranges of instants.

A sale belongs to the month in which the portal settled it (`orders.paid_at`), a refund
to that in which it was confirmed, a chargeback to that in which it was told: a month
that is over never changes by what is learned later.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.journal.models import JournalEntry
from portal.orders.mask_queries import IS_HIDDEN
from portal.orders.models import Contact, Order
from portal.payments import states
from portal.payments.models import Payment, Refund
from portal.payments.refund_rules import CONFIRMED, PAID_BY_HAND
from portal.reports.attention_rules import Attentions, Fact, summary
from portal.reports.customer_rules import Buyer, Customer, best_customers
from portal.reports.figures_rules import (
    Amount,
    Figures,
    Headline,
    Ratings,
    Sold,
    amount_of,
    hours_of,
)
from portal.reports.rules import Month
from portal.reports.sql_queries import hours, seconds
from portal.support.customer_models import Rating
from portal.support.models import Attention, Errand
from portal.support.states import CANCELLED

NOBODY = "Sin técnico"
# Literals, for a partial index counts only when the statement itself names its words.
IS_APPLIED = Payment.disposition == literal_column("'applied'")
OUT_OF_PLACE = Payment.disposition != literal_column("'applied'")
WENT_BACK = Refund.state.in_((CONFIRMED, PAID_BY_HAND))
IS_CHARGEBACK = and_(
    JournalEntry.object_kind == literal_column("'payment'"),
    JournalEntry.to_state == literal_column("'charged_back'"),
)


def within(column: Any, month: Month) -> Any:
    """The instants of the column that are in the month: half-open."""
    return and_(column >= month.begins, column < month.ends)


def read_month(session: Session, month: Month, now: datetime) -> Figures:
    """Every figure of the month's report."""
    refunds, misplaced_refunds = _refunds(session, month)
    taken_back, misplaced_taken = _chargebacks(session, month)
    customers, unlisted = _customers(session, month)
    return Figures(
        month=month,
        sold=_sold(session, month),
        hours=_hours(session, month),
        refunds=refunds,
        chargebacks=taken_back,
        out_of_place=_out_of_place(session, month),
        out_of_place_back=misplaced_refunds + misplaced_taken,
        attentions=_attentions(session, month, now),
        ratings=_ratings(session, month),
        customers=customers,
        unlisted=unlisted,
    )


def _sales(*columns: Any) -> Select[Any]:
    """Paid orders with the payment that paid each."""
    return select(*columns).join(
        Payment, and_(Payment.order_id == Order.id, IS_APPLIED)
    )


def _hours(session: Session, month: Month) -> Any:
    hour = hours(Order.paid_at)
    rows = session.execute(
        _sales(hour, func.count(), func.sum(Payment.amount))
        .select_from(Order)
        .where(within(Order.paid_at, month))
        .group_by(hour)
    )
    return hours_of((int(h), int(count), int(pesos)) for h, count, pesos in rows)


def _sold(session: Session, month: Month) -> list[Sold]:
    technician = func.coalesce(Attention.technician_id, Errand.technician_id)
    alike = (
        Order.service_slug,
        Order.regime_kind,
        Payment.gateway,
        technician,
        Payment.amount,
    )
    rows = session.execute(
        _sales(*alike, func.max(Order.service_name), func.count())
        .select_from(Order)
        .outerjoin(Attention, Attention.order_id == Order.id)
        .outerjoin(Errand, Errand.order_id == Order.id)
        .where(within(Order.paid_at, month))
        .group_by(*alike)
    ).all()
    names = staff_names(session)
    return [
        Sold(slug, name, regime, gateway, names.get(who, NOBODY), pesos, count)
        for slug, regime, gateway, who, pesos, name, count in rows
    ]


def staff_names(session: Session) -> dict[int | None, str]:
    """The name of everybody who works, or worked, here."""
    return {
        number: name for number, name in session.execute(select(Staff.id, Staff.name))
    }


def _refunds(session: Session, month: Month) -> tuple[Amount, Amount]:
    """What went back of sales, and what went back of money out of place."""
    rows = session.execute(
        select(IS_APPLIED, Refund.amount, func.count())
        .join(Payment, Payment.id == Refund.payment_id)
        .where(WENT_BACK, within(Refund.answered_at, month))
        .group_by(IS_APPLIED, Refund.amount)
    )
    of_sales = out_of_place = Amount()
    for applied, pesos, count in rows:
        if applied:
            of_sales += amount_of(pesos, count)
        else:
            out_of_place += amount_of(pesos, count)
    return of_sales, out_of_place


def taken_back(
    session: Session, month: Month
) -> list[tuple[JournalEntry, Payment, int]]:
    """The month's chargebacks: history line, payment, pesos that had not gone back."""
    rows = session.execute(
        select(JournalEntry, Payment)
        .join(Payment, Payment.id == JournalEntry.object_id)
        .where(IS_CHARGEBACK, within(JournalEntry.at, month))
        .order_by(JournalEntry.at, JournalEntry.id)
    ).all()
    if not rows:
        return []
    # Asked by payment alone, which has few: a database that may choose goes by date.
    refunds = session.scalars(
        select(Refund).where(Refund.payment_id.in_({pay.id for _, pay in rows}))
    ).all()
    return [
        (line, payment, payment.charged - _given_before(refunds, line))
        for line, payment in rows
    ]


def _given_before(refunds: Sequence[Refund], line: JournalEntry) -> int:
    return sum(
        refund.amount
        for refund in refunds
        if refund.payment_id == line.object_id
        and refund.state in (CONFIRMED, PAID_BY_HAND)
        and refund.answered_at is not None
        and refund.answered_at < line.at
    )


def _chargebacks(session: Session, month: Month) -> tuple[Amount, Amount]:
    """What banks took back of sales, and of money out of place."""
    of_sales = out_of_place = Amount()
    for _line, payment, pesos in taken_back(session, month):
        if payment.disposition == states.APPLIED:
            of_sales += amount_of(pesos)
        else:
            out_of_place += amount_of(pesos)
    return of_sales, out_of_place


def misplaced(month: Month) -> Select[Payment]:
    """Payments of the month that paid no order, by what they did."""
    return (
        select(Payment)
        .where(OUT_OF_PLACE, within(Payment.approved_at, month))
        .order_by(Payment.approved_at, Payment.id)
    )


def _out_of_place(session: Session, month: Month) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for payment in session.scalars(misplaced(month)):
        word = payment.disposition or ""
        found[word] = found.get(word, Amount()) + amount_of(payment.charged)
    return found


def facts_of_attentions() -> tuple[Any, ...]:
    """The columns of an `attention_rules.Fact`, in its order."""
    return (
        Attention.state,
        Attention.outcome,
        Attention.regime_kind,
        seconds(Attention.queued_at).label("queued"),
        seconds(Attention.promise_at).label("promise"),
        seconds(Attention.promise_missed_at).label("missed"),
        seconds(Attention.taken_at).label("taken"),
        seconds(Attention.contacted_at).label("contacted"),
        seconds(Attention.started_at).label("started"),
        seconds(Attention.ends_at).label("ends"),
        seconds(Attention.paused_at).label("paused"),
        seconds(Attention.closed_at).label("closed"),
        Attention.paused_seconds,
    )


def _attentions(session: Session, month: Month, now: datetime) -> Attentions:
    rows = session.execute(
        select(*facts_of_attentions()).where(within(Attention.queued_at, month))
    )
    return summary(map(Fact._make, rows), int(now.timestamp()))


def _ratings(session: Session, month: Month) -> Ratings:
    """Stars of the month's attentions, whenever they were given."""
    rows = session.execute(
        select(Rating.stars, func.count())
        .select_from(Attention)
        .join(Rating, Rating.attention_id == Attention.id)
        .where(within(Attention.queued_at, month))
        .group_by(Rating.stars)
    )
    found = {stars: count for stars, count in rows}
    return Ratings({stars: found.get(stars, 0) for stars in (5, 4, 3, 2, 1)})


def _customers(session: Session, month: Month) -> tuple[list[Customer], int]:
    """The best customers, and how many attentions are of people not to be listed."""
    rows = session.execute(
        select(
            Contact.name,
            Contact.email,
            Contact.phone,
            Contact.rut,
            Order.price.label("pesos"),
            IS_HIDDEN.label("hidden"),
        )
        .select_from(Attention)
        .join(Order, Order.id == Attention.order_id)
        .join(Contact, Contact.id == Order.contact_id)
        .where(within(Attention.queued_at, month))
        .order_by(Attention.queued_at, Attention.id)
    )
    buyers = [Buyer._make(row) for row in rows]
    seen = [buyer for buyer in buyers if not buyer.hidden]
    return best_customers(seen), len(buyers) - len(seen)


def read_headline(session: Session, month: Month, now: datetime) -> Headline:
    """The headline figures alone, for the comparison: counted by the database."""
    orders, income = session.execute(
        _sales(func.count(), func.coalesce(func.sum(Payment.amount), 0))
        .select_from(Order)
        .where(within(Order.paid_at, month))
    ).one()
    attentions, kept, broken = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((_kept(), 1), else_=0)), 0),
            func.coalesce(func.sum(case((_broken(now), 1), else_=0)), 0),
        )
        .select_from(Attention)
        .where(within(Attention.queued_at, month))
    ).one()
    back = _refunds(session, month)[0].total + _chargebacks(session, month)[0].total
    return Headline(
        orders, int(income), back, attentions, int(kept) + int(broken), int(kept)
    )


def _kept() -> Any:
    return and_(
        Attention.promise_missed_at.is_(None),
        seconds(Attention.contacted_at) <= seconds(Attention.promise_at),
    )


def _broken(now: datetime) -> Any:
    return or_(
        Attention.promise_missed_at.is_not(None),
        seconds(Attention.contacted_at) > seconds(Attention.promise_at),
        and_(
            Attention.contacted_at.is_(None),
            Attention.state != CANCELLED,
            seconds(Attention.promise_at) < bindparam("now", int(now.timestamp())),
        ),
    )
