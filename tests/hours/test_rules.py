"""Regimes at every edge, precedence, runs of closed days, sale, promise, wording."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from portal.hours.queries import DEFAULT_CALENDAR
from portal.hours.rules import (
    DEFAULT_WEEKLY,
    SEARCH_DAYS,
    Calendar,
    DayOverride,
    Window,
    add_open_minutes,
    check_windows,
    is_on_sale,
    next_change,
    next_openings,
    regime_at,
    sale_closes_at,
    upcoming_closed_days,
    weekly_text,
)


def at(text: str) -> datetime:
    """'2026-11-24 18:31:00' on Santiago's clock, in summer unless the text says."""
    text = text if text.endswith(("-04:00", "Z")) else f"{text}-03:00"
    return datetime.fromisoformat(text).astimezone(UTC)


def calendar_with(*overrides: DayOverride) -> Calendar:
    return Calendar(DEFAULT_WEEKLY, {override.day: override for override in overrides})


def closed_from(first: date, days: int, note: str = "") -> Calendar:
    return calendar_with(
        *(DayOverride(first + timedelta(n), "closed", (), note) for n in range(days))
    )


# 24 November 2026 is a Tuesday. Columns: instant, kind, end of the kind, next opening.
EDGES = [
    ("2026-11-24 00:00:00", "closed", None, "2026-11-24 09:00"),
    ("2026-11-24 08:59:59", "closed", None, "2026-11-24 09:00"),
    ("2026-11-24 09:00:00", "normal", "2026-11-24 18:31", None),
    ("2026-11-24 18:30:00", "normal", "2026-11-24 18:31", None),
    ("2026-11-24 18:30:59", "normal", "2026-11-24 18:31", None),
    ("2026-11-24 18:30:59.999999", "normal", "2026-11-24 18:31", None),
    ("2026-11-24 18:31:00", "special", "2026-11-24 22:00", None),
    ("2026-11-24 21:59:59", "special", "2026-11-24 22:00", None),
    ("2026-11-24 21:59:59.999999", "special", "2026-11-24 22:00", None),
    ("2026-11-24 22:00:00", "closed", None, "2026-11-25 09:00"),
    ("2026-11-24 22:00:59", "closed", None, "2026-11-25 09:00"),
    ("2026-11-24 23:59:59", "closed", None, "2026-11-25 09:00"),
    ("2026-11-27 22:00:00", "closed", None, "2026-11-28 10:00"),
    ("2026-11-28 09:59:59", "closed", None, "2026-11-28 10:00"),
    ("2026-11-28 10:00:00", "special", "2026-11-28 21:00", None),
    ("2026-11-28 18:31:00", "special", "2026-11-28 21:00", None),
    ("2026-11-28 20:59:59", "special", "2026-11-28 21:00", None),
    ("2026-11-28 21:00:00", "closed", None, "2026-11-29 10:00"),
    ("2026-11-29 09:59:59", "closed", None, "2026-11-29 10:00"),
    ("2026-11-29 10:00:00", "special", "2026-11-29 14:00", None),
    ("2026-11-29 13:59:59", "special", "2026-11-29 14:00", None),
    ("2026-11-29 14:00:00", "closed", None, "2026-11-30 09:00"),
    # Holidays: Tuesday 8 December; Friday 25 December and Friday 1 January.
    ("2026-12-08 12:00:00", "closed", None, "2026-12-09 09:00"),
    ("2026-12-07 22:00:00", "closed", None, "2026-12-09 09:00"),
    ("2026-12-24 22:00:00", "closed", None, "2026-12-26 10:00"),
    ("2026-12-31 21:59:59", "special", "2026-12-31 22:00", None),
    # Fri 17, Sat 18, Sun 19 September 2027: three holidays in a row.
    ("2027-09-16 22:00:00", "closed", None, "2027-09-20 09:00"),
    # Easter: Thursday is open, Friday and Saturday are not, Sunday is.
    ("2027-03-25 22:00:00", "closed", None, "2027-03-28 10:00"),
    # In UTC it is a day later already: the local date counts.
    ("2026-12-25T00:30:00Z", "special", "2026-12-24 22:00", None),
    ("2026-12-26T01:30:00Z", "closed", None, "2026-12-26 10:00"),
    # Winter: the same wall clock, another offset.
    ("2026-06-30 18:30:59-04:00", "normal", "2026-06-30 18:31-04:00", None),
    ("2026-06-30 18:31:00-04:00", "special", "2026-06-30 22:00-04:00", None),
    # Nights of the clock changes: 12 and 14 hours lie between the same two edges.
    ("2026-09-05 21:00:00-04:00", "closed", None, "2026-09-06 10:00"),
    ("2026-04-04 21:00:00", "closed", None, "2026-04-05 10:00-04:00"),
    ("2026-04-05T02:59:59Z", "closed", None, "2026-04-05 10:00-04:00"),
    ("2026-04-05T03:30:00Z", "closed", None, "2026-04-05 10:00-04:00"),
]


@pytest.mark.parametrize(("text", "kind", "closes_at", "next_opening"), EDGES)
def test_regime_at_every_edge(
    text: str, kind: str, closes_at: str | None, next_opening: str | None
) -> None:
    regime = regime_at(DEFAULT_CALENDAR, at(text))
    assert regime.kind == kind
    assert regime.closes_at == (closes_at and at(closes_at))
    assert regime.next_opening == (next_opening and at(next_opening))
    assert next_change(DEFAULT_CALENDAR, at(text)) == at(
        closes_at or next_opening or ""
    )


def test_the_two_ends_of_an_evening_are_told_apart() -> None:
    regime = regime_at(DEFAULT_CALENDAR, at("2026-11-24 12:00"))
    assert regime.closes_at == at("2026-11-24 18:31")
    assert regime.day_closes_at == at("2026-11-24 22:00")


@pytest.mark.parametrize(
    ("text", "reason", "rule"),
    [
        ("2026-11-24 12:00", "Horario normal", "weekly"),
        ("2026-11-24 19:00", "Horario especial", "weekly"),
        ("2026-11-24 08:00", "Aún no abrimos", "weekly"),
        ("2026-11-24 22:00", "Cerrado por hoy", "weekly"),
        ("2026-12-25 12:00", "Feriado: Navidad", "holiday"),
        ("2026-12-24 12:00", "Medio día por Nochebuena", "override"),
        ("2026-12-24 16:00", "Cerrado por hoy", "override"),
        ("2026-12-26 12:00", "Inventario", "override"),
        ("2026-12-28 12:00", "Hoy no atendemos", "override"),
        ("2026-12-29 12:00", "Horario normal", "override"),
        ("2026-12-29 13:30", "Abrimos de nuevo hoy", "override"),
    ],
)
def test_the_reason_names_who_decided(text: str, reason: str, rule: str) -> None:
    morning = (Window("normal", time(9), time(13)),)
    calendar = calendar_with(
        DayOverride(date(2026, 12, 24), "open", morning, "Medio día por Nochebuena"),
        DayOverride(date(2026, 12, 26), "closed", (), "Inventario"),
        DayOverride(date(2026, 12, 28), "closed"),
        DayOverride(
            date(2026, 12, 29), "open", (*morning, Window("normal", time(14), time(15)))
        ),
    )
    regime = regime_at(calendar, at(text))
    assert (regime.reason, regime.rule) == (reason, rule)


def test_an_override_opens_a_holiday_with_its_own_windows() -> None:
    windows = (Window("special", time(11), time(12)),)
    calendar = calendar_with(DayOverride(date(2026, 12, 25), "open", windows))
    assert regime_at(calendar, at("2026-12-25 10:59:59")).kind == "closed"
    assert regime_at(calendar, at("2026-12-25 11:00")).kind == "special"
    assert regime_at(calendar, at("2026-12-25 12:00")).kind == "closed"
    night_before = regime_at(calendar, at("2026-12-24 22:00"))
    assert night_before.next_opening == at("2026-12-25 11:00")


def test_an_override_closes_an_ordinary_day() -> None:
    calendar = calendar_with(DayOverride(date(2026, 11, 24), "closed"))
    assert regime_at(calendar, at("2026-11-24 12:00")).kind == "closed"
    assert regime_at(calendar, at("2026-11-23 22:00")).next_opening == at(
        "2026-11-25 09:00"
    )


def test_windows_left_on_a_day_that_is_closed_open_nothing() -> None:
    windows = (Window("normal", time(9), time(18)),)
    calendar = calendar_with(DayOverride(date(2026, 11, 24), "closed", windows))
    assert regime_at(calendar, at("2026-11-24 12:00")).kind == "closed"


def test_an_override_of_a_holiday_may_keep_it_closed_with_its_own_words() -> None:
    calendar = calendar_with(
        DayOverride(date(2026, 12, 25), "closed", (), "Vacaciones")
    )
    regime = regime_at(calendar, at("2026-12-25 12:00"))
    assert (regime.reason, regime.rule) == ("Vacaciones", "override")


def test_the_next_opening_lies_beyond_any_run_of_closed_days() -> None:
    calendar = closed_from(date(2026, 11, 24), 300)
    opening = regime_at(calendar, at("2026-11-24 12:00")).next_opening
    # 20 September 2027 is the Monday after the run and after the holidays behind it.
    assert opening == at("2027-09-20 09:00")


def test_nothing_within_the_search_gives_no_opening_and_no_endless_loop() -> None:
    calendar = closed_from(date(2026, 11, 24), SEARCH_DAYS + 1)
    noon = at("2026-11-24 12:00")
    assert regime_at(calendar, noon).next_opening is None
    assert next_change(calendar, noon) is None
    assert next_openings(calendar, noon, 3) == []
    assert regime_at(Calendar({}, {}), noon).next_opening is None
    assert add_open_minutes(calendar, noon, 10) == noon + timedelta(days=SEARCH_DAYS)


def test_an_opening_on_the_last_day_of_the_search_is_found() -> None:
    calendar = closed_from(date(2026, 11, 24), SEARCH_DAYS)
    regime = regime_at(calendar, at("2026-11-24 12:00"))
    assert regime.next_opening == at("2027-11-29 09:00")


def test_touching_windows_of_one_kind_are_one() -> None:
    windows = (
        Window("special", time(10), time(12)),
        Window("special", time(12), time(14)),
    )
    calendar = calendar_with(DayOverride(date(2026, 11, 24), "open", windows))
    regime = regime_at(calendar, at("2026-11-24 11:00"))
    assert regime.closes_at == at("2026-11-24 14:00")


def test_a_window_in_the_hour_that_spring_skips_never_opens() -> None:
    windows = (Window("special", time(0, 15), time(0, 45)),)
    calendar = calendar_with(DayOverride(date(2026, 9, 6), "open", windows))
    regime = regime_at(calendar, at("2026-09-06T04:00:00Z"))
    assert regime.kind == "closed"
    assert regime.next_opening == at("2026-09-07 09:00")
    evening = regime_at(calendar, at("2026-09-05 22:00-04:00"))
    assert evening.next_opening == at("2026-09-07 09:00")


def test_a_window_over_the_hour_that_autumn_repeats_is_open_once() -> None:
    windows = (Window("special", time(22), time(23, 30)),)
    calendar = calendar_with(DayOverride(date(2026, 4, 4), "open", windows))
    first, second = at("2026-04-05T02:15:00Z"), at("2026-04-05T03:15:00Z")
    assert regime_at(calendar, first).closes_at == at("2026-04-05T02:30:00Z")
    assert regime_at(calendar, second).kind == "closed"


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        regime_at(DEFAULT_CALENDAR, datetime(2026, 11, 24, 12))


# --- sale -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "on_sale"),
    [
        ("2026-11-24 08:59:59", False),
        ("2026-11-24 09:00:00", True),
        ("2026-11-24 18:15:00", True),
        ("2026-11-24 21:29:59", True),
        ("2026-11-24 21:30:00", False),
        ("2026-11-24 22:00:00", False),
        ("2026-11-28 20:29:59", True),
        ("2026-11-28 20:30:00", False),
        ("2026-11-29 13:29:59", True),
        ("2026-11-29 13:30:00", False),
        ("2026-12-25 12:00:00", False),
    ],
)
def test_sale_ends_half_an_hour_before_the_days_last_closing(
    text: str, on_sale: bool
) -> None:
    assert is_on_sale(DEFAULT_CALENDAR, at(text), 30) is on_sale


def test_the_end_of_sale_is_told_while_open_only() -> None:
    noon = at("2026-11-24 12:00")
    assert sale_closes_at(DEFAULT_CALENDAR, noon, 30) == at("2026-11-24 21:30")
    assert sale_closes_at(DEFAULT_CALENDAR, at("2026-11-24 22:00"), 30) is None


# --- the promise ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes", "kind", "expected"),
    [
        ("2026-11-24 12:00:30", 10, "normal", "2026-11-24 12:10:30"),
        ("2026-11-24 18:21:00", 10, "normal", "2026-11-24 18:31:00"),
        ("2026-11-24 18:25:00", 10, "normal", "2026-11-25 09:04:00"),
        ("2026-11-24 19:00:00", 10, "normal", "2026-11-25 09:10:00"),
        ("2026-11-27 18:30:00", 10, "normal", "2026-11-30 09:09:00"),
        ("2026-12-24 18:30:00", 10, "normal", "2026-12-28 09:09:00"),
        ("2026-11-24 12:00:00", 10, "special", "2026-11-24 18:41:00"),
        ("2026-11-24 21:55:00", 10, "special", "2026-11-25 18:36:00"),
        ("2026-11-24 12:00:00", 0, "normal", "2026-11-24 12:00:00"),
        # 571 minutes are a whole normal day.
        ("2026-11-24 09:00:00", 572, "normal", "2026-11-25 09:01:00"),
    ],
)
def test_open_minutes_are_counted_in_windows_of_the_kind_only(
    text: str, minutes: int, kind: str, expected: str
) -> None:
    found = add_open_minutes(DEFAULT_CALENDAR, at(text), minutes, kind)  # type: ignore[arg-type]
    assert found == at(expected)


# --- lists for pages --------------------------------------------------------------


def test_next_openings_are_later_ones_and_no_change_of_tariff() -> None:
    expected = ["2026-11-25 09:00", "2026-11-26 09:00", "2026-11-27 09:00"]
    expected += ["2026-11-28 10:00", "2026-11-29 10:00"]
    for text in ("2026-11-24 12:00", "2026-11-24 22:00", "2026-11-24 09:00"):
        found = next_openings(DEFAULT_CALENDAR, at(text), 5)
        assert found == [at(opening) for opening in expected]


def test_upcoming_closed_days_hold_holidays_and_the_owners_days() -> None:
    open_windows = (Window("special", time(10), time(12)),)
    calendar = calendar_with(
        DayOverride(date(2026, 12, 8), "open", open_windows),
        DayOverride(date(2026, 12, 24), "closed", (), "Nochebuena"),
        DayOverride(date(2026, 12, 28), "closed"),
    )
    assert upcoming_closed_days(calendar, date(2026, 11, 24), 4) == [
        (date(2026, 12, 24), "Nochebuena"),
        (date(2026, 12, 25), "Feriado: Navidad"),
        (date(2026, 12, 28), "Sin atención"),
        (date(2027, 1, 1), "Feriado: Año Nuevo"),
    ]
    assert upcoming_closed_days(calendar, date(2026, 12, 25), 1)[0][0].day == 25
    assert len(upcoming_closed_days(calendar, date(2026, 11, 24), 99)) < 30


def test_a_day_without_windows_every_week_is_no_news() -> None:
    calendar = Calendar({**DEFAULT_WEEKLY, 6: ()}, {})
    found = upcoming_closed_days(calendar, date(2026, 11, 24), 2)
    assert [day for day, _why in found] == [date(2026, 12, 8), date(2026, 12, 25)]


def test_the_week_in_words_is_as_the_terms_print_it() -> None:
    assert weekly_text(DEFAULT_CALENDAR) == [
        ("Lunes a viernes", "09:00 a 18:30 (normal), 18:31 a 22:00 (especial)"),
        ("Sábado", "10:00 a 21:00 (especial)"),
        ("Domingo", "10:00 a 14:00 (especial)"),
    ]


def test_equal_days_share_a_line_and_days_without_windows_are_closed() -> None:
    saturday = DEFAULT_WEEKLY[5]
    assert weekly_text(Calendar({0: saturday, 5: saturday, 6: saturday}, {})) == [
        ("Lunes", "10:00 a 21:00 (especial)"),
        ("Martes a viernes", "Cerrado"),
        ("Sábado y domingo", "10:00 a 21:00 (especial)"),
    ]
    assert weekly_text(Calendar({}, {})) == [("Lunes a domingo", "Cerrado")]


# --- validation -------------------------------------------------------------------


@pytest.mark.parametrize("windows", DEFAULT_WEEKLY.values())
def test_the_default_windows_are_valid(windows: tuple[Window, ...]) -> None:
    assert check_windows(windows) == []


@pytest.mark.parametrize(
    ("windows", "problem"),
    [
        ([], "al menos un tramo"),
        ([("normal", time(10), time(10))], "terminar más tarde"),
        ([("normal", time(10), time(9))], "terminar más tarde"),
        (
            [("special", time(12), time(14)), ("normal", time(9), time(12, 1))],
            "El tramo de las 12:00 empieza antes",
        ),
        ([("normal", time(9, 0, 1), time(10))], "minutos enteros"),
        ([("closed", time(9), time(10))], "normal o especial"),
    ],
)
def test_wrong_windows_are_told_in_spanish(
    windows: list[tuple[str, time, time]], problem: str
) -> None:
    found = check_windows(Window(*parts) for parts in windows)  # type: ignore[arg-type]
    assert len(found) == 1
    assert problem in found[0]


def test_touching_windows_do_not_overlap() -> None:
    touching = [
        Window("special", time(12), time(14)),
        Window("normal", time(9), time(12)),
    ]
    assert check_windows(touching) == []
