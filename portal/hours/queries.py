"""Reading the calendar."""

from datetime import time
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.hours.models import DayOverrideRow, WeeklyWindow
from portal.hours.rules import (
    DEFAULT_WEEKLY,
    Calendar,
    DayOverride,
    Kind,
    Window,
    Windows,
)

DEFAULT_CALENDAR = Calendar(DEFAULT_WEEKLY, {})
# Built once: every page of the shop asks them.
_WINDOWS = select(WeeklyWindow).order_by(WeeklyWindow.opens)
_DAYS = select(DayOverrideRow)


def load_calendar(session: Session) -> Calendar:
    """The week and the owner's days as they stand; the default week when unset."""
    weekly: dict[int, Windows] = {}
    for row in session.scalars(_WINDOWS):
        window = Window(cast(Kind, row.kind), row.opens, row.closes)
        weekly[row.weekday] = (*weekly.get(row.weekday, ()), window)
    overrides = {row.day: to_override(row) for row in session.scalars(_DAYS)}
    return Calendar(weekly or DEFAULT_WEEKLY, overrides)


def to_override(row: DayOverrideRow) -> DayOverride:
    """The rules' value of a row."""
    windows = tuple(
        Window(cast(Kind, kind), time.fromisoformat(opens), time.fromisoformat(closes))
        for kind, opens, closes in row.windows
    )
    state: str = row.state
    return DayOverride(
        row.day, "open" if state == "open" else "closed", windows, row.note
    )
