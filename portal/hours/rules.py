"""When the help desk is open: windows, holidays, the owner's days. Pure.

A window is half-open and of whole minutes on Santiago's wall clock. Its edges become
UTC instants once; from there on everything is compared and added in UTC.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import Literal

import holidays

from portal.clock import ZONE

Kind = Literal["normal", "special"]
NORMAL: Kind = "normal"
SPECIAL: Kind = "special"
CLOSED: Literal["closed"] = "closed"
Rule = Literal["weekly", "holiday", "override"]
# Beyond this the customer is told to get in touch; a search never runs for ever.
SEARCH_DAYS = 370

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_OPEN_REASONS = {NORMAL: "Horario normal", SPECIAL: "Horario especial"}
_KIND_WORDS = {NORMAL: "normal", SPECIAL: "especial"}
_WEEKDAYS = ("Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo")


@dataclass(frozen=True, slots=True)
class Window:
    """Open from `opens` until just before `closes`, wall clock of one day."""

    kind: Kind
    opens: time
    closes: time


Windows = tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class DayOverride:
    """The owner's word for one day; it beats holidays and the week."""

    day: date
    state: Literal["closed", "open"]
    windows: Windows = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The week (0 is Monday; windows in order) and the owner's days."""

    weekly: Mapping[int, Windows]
    overrides: Mapping[date, DayOverride]


@dataclass(frozen=True, slots=True)
class Regime:
    """What holds at one instant, and by which rule; instants in UTC, ends exclusive.

    `closes_at` ends the current kind and `day_closes_at` the day's last window: None
    while closed. `next_opening`: None while open, or with none within SEARCH_DAYS.
    """

    kind: Literal["normal", "special", "closed"]
    closes_at: datetime | None
    day_closes_at: datetime | None
    next_opening: datetime | None
    reason: str
    rule: Rule


_WORKDAY = (
    Window(NORMAL, time(9), time(18, 31)),
    Window(SPECIAL, time(18, 31), time(22)),
)
DEFAULT_WEEKLY: Mapping[int, Windows] = {
    **dict.fromkeys(range(5), _WORKDAY),
    5: (Window(SPECIAL, time(10), time(21)),),
    6: (Window(SPECIAL, time(10), time(14)),),
}


@lru_cache(maxsize=256)
def holidays_of(year: int) -> Mapping[date, str]:
    """The year's national holidays with their names in Spanish, without Sundays."""
    # All said in full: each default of the library would answer something else.
    chile = holidays.country_holidays(
        "CL", None, year, observed=True, language="es", categories=("public",)
    )
    return dict(chile)


@lru_cache(maxsize=4096)
def _instant(day: date, at: time) -> datetime:
    """The first instant of `day` at which Santiago's clock shows `at` or later.

    Spring skips 00:00 to 00:59 and autumn shows 23:00 to 23:59 twice: read so, the
    edges of a day keep their order on both.
    """
    wall = datetime.combine(day, at)
    while True:
        instant = wall.replace(tzinfo=ZONE).astimezone(UTC)
        if instant.astimezone(ZONE).replace(tzinfo=None) == wall:
            return instant
        wall += _MINUTE


# What a whole day holds, the reason if there is one to tell, and who says so.
Plan = tuple[Windows, str, Rule]
_Span = tuple[datetime, datetime, Kind]


def day_plan(calendar: Calendar, day: date) -> Plan:
    """What one day holds, the reason if there is one to tell, and who says so."""
    override = calendar.overrides.get(day)
    if override is not None:
        windows = override.windows if override.state == "open" else ()
        return windows, override.note, "override"
    holiday = holidays_of(day.year).get(day)
    if holiday is not None:
        return (), f"Feriado: {holiday}", "holiday"
    return calendar.weekly.get(day.weekday(), ()), "", "weekly"


def _spans(windows: Windows, day: date) -> list[_Span]:
    """The day's windows as instants; touching ones of one kind are joined."""
    spans: list[_Span] = []
    for window in windows:
        opens, closes = _instant(day, window.opens), _instant(day, window.closes)
        if opens == closes:
            continue  # it fell whole into the hour that spring skips
        if spans and spans[-1][1] == opens and spans[-1][2] == window.kind:
            opens = spans.pop()[0]
        spans.append((opens, closes, window.kind))
    return spans


def _local_day(instant: datetime) -> date:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return instant.astimezone(ZONE).date()


def _spans_from(calendar: Calendar, day: date) -> Iterator[_Span]:
    for each in (day + n * _DAY for n in range(SEARCH_DAYS + 1)):
        yield from _spans(day_plan(calendar, each)[0], each)


def _openings_after(calendar: Calendar, instant: datetime) -> Iterator[datetime]:
    """Each later instant at which closed turns into open."""
    closed_at: datetime | None = None
    for opens, closes, _kind in _spans_from(calendar, _local_day(instant)):
        if opens > instant and opens != closed_at:
            yield opens
        closed_at = closes


def _closed_reason(note: str, spans: list[_Span], instant: datetime) -> str:
    if not spans:
        return note or "Hoy no atendemos"
    if instant < spans[0][0]:
        return "Aún no abrimos"
    return "Cerrado por hoy" if instant >= spans[-1][1] else "Abrimos de nuevo hoy"


def regime_at(calendar: Calendar, instant: datetime) -> Regime:
    """The regime of an instant. Raises ValueError when it has no offset."""
    day = _local_day(instant)
    windows, note, rule = day_plan(calendar, day)
    spans = _spans(windows, day)
    for opens, closes, kind in spans:
        if opens <= instant < closes:
            reason = note or _OPEN_REASONS[kind]
            return Regime(kind, closes, spans[-1][1], None, reason, rule)
    opening = next(_openings_after(calendar, instant), None)
    reason = _closed_reason(note, spans, instant)
    return Regime(CLOSED, None, None, opening, reason, rule)


def next_change(calendar: Calendar, instant: datetime) -> datetime | None:
    """The next instant at which the kind changes; None within SEARCH_DAYS."""
    regime = regime_at(calendar, instant)
    return regime.closes_at or regime.next_opening


def sale_closes_at(
    calendar: Calendar, instant: datetime, last_sale_minutes: int
) -> datetime | None:
    """Until when the day sells attention (it may be past); None while closed."""
    closes_at = regime_at(calendar, instant).day_closes_at
    return closes_at and closes_at - timedelta(minutes=last_sale_minutes)


def is_on_sale(calendar: Calendar, instant: datetime, last_sale_minutes: int) -> bool:
    """Whether attention is sold: open, and not too near the day's last closing."""
    until = sale_closes_at(calendar, instant, last_sale_minutes)
    return until is not None and instant < until


def add_open_minutes(
    calendar: Calendar, instant: datetime, minutes: int, kind: Kind = NORMAL
) -> datetime:
    """The instant at which `minutes` open minutes of `kind` have gone by.

    With fewer in SEARCH_DAYS, the end of the search: settling money must not fail here.
    """
    left = timedelta(minutes=minutes)
    start = instant.astimezone(UTC)
    if not left:
        return start
    for opens, closes, each in _spans_from(calendar, _local_day(instant)):
        if each != kind or closes <= start:
            continue
        begins = max(opens, start)
        if closes - begins >= left:
            return begins + left
        left -= closes - begins
    return start + timedelta(days=SEARCH_DAYS)


def next_openings(calendar: Calendar, instant: datetime, count: int) -> list[datetime]:
    """The next `count` openings after `instant`, fewer when there are none."""
    return list(islice(_openings_after(calendar, instant), count))


def upcoming_closed_days(
    calendar: Calendar, day: date, count: int
) -> list[tuple[date, str]]:
    """The next days, from `day` on, that a holiday or the owner closes, and why."""
    found: list[tuple[date, str]] = []
    last = day + SEARCH_DAYS * _DAY
    while day <= last and len(found) < count:
        windows, note, rule = day_plan(calendar, day)
        if rule != "weekly" and not windows:
            found.append((day, note or "Sin atención"))
        day += _DAY
    return found


def windows_text(windows: Windows) -> str:
    """A day's windows in words: '09:00 a 18:30 (normal), ...', or 'Cerrado'."""
    parts, openings = [], {window.opens for window in windows}
    for window in windows:
        closes = datetime.combine(date.min, window.closes)
        if window.closes in openings:
            closes -= _MINUTE  # as the terms print it: 18:30, and then 18:31
        word = _KIND_WORDS[window.kind]
        parts.append(f"{window.opens:%H:%M} a {closes:%H:%M} ({word})")
    return ", ".join(parts) or "Cerrado"


def _days_text(first: int, last: int) -> str:
    if first == last:
        return _WEEKDAYS[first]
    joint = "y" if last == first + 1 else "a"
    return f"{_WEEKDAYS[first]} {joint} {_WEEKDAYS[last].lower()}"


def weekly_text(calendar: Calendar) -> list[tuple[str, str]]:
    """The week in words, one line for each run of equal days."""
    week = [calendar.weekly.get(day, ()) for day in range(7)]
    starts = [day for day in range(7) if day == 0 or week[day] != week[day - 1]]
    ends = [*(start - 1 for start in starts[1:]), 6]
    return [
        (_days_text(first, last), windows_text(week[first]))
        for first, last in zip(starts, ends, strict=True)
    ]


def _mark(windows: Windows) -> str:
    return ",".join(f"{it.kind[0]}{it.opens:%H%M}{it.closes:%H%M}" for it in windows)


def week_mark(weekly: Mapping[int, Windows]) -> str:
    """What a page carries of the week that it shows, to know it again."""
    return "|".join(_mark(weekly.get(day, ())) for day in range(7))


def day_mark(calendar: Calendar, day: date) -> str:
    """What a page carries of the owner's word for a day, to know it again."""
    override = calendar.overrides.get(day)
    if override is None:
        return ""
    return f"{override.state}|{_mark(override.windows)}|{override.note}"


def _window_problems(window: Window) -> Iterator[str]:
    if window.kind not in _KIND_WORDS:
        yield "Cada tramo es de horario normal o especial."
    if any(at.second or at.microsecond for at in (window.opens, window.closes)):
        yield "Las horas van en minutos enteros, como 18:31."
    if window.closes <= window.opens:
        yield f"El tramo de las {window.opens:%H:%M} debe terminar más tarde."


def check_windows(windows: Iterable[Window]) -> list[str]:
    """What is wrong with a day's windows, in Spanish; an empty list when nothing."""
    ordered = sorted(windows, key=lambda window: (window.opens, window.closes))
    if not ordered:
        return ["Indique al menos un tramo de atención."]
    return [text for window in ordered for text in _window_problems(window)] + [
        f"El tramo de las {later.opens:%H:%M} empieza antes de que termine el anterior."
        for window, later in pairwise(ordered)
        if later.opens < window.closes
    ]


def election_suggestions(
    years: Iterable[int] = range(2028, 2038),
) -> list[tuple[date, str]]:
    """Sundays on which an election is expected, to be confirmed by the owner."""
    found: list[tuple[date, str]] = []
    for year in (year for year in years if year % 4 < 2):
        local = year % 4 == 0
        # The last Sunday of October, or the third one of November.
        day = date(year, 10, 25) if local else date(year, 11, 15)
        day += (6 - day.weekday()) * _DAY
        name = "municipales y regionales" if local else "de presidente y Congreso"
        found.append((day - 140 * _DAY, "Elecciones primarias"))
        found.append((day, f"Elecciones {name}"))
        found.append((day + 28 * _DAY, "Segunda vuelta"))
    return found
