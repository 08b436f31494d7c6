"""The estimated wait comes from what happened today."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.support.wait_rules import ENOUGH, RECENT, pace, wait_minutes

NINE = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def minutes(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds() / 60


def test_too_few_say_nothing() -> None:
    assert pace([]) is None
    assert pace([(at(0), at(4))] * (ENOUGH - 1)) is None
    assert wait_minutes(3, None) is None


def test_pace_is_the_time_from_one_customer_to_the_next() -> None:
    # All wait from the beginning, and one is reached every six minutes.
    attended = [(at(0), at(6 * number)) for number in (1, 2, 3, 4)]
    assert minutes(pace(attended)) == 6
    assert wait_minutes(3, pace(attended)) == 18


def test_hour_in_which_nobody_waited_counts_for_nothing() -> None:
    attended = [(at(0), at(4)), (at(200), at(204)), (at(400), at(404))]
    assert minutes(pace(attended)) == 4


def test_only_the_newest_count() -> None:
    slow = [(at(30 * number), at(30 * number + 29)) for number in range(RECENT)]
    later = 30 * RECENT
    fast = [(at(later + 5 * n), at(later + 5 * n + 2)) for n in range(RECENT)]
    assert minutes(pace(fast + slow)) == 2


def test_part_of_a_minute_is_a_minute() -> None:
    assert wait_minutes(1, timedelta(0)) == 1
    assert wait_minutes(2, timedelta(seconds=61)) == 3


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300)), max_size=40),
    st.integers(1, 60),
)
def test_estimate_is_a_whole_positive_number_whatever_the_day(
    day: list[tuple[int, int]], place: int
) -> None:
    attended = [(at(entered), at(entered + waited)) for entered, waited in day]
    told = wait_minutes(place, pace(attended))
    assert (told is None) == (len(day) < ENOUGH)
    assert told is None or 1 <= told <= 300 * place
