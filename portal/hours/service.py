"""Changing the calendar, and the record of a decision taken with it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from importlib.metadata import version

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import NotFoundError, RefusedError, StaleStateError
from portal.hours.models import DayOverrideRow, WeeklyWindow
from portal.hours.queries import load_calendar
from portal.hours.rules import (
    DayOverride,
    Regime,
    Window,
    Windows,
    check_windows,
    day_mark,
    week_mark,
)
from portal.journal.service import Actor, record
from portal.settings.service import bump_revision
from portal.text import clean_text

NOTE_LIMIT = 200
MAX_DAYS_AT_ONCE = 62
_VERSIONS = {name: version(name) for name in ("holidays", "tzdata")}


def decision(regime: Regime, now: datetime) -> dict[str, str]:
    """What an order keeps of the regime it was sold in: later data do not change it."""
    return {
        "kind": regime.kind,
        "rule": regime.rule,
        "instant": now.isoformat(),
        **_VERSIONS,
    }


def _as_lists(windows: Windows) -> list[list[str]]:
    return [
        [window.kind, f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"]
        for window in sorted(windows, key=lambda window: window.opens)
    ]


def _checked_note(override: DayOverride) -> str:
    """The note, cleaned. Raises RefusedError with all that is wrong in the override."""
    problems = check_windows(override.windows) if override.state == "open" else []
    if override.state == "closed" and override.windows:
        problems = ["Un día cerrado no lleva tramos de atención."]
    if problems:
        raise RefusedError(" ".join(problems))
    try:
        return clean_text(override.note, NOTE_LIMIT)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _days(first: date, last: date) -> list[date]:
    count = (last - first).days + 1
    if not 1 <= count <= MAX_DAYS_AT_ONCE:
        raise RefusedError(f"Indique de 1 a {MAX_DAYS_AT_ONCE} días, en orden.")
    return [first + timedelta(days=n) for n in range(count)]


def _record_day(
    session: Session,
    day: date,
    action: str,
    states: tuple[str | None, str | None],
    data: Mapping[str, object],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="day_override",
        object_id=int(f"{day:%Y%m%d}"),
        from_state=states[0],
        to_state=states[1],
        data={"day": day.isoformat(), **data},
    )


def _kept(row: DayOverrideRow | None) -> dict[str, object] | None:
    """What the history keeps of a day before it is changed."""
    return {"windows": row.windows, "note": row.note} if row else None


def _require_day(session: Session, day: date, seen: str | None) -> None:
    if seen is not None and seen != day_mark(load_calendar(session), day):
        raise StaleStateError("Otra persona cambió ese día entre tanto.")


def set_override(
    override: DayOverride,
    *,
    until: date | None = None,
    actor: Actor,
    now: datetime,
    seen: str | None = None,
) -> None:
    """Write the owner's word for a day, or for each day up to `until` inclusive.

    `seen` is the `rules.day_mark` of the first day as it was shown. Raises RefusedError
    when the windows, the note or the range are not right, StaleStateError when that day
    was changed since.
    """
    note, windows = _checked_note(override), _as_lists(override.windows)
    with transaction() as session:
        _require_day(session, override.day, seen)
        for day in _days(override.day, until or override.day):
            known = session.get(DayOverrideRow, day)
            before = _kept(known)
            row = known or DayOverrideRow(day=day)
            states = (row.state, override.state)
            row.state, row.windows, row.note = override.state, windows, note
            row.updated_at = now
            session.add(row)
            data = {"before": before, "windows": windows, "note": note}
            _record_day(
                session, day, "day_override.set", states, data, actor=actor, now=now
            )
        bump_revision(session, now)


def remove_override(
    day: date, *, actor: Actor, now: datetime, seen: str | None = None
) -> None:
    """Give a day back to holidays and week.

    `seen` is the `rules.day_mark` of the day as it was shown. Raises NotFoundError when
    it had none, StaleStateError when it was changed since.
    """
    with transaction() as session:
        row = session.get(DayOverrideRow, day)
        if row is None:
            raise NotFoundError("Ese día no tiene un horario propio.")
        _require_day(session, day, seen)
        states, data = (row.state, None), {"before": _kept(row)}
        session.delete(row)
        _record_day(
            session, day, "day_override.removed", states, data, actor=actor, now=now
        )
        bump_revision(session, now)


def _check_week(weekly: Mapping[int, Windows]) -> None:
    if not set(weekly) <= set(range(7)):
        raise ValueError("a weekday is 0 to 6")
    if not any(weekly.values()):
        raise RefusedError("Deje al menos un día de la semana con atención.")
    problems = [
        problem
        for _weekday, windows in sorted(weekly.items())
        if windows
        for problem in check_windows(windows)
    ]
    if problems:
        raise RefusedError(" ".join(dict.fromkeys(problems)))


def _row(weekday: int, window: Window) -> WeeklyWindow:
    return WeeklyWindow(
        weekday=weekday, kind=window.kind, opens=window.opens, closes=window.closes
    )


def require_week(session: Session, seen: str | None) -> None:
    """Raise StaleStateError when the week is not the one that was seen; None passes."""
    if seen is not None and seen != week_mark(load_calendar(session).weekly):
        raise StaleStateError("Otra persona cambió el horario entre tanto.")


def replace_weekly(
    session: Session, weekly: Mapping[int, Windows], *, actor: Actor, now: datetime
) -> None:
    """Write the whole week anew in the caller's transaction; a day left out is closed.

    The terms quote the week, so only `terms.service` calls this. Raises RefusedError
    when a window is wrong or no day is left open.
    """
    _check_week(weekly)
    before = load_calendar(session).weekly
    session.execute(delete(WeeklyWindow))
    session.add_all(
        _row(weekday, window)
        for weekday, windows in weekly.items()
        for window in windows
    )
    record(
        session,
        at=now,
        actor=actor,
        action="weekly_windows.replaced",
        object_kind="weekly_window",
        object_id=0,
        data={
            name: {str(day): _as_lists(windows) for day, windows in week.items()}
            for name, week in (("before", before), ("after", weekly))
        },
    )
    bump_revision(session, now)
