"""The calendar of the owner's page, and whom a change would leave waiting. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.clock import local
from portal.hours.rules import (
    CLOSED,
    Calendar,
    day_plan,
    election_suggestions,
    regime_at,
    windows_text,
)

MONTHS_SHOWN = 18
MONTH_NAMES = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
OWN, SHUT, HOLIDAY, ELECTION, REST, USUAL = (
    "own",
    "shut",
    "holiday",
    "election",
    "rest",
    "usual",
)
ORIGINS = {
    SHUT: "Cerrado por usted",
    OWN: "Horario propio",
    HOLIDAY: "Feriado",
    ELECTION: "Posible elección",
}
# What stands in the square of a day, so that no colour speaks alone.
SIGNS = {SHUT: "C", OWN: "P", HOLIDAY: "F", ELECTION: "E", REST: "–", USUAL: ""}


@dataclass(frozen=True, slots=True)
class Day:
    """One square of the calendar; `text` says why it is not a usual day."""

    day: date
    origin: str
    text: str

    @property
    def sign(self) -> str:
        return SIGNS[self.origin]

    @property
    def is_special(self) -> bool:
        """Whether the list below the month names it."""
        return self.origin in ORIGINS


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its weeks from Monday to Sunday, None outside it."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]

    @property
    def title(self) -> str:
        return f"{MONTH_NAMES[self.first.month - 1]} de {self.first.year}"

    @property
    def special(self) -> list[Day]:
        return [day for week in self.weeks for day in week if day and day.is_special]


def months_from(
    calendar: Calendar, today: date, count: int = MONTHS_SHOWN
) -> list[Month]:
    """The months from today's on, each day with its origin."""
    suggested = dict(election_suggestions(range(today.year, today.year + 3)))
    found, first = [], today.replace(day=1)
    for _ in range(count):
        after = (first + timedelta(days=31)).replace(day=1)
        found.append(_month(calendar, first, after, suggested))
        first = after
    return found


def _month(
    calendar: Calendar, first: date, after: date, suggested: dict[date, str]
) -> Month:
    squares: list[Day | None] = [None] * first.weekday()
    squares += [
        day_of(calendar, first + timedelta(days=number), suggested)
        for number in range((after - first).days)
    ]
    squares += [None] * (-len(squares) % 7)
    weeks = (tuple(squares[at : at + 7]) for at in range(0, len(squares), 7))
    return Month(first, tuple(weeks))


def day_of(calendar: Calendar, day: date, suggested: dict[date, str]) -> Day:
    """What one day is, and by whose word; the owner's beats a suggestion."""
    windows, note, rule = day_plan(calendar, day)
    if rule == "override":
        text = windows_text(windows) if windows else "Cerrado"
        return Day(day, OWN if windows else SHUT, f"{text}. {note}".strip(". "))
    if rule == "holiday":
        return Day(day, HOLIDAY, note.removeprefix("Feriado: "))
    if day in suggested:
        return Day(day, ELECTION, f"{suggested[day]}: decida usted si cierra")
    return Day(day, USUAL if windows else REST, windows_text(windows))


def is_stranded(old: Calendar, new: Calendar, instant: datetime) -> bool:
    """Whether who was to be attended at `instant` (UTC) would find it closed."""
    if regime_at(old, instant).kind != CLOSED:
        return regime_at(new, instant).kind == CLOSED
    day = local(instant).date()
    return bool(day_plan(old, day)[0]) and not day_plan(new, day)[0]


def without_day(calendar: Calendar, day: date) -> Calendar:
    """The calendar when the owner's word for a day is taken away."""
    kept = {key: it for key, it in calendar.overrides.items() if key != day}
    return Calendar(calendar.weekly, kept)


def days_between(first: date, last: date, limit: int) -> Iterable[date]:
    """Each day of the range, at most `limit`."""
    count = min((last - first).days + 1, limit)
    return (first + timedelta(days=number) for number in range(count))
