"""Months of Santiago, and the arithmetic of a report."""

import statistics
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clock import local
from portal.errors import NotFoundError, RefusedError
from portal.reports import rules
from portal.reports.attention_rules import Fact, promise_of, summary, used_seconds
from portal.reports.customer_rules import Buyer, best_customers
from portal.reports.figures_rules import amount_of, hours_of
from portal.reports.rules import Month, parse_day, parse_month, start_of

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


@given(st.integers(2000, 2098), st.integers(1, 12))
def test_months_follow_each_other_without_gap_or_overlap(
    year: int, number: int
) -> None:
    month = Month(year, number)
    assert month.ends == month.next.begins
    assert month.next.previous == month
    assert local(month.begins).date() == month.first
    assert local(month.ends - timedelta(seconds=1)).month == number
    assert 28 <= month.days <= 31


@pytest.mark.parametrize(
    ("month", "hours"),
    [
        (Month(2026, 4), 30 * 24 + 1),
        (Month(2026, 9), 30 * 24 - 1),
        (Month(2026, 2), 28 * 24),
        (Month(2028, 2), 29 * 24),
        (Month(2026, 10), 31 * 24),
    ],
)
def test_month_is_as_long_as_santiagos_clock_makes_it(month: Month, hours: int) -> None:
    assert month.ends - month.begins == timedelta(hours=hours)


def test_day_without_midnight_begins_when_the_clock_goes_forward() -> None:
    assert start_of(date(2026, 9, 6)) == datetime(2026, 9, 6, 4, tzinfo=UTC)
    day = start_of(date(2026, 9, 7)) - start_of(date(2026, 9, 6))
    assert day == timedelta(hours=23)


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-00", "2026-1", "x", "", "1999-12", "２０２６-11", "2026-11 "],
)
def test_what_is_no_month_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(NotFoundError, match="/informes/2026-11"):
        parse_month(text, NOW)


def test_month_that_has_not_begun_is_refused_with_the_one_that_runs() -> None:
    with pytest.raises(RefusedError, match="noviembre de 2026"):
        parse_month("2026-12", NOW)
    assert parse_month("2026-11", NOW) == Month(2026, 11)


def test_day_of_a_month() -> None:
    assert parse_day(Month(2026, 2), "28") == date(2026, 2, 28)
    assert parse_day(Month(2026, 2), "29") is None
    assert parse_day(Month(2026, 2), "0") is None
    assert parse_day(Month(2026, 2), "-1") is None


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=200))
def test_spread_is_that_of_the_statistics_library(values: list[int]) -> None:
    found = rules.spread(values)
    assert found.median == int(statistics.median(values))
    below = sum(value <= (found.p90 or 0) for value in values)
    assert below >= 0.9 * len(values)
    assert found.p90 in values


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (110, 100, "+10,0 %"),
        (97, 100, "-3,0 %"),
        (5, 5, "igual"),
        (5, 0, "antes no hubo"),
        (2001, 1000, "+100,1 %"),
    ],
)
def test_change_is_said_in_words(now: int, before: int, words: str) -> None:
    assert rules.change_words(now, before) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "sin datos"), (45, "45 s"), (270, "4 min 30 s"), (4000, "1 h 7 min")],
)
def test_duration_is_said_in_words(seconds: int | None, words: str) -> None:
    assert rules.duration_words(seconds) == words


@given(st.integers(1, 10**6), st.integers(1, 50))
def test_net_and_iva_add_up_document_by_document(pesos: int, count: int) -> None:
    amount = amount_of(pesos, count)
    assert amount.net + amount.iva == amount.total == pesos * count
    assert amount == sum((amount_of(pesos) for _ in range(count)), amount_of(0, 0))


def test_hour_that_comes_twice_is_one() -> None:
    # 23:00 to 23:59 of Saturday 2026-04-04 happens at 02:00Z and at 03:00Z.
    first = int(datetime(2026, 4, 5, 2, tzinfo=UTC).timestamp()) // 3600
    found = hours_of([(first, 1, 100), (first + 1, 2, 200)])
    assert {key: (it.orders, it.pesos) for key, it in found.items()} == {
        (date(2026, 4, 4), 23): (3, 300)
    }


def fact(**values: object) -> Fact:
    empty = dict.fromkeys(Fact._fields)
    base = {"state": "waiting", "regime_kind": "normal", "queued": 0}
    return Fact(**{**empty, **base, "paused_seconds": 0, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "used"),
    [
        ({}, 0),
        ({"started": 0, "ends": 5400, "closed": 600}, 600),
        ({"started": 0, "ends": 5400, "closed": 9000}, 5400),
        ({"started": 0, "ends": 6000, "closed": 1600, "paused_seconds": 600}, 1000),
        ({"started": 0, "ends": 5400, "paused": 300}, 300),
        ({"started": 0, "ends": 5400}, 1000),
    ],
)
def test_used_time_leaves_pauses_and_what_comes_after_the_end_out(
    values: dict[str, int], used: int
) -> None:
    assert used_seconds(fact(**values), now=1000) == used


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, None),
        ({"promise": 600, "contacted": 600}, True),
        ({"promise": 600, "contacted": 601}, False),
        ({"promise": 600}, False),
        ({"promise": 1600}, None),
        ({"promise": 600, "state": "cancelled"}, None),
        ({"promise": 1600, "contacted": 900, "missed": 600}, False),
    ],
)
def test_promise_is_kept_missed_or_not_yet_due(
    values: dict[str, object], kept: bool | None
) -> None:
    assert promise_of(fact(**values), now=1000) is kept


def test_summary_of_nothing_is_nothing() -> None:
    found = summary([], 0)
    assert (found.total, found.sold_minutes, found.promises, found.waits) == (
        0,
        0,
        0,
        {},
    )


def test_customer_is_one_by_phone_mail_or_rut() -> None:
    buyers = [
        Buyer("Uno", "a@x.cl", "+56911111111", None, 100),
        Buyer("Otra", "z@x.cl", "+56999999999", None, 100),
        Buyer("Uno B", "b@x.cl", "+56911111111", "765432103", 100),
        Buyer("Uno C", "b@x.cl", "+56922222222", None, 50),
        Buyer("Uno D", "d@x.cl", "+56933333333", "765432103", 0),
    ]
    found = best_customers(buyers)
    assert [(it.name, it.attentions, it.pesos) for it in found] == [("Uno D", 4, 250)]
