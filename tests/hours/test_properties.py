"""Ten years of instants, all clock changes among them, against a model of its own.

The model reads the wall clock and nothing else: it knows no instants of edges.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal import clock
from portal.hours.queries import DEFAULT_CALENDAR
from portal.hours.rules import (
    DEFAULT_WEEKLY,
    SEARCH_DAYS,
    Calendar,
    DayOverride,
    Window,
    add_open_minutes,
    holidays_of,
    is_on_sale,
    next_change,
    next_openings,
    regime_at,
)

FIRST, LAST = date(2025, 1, 1), date(2034, 12, 31)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]


def clock_changes() -> list[datetime]:
    """The first instant after each change of Santiago's offset."""
    hours = [
        datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(87_648)
    ]
    offsets = [clock.local(hour).utcoffset() for hour in hours]
    return [
        hour
        for hour, (old, new) in zip(hours[1:], pairwise(offsets), strict=True)
        if old != new
    ]


CHANGES = clock_changes()


def naive_windows(calendar: Calendar, day: date) -> tuple[Window, ...]:
    if day in calendar.overrides:
        override = calendar.overrides[day]
        return override.windows if override.state == "open" else ()
    if day in holidays_of(day.year):
        return ()
    return calendar.weekly.get(day.weekday(), ())


def naive_kind(calendar: Calendar, instant: datetime) -> str:
    """The kind by the wall clock alone; an hour shown again belongs to no window."""
    wall = clock.local(instant)
    shown = time.max if wall.fold else wall.time()
    for window in naive_windows(calendar, wall.date()):
        if window.opens <= shown < window.closes:
            return window.kind
    return "closed"


def test_the_ten_years_have_twenty_clock_changes() -> None:
    assert len(CHANGES) == 20


def to_time(minute: int) -> time:
    return time(minute // 60, minute % 60)


@st.composite
def windows_of_a_day(draw: st.DrawFn) -> tuple[Window, ...]:
    cuts = draw(st.lists(st.integers(0, 1439), min_size=2, max_size=6, unique=True))
    cuts.sort()
    pairs = list(pairwise(cuts))
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True).map(sorted))
    kinds = st.sampled_from(["normal", "special"])
    return tuple(Window(draw(kinds), to_time(a), to_time(b)) for a, b in chosen)


@st.composite
def calendars(draw: st.DrawFn, around: date) -> Calendar:
    """The default week or a made-up one, and overrides around a day."""
    weekly = draw(
        st.just(DEFAULT_WEEKLY)
        | st.dictionaries(st.integers(0, 6), windows_of_a_day(), min_size=1)
    )
    days = draw(st.sets(st.integers(-2, 9), max_size=5))
    overrides = {}
    for day in (around + n * DAY for n in days):
        windows = draw(st.just(()) | windows_of_a_day())
        state = "open" if windows else "closed"
        overrides[day] = DayOverride(day, state, windows)  # type: ignore[arg-type]
    return Calendar(weekly, overrides)


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Any second of the ten years, near edges and clock changes more often."""
    day = draw(st.sampled_from(DAYS))
    edge = draw(st.sampled_from([time(9), time(10), time(14), time(18, 31), time(21)]))
    near_edge = datetime.combine(day, edge, clock.ZONE).astimezone(UTC)
    start = draw(
        st.sampled_from(CHANGES)
        | st.just(near_edge)
        | st.just(datetime.combine(day, time(3), UTC))
    )
    offset = draw(st.integers(-90_000, 90_000) | st.integers(-61, 61))
    return start + offset * SECOND


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    instant = draw(instants())
    return draw(calendars(clock.local(instant).date())), instant


quick = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@quick
@given(cases())
@example((DEFAULT_CALENDAR, CHANGES[0]))
@example((DEFAULT_CALENDAR, CHANGES[1] - SECOND))
def test_the_regime_is_what_the_wall_clock_says(
    case: tuple[Calendar, datetime],
) -> None:
    calendar, instant = case
    regime = regime_at(calendar, instant)
    assert regime.kind == naive_kind(calendar, instant)
    is_open = regime.kind != "closed"
    assert (regime.closes_at is not None) is is_open
    assert (regime.day_closes_at is not None) is is_open
    assert regime.next_opening is None or not is_open


@quick
@given(cases())
def test_the_answer_does_not_depend_on_the_zone_of_the_question(
    case: tuple[Calendar, datetime],
) -> None:
    calendar, instant = case
    assert regime_at(calendar, instant) == regime_at(calendar, clock.local(instant))


@quick
@given(cases())
def test_an_edge_ends_one_kind_and_begins_another(
    case: tuple[Calendar, datetime],
) -> None:
    calendar, instant = case
    edge = next_change(calendar, instant)
    if edge is None:
        return
    assert edge > instant
    kind = naive_kind(calendar, instant)
    assert naive_kind(calendar, edge - SECOND / 1_000) == kind
    assert naive_kind(calendar, edge) != kind


@quick
@given(cases(), st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_edge(
    case: tuple[Calendar, datetime], part: float
) -> None:
    calendar, instant = case
    edge = next_change(calendar, instant)
    if edge is None:
        return
    between = instant + (edge - instant) * part
    if between < edge:  # a float may round up to the edge itself
        assert naive_kind(calendar, between) == naive_kind(calendar, instant)


@quick
@given(cases())
def test_the_next_opening_is_open_and_the_instant_before_is_closed(
    case: tuple[Calendar, datetime],
) -> None:
    calendar, instant = case
    opening = regime_at(calendar, instant).next_opening
    if opening is None:
        return
    assert naive_kind(calendar, opening) != "closed"
    assert naive_kind(calendar, opening - SECOND) == "closed"
    assert next_openings(calendar, instant, 1) == [opening]
    assert opening - instant <= (SEARCH_DAYS + 1) * DAY


@quick
@given(cases(), st.integers(0, 60))
def test_sale_is_open_time_with_open_time_after_it(
    case: tuple[Calendar, datetime], margin: int
) -> None:
    calendar, instant = case
    if is_on_sale(calendar, instant, margin):
        closes_at = regime_at(calendar, instant).day_closes_at
        assert closes_at is not None
        assert closes_at - instant > margin * MINUTE
        assert naive_kind(calendar, closes_at - SECOND) != "closed"
        assert clock.local(closes_at).date() == clock.local(instant).date()


@settings(quick, max_examples=60)
@given(cases(), st.integers(1, 240), st.sampled_from(["normal", "special"]))
def test_open_minutes_agree_with_counting_them_one_by_one(
    case: tuple[Calendar, datetime], minutes: int, kind: str
) -> None:
    calendar, instant = case
    start = instant.replace(second=0)
    counted, minute = 0, start
    while counted < minutes and minute < start + 6 * DAY:
        counted += naive_kind(calendar, minute) == kind
        minute += MINUTE
    found = add_open_minutes(calendar, start, minutes, kind)  # type: ignore[arg-type]
    if counted == minutes:
        assert found == minute
    else:
        assert found > minute


def test_every_edge_of_ten_years_is_one_that_the_rules_name() -> None:
    """Walk from edge to edge: none is missing, none is invented, all go forward."""
    instant = datetime(2025, 1, 1, 3, tzinfo=UTC)
    found = []
    while (edge := next_change(DEFAULT_CALENDAR, instant)) is not None:
        if clock.local(edge).date() > LAST:
            break
        found.append(edge)
        instant = edge
    expected = [
        datetime.combine(day, edge, clock.ZONE).astimezone(UTC)
        for day in DAYS
        if day not in holidays_of(day.year)
        for edge in {
            5: (time(10), time(21)),
            6: (time(10), time(14)),
        }.get(day.weekday(), (time(9), time(18, 31), time(22)))
    ]
    assert found == expected


def test_no_minute_of_a_fortnight_around_each_clock_change_is_misjudged() -> None:
    for change in CHANGES[:6]:
        for n in range(-7 * 288, 7 * 288):
            instant = change + n * 5 * MINUTE
            assert regime_at(DEFAULT_CALENDAR, instant).kind == naive_kind(
                DEFAULT_CALENDAR, instant
            )
