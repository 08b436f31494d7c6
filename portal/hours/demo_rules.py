"""Moments that the demo's clock offers, and how a typed one is read. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from portal.clock import ZONE
from portal.errors import RefusedError
from portal.hours.rules import SEARCH_DAYS, Calendar, regime_at

# The library knows Chile's holidays up to 2100, and a search looks a year ahead.
FIRST_YEAR, LAST_YEAR = 2000, 2098
_TUESDAY, _SUNDAY = 1, 6


@dataclass(frozen=True)
class Preset:
    """A moment by its button: the next one of a weekday (None: any) and a regime."""

    slug: str
    label: str
    at: time
    kind: str
    weekday: int | None = None


PRESETS = (
    Preset(
        "normal", "Martes 10:00 (horario normal)", time(10), "normal", weekday=_TUESDAY
    ),
    Preset(
        "especial",
        "Martes 19:00 (horario especial)",
        time(19),
        "special",
        weekday=_TUESDAY,
    ),
    Preset("cerrado", "Domingo 22:00 (cerrado)", time(22), "closed", weekday=_SUNDAY),
    Preset(
        "cambio",
        "18:29 (dos minutos antes del horario especial)",
        time(18, 29),
        "normal",
    ),
)


def _moments(preset: Preset, now: datetime) -> Iterator[datetime]:
    """The preset's moments after `now`, day by day."""
    today = now.astimezone(ZONE).date()
    for day in (today + timedelta(days=n) for n in range(SEARCH_DAYS)):
        if preset.weekday is None or day.weekday() == preset.weekday:
            moment = datetime.combine(day, preset.at, tzinfo=ZONE).astimezone(UTC)
            if moment > now:
                yield moment


def find_preset(slug: str) -> Preset | None:
    """The preset with this slug, or None."""
    return next((preset for preset in PRESETS if preset.slug == slug), None)


def moment_of(preset: Preset, now: datetime, calendar: Calendar) -> datetime:
    """The next moment of the preset at which its regime holds, holidays passed over.

    Raises RefusedError when the owner's calendar has none.
    """
    for moment in _moments(preset, now):
        if regime_at(calendar, moment).kind == preset.kind:
            return moment
    raise RefusedError("El calendario no tiene un momento así.")


def parse_moment(text: str) -> datetime:
    """`2026-11-24T10:00`, Santiago's wall clock, as an instant in UTC.

    Raises RefusedError with the reason.
    """
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise RefusedError("Escriba fecha y hora, como 24-11-2026 10:00.") from error
    if wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise RefusedError(
            f"Elija una fecha entre {FIRST_YEAR} y {LAST_YEAR}, en hora de Santiago."
        )
    return wall.replace(tzinfo=ZONE).astimezone(UTC)
