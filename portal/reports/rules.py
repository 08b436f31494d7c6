"""Months as Santiago lives them, and the arithmetic of a report. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from babel.dates import format_date as babel_date

from portal.clock import ZONE, local
from portal.errors import NotFoundError, RefusedError

# What the demo's clock and the calendar of holidays reach.
FIRST_YEAR, LAST_YEAR = 2000, 2098
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_DAY = re.compile(r"[0-9]{1,2}", re.ASCII)


def start_of(day: date) -> datetime:
    """The first instant (UTC) of Santiago's day, also where midnight does not exist."""
    return datetime.combine(day, time.min, tzinfo=ZONE).astimezone(UTC)


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month of Santiago."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        """The month after it."""
        after = self.first + timedelta(days=31)
        return Month(after.year, after.month)

    @property
    def previous(self) -> "Month":
        """The month before it."""
        before = self.first - timedelta(days=1)
        return Month(before.year, before.month)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.next.first - self.first).days

    @property
    def begins(self) -> datetime:
        """Its first instant, UTC."""
        return start_of(self.first)

    @property
    def ends(self) -> datetime:
        """The first instant that is no longer in it, UTC."""
        return start_of(self.next.first)

    @property
    def title(self) -> str:
        """'noviembre de 2026'."""
        return str(babel_date(self.first, "MMMM 'de' y", locale="es_CL"))

    def day(self, number: int) -> date:
        """One of its days. Raises ValueError when it has no such day."""
        return self.first.replace(day=number)


def month_of(instant: datetime) -> Month:
    """Santiago's month at an instant."""
    here = local(instant)
    return Month(here.year, here.month)


def parse_month(text: str, now: datetime) -> Month:
    """'2026-11' -> the month.

    Raises NotFoundError for what is no month, RefusedError for one that has not begun.
    """
    found = _MONTH.fullmatch(text)
    year, number = (int(part) for part in found.groups()) if found else (0, 0)
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= number <= 12):
        raise NotFoundError("Escriba el mes como año y mes: /informes/2026-11.")
    month = Month(year, number)
    if month.begins > now:
        raise RefusedError(
            f"{month.title.capitalize()} todavía no empieza. El mes en curso es "
            f"{month_of(now).title}: /informes/{month_of(now)}."
        )
    return month


def parse_day(month: Month, text: str) -> date | None:
    """'5' or '05' -> the day; None when the month has no such day."""
    if not _DAY.fullmatch(text) or not 1 <= int(text) <= month.days:
        return None
    return month.day(int(text))


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took: whole seconds, None when it never happened."""

    count: int
    median: int | None
    p90: int | None


def spread(values: Sequence[int]) -> Spread:
    """Median (the lower half-second cut off) and 90th percentile, nearest rank."""
    ranked, count = sorted(values), len(values)
    if not count:
        return Spread(0, None, None)
    middle = (ranked[(count - 1) // 2] + ranked[count // 2]) // 2
    return Spread(count, middle, ranked[-(-9 * count // 10) - 1])


def whole_minutes(seconds: int) -> int:
    """Seconds as minutes, half a minute up: what a row and the sum of rows show."""
    return (seconds + 30) // 60


def duration_words(seconds: int | None) -> str:
    """45 -> '45 s'; 270 -> '4 min 30 s'; 4000 -> '1 h 7 min'."""
    if seconds is None:
        return "sin datos"
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(whole_minutes(seconds), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def tenths(part: int, whole: int) -> int | None:
    """Tenths of a percent, half up; None of nothing."""
    return (2000 * part + whole) // (2 * whole) if whole > 0 else None


def percent_words(tenths_of_percent: int | None) -> str:
    """865 -> '86,5 %'."""
    if tenths_of_percent is None:
        return "sin datos"
    whole, rest = divmod(abs(tenths_of_percent), 10)
    sign = "-" if tenths_of_percent < 0 else ""
    return f"{sign}{whole},{rest} %"


def change_words(now: int, before: int) -> str:
    """'+12,5 %', '-3,0 %', 'igual'; in words where there is nothing to compare with."""
    if now == before:
        return "igual"
    if before <= 0:
        return "antes no hubo"
    moved = tenths(abs(now - before), before)
    return f"{'+' if now > before else '-'}{percent_words(moved)}"


def level(value: int, highest: int, levels: int) -> int:
    """0 for nothing, else 1 to `levels` by the share of the highest."""
    if value <= 0 or highest <= 0:
        return 0
    return min(levels, 1 + value * levels // (highest + 1))
