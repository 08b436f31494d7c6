"""Every figure of the page, computed again from the raw rows by other means."""

import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from report_cases import fill_month, put_chargeback, put_payment, put_refund, put_sale
from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.orders.models import Contact, Order
from portal.reports.queries import read_headline, read_month
from portal.reports.rules import Month

SANTIAGO = ZoneInfo("America/Santiago")
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
pytestmark = pytest.mark.postgres

EVERYTHING = """
SELECT o.id, o.paid_at, o.service_slug, o.regime_kind, p.gateway, p.amount,
  a.id AS attention, a.state, a.outcome, a.queued_at, a.promise_at, a.taken_at,
  a.contacted_at, a.started_at, a.ends_at, a.closed_at, a.paused_seconds,
  COALESCE(s.name, t.name) AS technician, r.stars, c.phone
FROM orders o
JOIN payments p ON p.order_id = o.id AND p.disposition = 'applied'
JOIN contacts c ON c.id = o.contact_id
LEFT JOIN attentions a ON a.order_id = o.id
LEFT JOIN errands e ON e.order_id = o.id
LEFT JOIN staff s ON s.id = a.technician_id
LEFT JOIN staff t ON t.id = e.technician_id
LEFT JOIN ratings r ON r.attention_id = a.id
"""


def instant(value: Any) -> datetime | None:
    """An instant as either database gives it."""
    if value is None:
        return None
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def in_month(value: Any, month: Month) -> bool:
    """Judged on the wall clock, not by the bounds that the report uses."""
    found = instant(value)
    here = found.astimezone(SANTIAGO) if found else None
    return here is not None and (here.year, here.month) == (month.year, month.number)


def raw(session: Session, month: Month) -> list[Any]:
    rows = session.execute(text(EVERYTHING)).all()
    return [row for row in rows if in_month(row.paid_at, month)]


def iva(pesos: int) -> int:
    net = (Decimal(pesos) / Decimal("1.19")).quantize(Decimal(1), ROUND_HALF_UP)
    return pesos - int(net)


def since(row: Any, name: str, start: str = "queued_at") -> float | None:
    end, begin = instant(getattr(row, name)), instant(getattr(row, start))
    return (end - begin).total_seconds() if end and begin else None


def sums(rows: list[Any], key: str) -> dict[Any, tuple[int, int]]:
    found: dict[Any, tuple[int, int]] = {}
    for row in rows:
        count, pesos = found.get(getattr(row, key), (0, 0))
        found[getattr(row, key)] = (count + 1, pesos + row.amount)
    return found


def lines(found: Any) -> Counter[tuple[int, int]]:
    return Counter((line.orders, line.pesos) for line in found)


def test_every_figure_is_what_the_raw_rows_say(
    app: Flask, session: Session, october: Month
) -> None:
    for month in (october, october.previous, october.next):
        check(session, month)


@pytest.mark.parametrize(
    "month", [Month(2026, 4), Month(2026, 9), Month(2028, 2), Month(2026, 2)], ids=str
)
def test_months_with_a_clock_change_or_few_days_agree_too(
    app: Flask, session: Session, clock: Any, month: Month
) -> None:
    clock.set(month.ends + timedelta(days=20))
    fill_month(app, month, 60)
    assert check(session, month) == 60


def check(session: Session, month: Month) -> int:
    """Compare a whole report with its rows; how many orders it had."""
    figures, rows = read_month(session, month, NOW), raw(session, month)
    assert figures.sales.count == len(rows)
    assert figures.sales.total == sum(row.amount for row in rows)
    assert figures.sales.iva == sum(iva(row.amount) for row in rows)
    assert figures.sales.net == figures.sales.total - figures.sales.iva
    assert lines(figures.by_service) == Counter(sums(rows, "service_slug").values())
    assert lines(figures.by_regime) == Counter(sums(rows, "regime_kind").values())
    assert lines(figures.by_technician) == Counter(sums(rows, "technician").values())
    check_hours(figures, rows)
    check_attentions(figures.attentions, rows)
    stars = Counter(row.stars for row in rows if row.stars)
    assert {it: n for it, n in figures.ratings.stars.items() if n} == dict(stars)
    check_money_back(session, figures, month)
    by_phone = Counter(row.phone for row in rows if row.attention)
    best = [count for _, count in by_phone.most_common(10) if count > 1]
    assert [it.attentions for it in figures.customers] == best
    assert read_headline(session, month, NOW) == figures.headline
    return len(rows)


def check_hours(figures: Any, rows: list[Any]) -> None:
    expected: Counter[tuple[date, int]] = Counter()
    pesos: Counter[tuple[date, int]] = Counter()
    days: Counter[date] = Counter()
    for row in rows:
        here = (instant(row.paid_at) or NOW).astimezone(SANTIAGO)
        expected[here.date(), here.hour] += 1
        pesos[here.date(), here.hour] += row.amount
        days[here.date()] += row.amount
    assert {key: it.orders for key, it in figures.hours.items()} == dict(expected)
    assert {key: it.pesos for key, it in figures.hours.items()} == dict(pesos)
    assert {day: it.pesos for day, it in figures.by_day if it.orders} == dict(days)


def check_attentions(desk: Any, rows: list[Any]) -> None:
    mine = [row for row in rows if row.attention]
    assert desk.total == len(mine)
    assert desk.sold_minutes == 90 * len(mine)
    names = {"cancelled": "anulada", "closed": None}
    said = Counter(names.get(row.state, "sin terminar") or row.outcome for row in mine)
    assert dict(desk.outcomes) == dict(said)
    worked = [
        (since(row, "closed_at", "started_at") or 0) - row.paused_seconds
        for row in mine
    ]
    assert desk.used_minutes == sum(
        int(seconds // 60 + (seconds % 60 >= 30)) for seconds in worked
    )
    assert desk.paused_minutes == sum((row.paused_seconds + 30) // 60 for row in mine)
    promised = [row for row in mine if row.promise_at and row.contacted_at]
    kept = sum(
        (since(r, "promise_at") or 0) >= (since(r, "contacted_at") or 0)
        for r in promised
    )
    assert (desk.kept, desk.broken) == (kept, len(promised) - kept)
    for regime, waits in desk.waits.items():
        for name, found in (
            ("taken_at", waits.to_taken),
            ("contacted_at", waits.to_contact),
        ):
            values = sorted(
                int(value)
                for row in mine
                if row.regime_kind == regime and (value := since(row, name)) is not None
            )
            assert found.count == len(values)
            assert found.median == int(statistics.median(values))
            assert found.p90 == values[-(-len(values) * 9 // 10) - 1]


def check_money_back(session: Session, figures: Any, month: Month) -> None:
    refunds = [
        row
        for row in session.execute(
            text(
                "SELECT r.amount, r.answered_at, p.disposition FROM refunds r "
                "JOIN payments p ON p.id = r.payment_id "
                "WHERE r.state IN ('confirmed', 'paid_by_hand')"
            )
        )
        if in_month(row.answered_at, month)
    ]
    applied = [row.amount for row in refunds if row.disposition == "applied"]
    assert (figures.refunds.count, figures.refunds.total) == (
        len(applied),
        sum(applied),
    )
    assert figures.refunds.iva == sum(map(iva, applied))
    taken = [
        row.amount
        for row in session.execute(
            text(
                "SELECT p.amount, j.at FROM journal_entries j "
                "JOIN payments p ON p.id = j.object_id WHERE "
                "j.object_kind = 'payment' AND j.to_state = 'charged_back'"
            )
        )
        if in_month(row.at, month)
    ]
    assert figures.chargebacks.total == sum(taken)
    assert figures.net.total == figures.sales.total - sum(applied) - sum(taken)
    extra = [
        row.amount
        for row in session.execute(
            text(
                "SELECT amount, approved_at FROM payments WHERE disposition = 'surplus'"
            )
        )
        if in_month(row.approved_at, month)
    ]
    assert figures.misplaced.total == sum(extra)


def at(text_: str) -> datetime:
    return datetime.fromisoformat(text_).astimezone(UTC)


def test_refund_belongs_to_its_own_month_and_income_to_its_own(
    app: Flask, session: Session
) -> None:
    with transaction() as writing:
        old = put_sale(writing, at("2026-09-10T12:00:00-03:00"), pesos=10_000)
        put_sale(writing, at("2026-10-10T12:00:00-03:00"), pesos=7_000)
        put_refund(writing, old, at("2026-10-02T09:00:00-03:00"), 4_000)
        put_refund(writing, old, at("2026-10-03T09:00:00-03:00"), 1_000, "paid_by_hand")
        put_refund(writing, old, at("2026-10-04T09:00:00-03:00"), 500, "rejected")
    september = read_month(session, Month(2026, 9), NOW)
    october = read_month(session, Month(2026, 10), NOW)
    assert (september.sales.total, september.refunds.total) == (10_000, 0)
    assert (october.sales.total, october.refunds.total) == (7_000, 5_000)
    assert october.net.total == 2_000
    assert october.net.net + october.net.iva == 2_000


def test_bounds_of_the_month_are_half_open(app: Flask, session: Session) -> None:
    month = Month(2026, 10)
    with transaction() as writing:
        for moment in (
            month.begins,
            month.ends - timedelta(microseconds=1),
            month.ends,
        ):
            put_sale(writing, moment, pesos=1_000)
        put_sale(writing, month.begins - timedelta(microseconds=1), pesos=1_000)
    assert read_month(session, month, NOW).sales.count == 2


def test_chargeback_takes_what_had_not_gone_back(app: Flask, session: Session) -> None:
    with transaction() as writing:
        sale = put_sale(writing, at("2026-08-10T12:00:00-04:00"), pesos=10_000)
        put_refund(writing, sale, at("2026-08-11T12:00:00-04:00"), 3_000)
        put_chargeback(writing, sale, at("2026-10-01T12:00:00-03:00"))
    found = read_month(session, Month(2026, 10), NOW)
    assert (found.chargebacks.count, found.chargebacks.total) == (1, 7_000)


def test_money_out_of_place_is_no_income(app: Flask, session: Session) -> None:
    moment = at("2026-10-10T12:00:00-03:00")
    with transaction() as writing:
        sale = put_sale(writing, moment, pesos=10_000)
        order = writing.get_one(Order, sale.order_id)
        put_payment(writing, order, moment, pesos=10_000, disposition="surplus")
        extra = put_payment(
            writing,
            order,
            moment,
            pesos=10_000,
            disposition="mismatch",
            evidence={"amount": 12_000},
        )
        put_refund(writing, extra, moment, 12_000)
    found = read_month(session, Month(2026, 10), NOW)
    assert found.sales.total == found.net.total == 10_000
    assert {word: it.total for word, it in found.out_of_place.items()} == {
        "surplus": 10_000,
        "mismatch": 12_000,
    }
    assert (found.out_of_place_back.total, found.refunds.total) == (12_000, 0)


def test_free_orders_and_transfers_are_told_apart(app: Flask, session: Session) -> None:
    moment = at("2026-10-10T12:00:00-03:00")
    with transaction() as writing:
        put_sale(writing, moment, pesos=0, gateway="manual")
        put_sale(writing, moment, pesos=5_000, gateway="manual")
    found = read_month(session, Month(2026, 10), NOW)
    assert [(line.label, line.pesos) for line in found.by_gateway] == [
        ("Transferencia", 5_000),
        ("Sin costo", 0),
    ]
    assert found.free_orders == 1


def test_blocked_and_erased_customers_are_not_offered_a_contract(
    app: Flask, session: Session
) -> None:
    moment = at("2026-10-10T12:00:00-03:00")
    with transaction() as writing:
        for number in range(4):
            sale = put_sale(writing, moment, attention={}, name=f"Cliente {number}")
            order = writing.get_one(Order, sale.order_id)
            contact = writing.get_one(Contact, order.contact_id)
            contact.blocked = number == 0
            contact.pseudonymised_at = moment if number == 1 else None
    found = read_month(session, Month(2026, 10), NOW)
    assert [(it.name, it.attentions) for it in found.customers] == [("Cliente 3", 2)]
    assert found.unlisted == 2


def test_month_without_anything_is_empty(app: Flask, session: Session) -> None:
    found = read_month(session, Month(2026, 10), NOW)
    assert found.is_empty
    assert found.net.total == found.attentions.total == found.ratings.count == 0
