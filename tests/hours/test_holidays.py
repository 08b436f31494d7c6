"""The library's holidays against the table of the law, and against the law itself."""

from datetime import UTC, date, datetime, timedelta

import holidays as library
import pytest

from portal import clock
from portal.hours.rules import election_suggestions, holidays_of

YEARS = range(2025, 2031)
# Day and month in each of YEARS; "-" where the year has none.
TABLE = {
    "Año Nuevo": "01-01 01-01 01-01 01-01 01-01 01-01",
    "Viernes Santo": "18-04 03-04 26-03 14-04 30-03 19-04",
    "Sábado Santo": "19-04 04-04 27-03 15-04 31-03 20-04",
    "Día Nacional del Trabajo": "01-05 01-05 01-05 01-05 01-05 01-05",
    "Día de las Glorias Navales": "21-05 21-05 21-05 21-05 21-05 21-05",
    "Día Nacional de los Pueblos Indígenas": "20-06 21-06 21-06 20-06 20-06 21-06",
    "San Pedro y San Pablo": "29-06 29-06 28-06 26-06 02-07 29-06",
    "Virgen del Carmen": "16-07 16-07 16-07 16-07 16-07 16-07",
    "Asunción de la Virgen": "15-08 15-08 15-08 15-08 15-08 15-08",
    "Fiestas Patrias": "- - 17-09 - 17-09 20-09",
    "Día de la Independencia": "18-09 18-09 18-09 18-09 18-09 18-09",
    "Día de las Glorias del Ejército": "19-09 19-09 19-09 19-09 19-09 19-09",
    "Día del Encuentro de dos Mundos": "12-10 12-10 11-10 09-10 15-10 12-10",
    "Día Nacional de las Iglesias Evangélicas y Protestantes": (
        "31-10 31-10 31-10 27-10 02-11 31-10"
    ),
    "Día de Todos los Santos": "01-11 01-11 01-11 01-11 01-11 01-11",
    "La Inmaculada Concepción": "08-12 08-12 08-12 08-12 08-12 08-12",
    "Navidad": "25-12 25-12 25-12 25-12 25-12 25-12",
}


def table_of(year: int) -> dict[date, str]:
    found = {}
    for name, row in TABLE.items():
        cell = row.split()[YEARS.index(year)]
        if cell != "-":
            day, month = map(int, cell.split("-"))
            found[date(year, month, day)] = name
    return found


@pytest.mark.parametrize("year", YEARS)
def test_a_year_has_exactly_the_holidays_of_the_table(year: int) -> None:
    assert holidays_of(year) == table_of(year)


def test_the_table_has_99_days() -> None:
    assert sum(len(holidays_of(year)) for year in YEARS) == 99


def test_names_are_spanish_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en_US")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    holidays_of.cache_clear()
    assert holidays_of(2026)[date(2026, 12, 25)] == "Navidad"
    holidays_of.cache_clear()


def test_a_year_alone_says_the_same_as_many_years_together() -> None:
    together = library.country_holidays("CL", years=range(2025, 2036), language="es")
    alone = {day for year in range(2025, 2036) for day in holidays_of(year)}
    assert alone == set(together)


def test_the_last_day_of_the_year_is_a_day_for_banks_only() -> None:
    assert date(2026, 12, 31) not in holidays_of(2026)


# --- the same days written from the laws alone -------------------------------------


def easter(year: int) -> date:
    """Meeus, Jones and Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    x = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * x) // 451
    month, day = divmod(h + x - 7 * m + 114, 31)
    return date(year, month, day + 1)


def june_solstice(year: int) -> date:
    """Santiago's day of the mean solstice (Meeus, chapter 27), right to 20 minutes."""
    y = (year - 2000) / 1000
    days = 2451716.56767 + 365241.62603 * y + 0.00325 * y**2 + 0.00888 * y**3
    epoch = datetime(2000, 1, 1, 12, tzinfo=UTC)
    return clock.local(epoch + timedelta(days=days - 2451545.0)).date()


def moved_to_monday(day: date) -> date:
    """Ley 19.668: from Tuesday to Thursday back, from Friday on, to a Monday."""
    return day + timedelta(days={1: -1, 2: -2, 3: -3, 4: 3}.get(day.weekday(), 0))


def evangelical_day(year: int) -> date:
    """Ley 20.299: Wednesday goes on to Friday, Tuesday back to the Friday before."""
    day = date(year, 10, 31)
    return day + timedelta(days={2: 2, 1: -4}.get(day.weekday(), 0))


def bridges(year: int) -> set[date]:
    """Leyes 20.215 and 20.983: days that join a holiday and a weekend."""
    found = set()
    weekday = date(year, 9, 18).weekday()
    if weekday == 1:
        found.add(date(year, 9, 17))
    if weekday == 2:
        found.add(date(year, 9, 20))
    if weekday == 5:
        found.add(date(year, 9, 17))
    if date(year, 1, 1).weekday() == 6:
        found.add(date(year, 1, 2))
    return found


def lawful_holidays(year: int) -> set[date]:
    fixed = [(1, 1), (5, 1), (5, 21), (7, 16), (8, 15), (9, 18), (9, 19), (11, 1)]
    fixed += [(12, 8), (12, 25)]
    sunday = easter(year)
    return {
        *(date(year, month, day) for month, day in fixed),
        sunday - timedelta(days=2),
        sunday - timedelta(days=1),
        june_solstice(year),
        moved_to_monday(date(year, 6, 29)),
        moved_to_monday(date(year, 10, 12)),
        evangelical_day(year),
        *bridges(year),
    }


@pytest.mark.parametrize("year", range(2023, 2041))
def test_library_and_laws_agree(year: int) -> None:
    assert set(holidays_of(year)) == lawful_holidays(year)


def test_elections_are_suggested_on_the_sundays_that_the_law_fixes() -> None:
    assert [day for day, _name in election_suggestions([2028, 2029, 2030])] == [
        date(2028, 6, 11),
        date(2028, 10, 29),
        date(2028, 11, 26),
        date(2029, 7, 1),
        date(2029, 11, 18),
        date(2029, 12, 16),
    ]
    assert all(day.weekday() == 6 for day, _name in election_suggestions())


def test_elections_close_nothing_by_themselves() -> None:
    assert date(2028, 10, 29) not in holidays_of(2028)
