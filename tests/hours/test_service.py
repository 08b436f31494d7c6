"""The owner's changes of days and week: checked, journaled, seen by live screens."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import NotFoundError, RefusedError
from portal.hours import service
from portal.hours.models import DayOverrideRow, WeeklyWindow
from portal.hours.queries import DEFAULT_CALENDAR, load_calendar
from portal.hours.rules import DEFAULT_WEEKLY, DayOverride, Window, regime_at
from portal.journal.models import JournalEntry
from portal.journal.service import Actor
from portal.settings.queries import revision

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
OWNER: dict[str, Any] = {"actor": Actor("staff", 1), "now": NOW}
EVE = date(2026, 12, 24)
MORNING = (Window("normal", time(9), time(13)),)


def story(session: Session) -> list[tuple[str, str | None, str | None]]:
    rows = session.scalars(select(JournalEntry).order_by(JournalEntry.id))
    return [(row.action, row.from_state, row.to_state) for row in rows]


def replace_week(weekly: dict[int, tuple[Window, ...]]) -> None:
    with transaction() as session:
        service.replace_weekly(session, weekly, **OWNER)


def test_without_rows_the_default_week_holds(session: Session) -> None:
    assert load_calendar(session) == DEFAULT_CALENDAR


def test_an_override_is_read_back_as_it_was_set(session: Session) -> None:
    windows = (Window("special", time(18, 31), time(20)), *MORNING)
    service.set_override(DayOverride(EVE, "open", windows, " Nochebuena "), **OWNER)
    override = load_calendar(session).overrides[EVE]
    # In order, and the note without its blanks.
    assert override == DayOverride(EVE, "open", (*MORNING, windows[0]), "Nochebuena")


def test_setting_changing_and_removing_a_day_is_journaled(session: Session) -> None:
    service.set_override(DayOverride(EVE, "open", MORNING), **OWNER)
    service.set_override(DayOverride(EVE, "closed", (), "Vacaciones"), **OWNER)
    service.remove_override(EVE, **OWNER)
    assert story(session) == [
        ("day_override.set", None, "open"),
        ("day_override.set", "open", "closed"),
        ("day_override.removed", "closed", None),
    ]
    entries = list(session.scalars(select(JournalEntry)))
    assert {(entry.actor_kind, entry.actor_id) for entry in entries} == {("staff", 1)}
    assert {entry.object_id for entry in entries} == {20261224}
    assert entries[1].data["note"] == "Vacaciones"
    assert load_calendar(session) == DEFAULT_CALENDAR


def test_a_range_of_days_is_one_act(session: Session) -> None:
    service.set_override(
        DayOverride(EVE, "closed", (), "Vacaciones"), until=date(2027, 1, 3), **OWNER
    )
    overrides = load_calendar(session).overrides
    assert len(overrides) == 11
    assert {override.note for override in overrides.values()} == {"Vacaciones"}
    assert len(story(session)) == 11
    assert revision(session) == 1


def test_live_screens_learn_of_every_change(session: Session) -> None:
    service.set_override(DayOverride(EVE, "closed"), **OWNER)
    assert revision(session) == 1
    service.remove_override(EVE, **OWNER)
    assert revision(session) == 2
    replace_week({0: MORNING})
    assert revision(session) == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (DayOverride(EVE, "open"), "al menos un tramo"),
        (DayOverride(EVE, "closed", MORNING), "no lleva tramos"),
        (DayOverride(EVE, "open", MORNING * 2), "empieza antes"),
        (DayOverride(EVE, "closed", (), "x" * 201), "200 caracteres"),
        (DayOverride(EVE, "closed", (), "a\x00b"), "no se pueden usar"),
    ],
)
def test_a_wrong_override_is_refused_and_nothing_is_written(
    session: Session, override: DayOverride, message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        service.set_override(override, **OWNER)
    assert load_calendar(session) == DEFAULT_CALENDAR
    assert story(session) == []
    assert revision(session) == 0


@pytest.mark.parametrize("until", [date(2026, 12, 23), date(2027, 12, 24)])
def test_a_range_backwards_or_too_long_is_refused(
    session: Session, until: date
) -> None:
    with pytest.raises(RefusedError, match="días"):
        service.set_override(DayOverride(EVE, "closed"), until=until, **OWNER)
    assert load_calendar(session) == DEFAULT_CALENDAR


def test_removing_what_is_not_there_says_so(session: Session) -> None:
    with pytest.raises(NotFoundError):
        service.remove_override(EVE, **OWNER)
    assert story(session) == []


def test_the_week_is_replaced_as_a_whole(session: Session) -> None:
    replace_week({day: MORNING for day in range(7)})
    replace_week({0: (*MORNING, Window("special", time(15), time(16)))})
    calendar = load_calendar(session)
    assert calendar.weekly == {0: (*MORNING, Window("special", time(15), time(16)))}
    assert regime_at(calendar, NOW).kind == "closed"
    before = [entry.data["before"] for entry in session.scalars(select(JournalEntry))]
    assert before[0]["5"] == [["special", "10:00", "21:00"]]
    assert before[1]["5"] == [["normal", "09:00", "13:00"]]


def test_writing_the_default_week_changes_no_answer(session: Session) -> None:
    replace_week(dict(DEFAULT_WEEKLY))
    assert load_calendar(session) == DEFAULT_CALENDAR


def test_a_failure_of_the_caller_undoes_the_week(session: Session) -> None:
    def publish_badly() -> None:
        with transaction() as inner:
            service.replace_weekly(inner, {0: MORNING}, **OWNER)
            raise RuntimeError("the terms could not be published")

    with pytest.raises(RuntimeError, match="published"):
        publish_badly()
    assert load_calendar(session) == DEFAULT_CALENDAR
    assert story(session) == []


@pytest.mark.parametrize("weekly", [{}, {0: ()}, {0: MORNING * 2}])
def test_a_wrong_week_is_refused(session: Session, weekly: dict[int, Any]) -> None:
    with pytest.raises(RefusedError):
        replace_week(weekly)
    assert load_calendar(session) == DEFAULT_CALENDAR


def test_a_weekday_that_does_not_exist_is_a_programmers_error(session: Session) -> None:
    with pytest.raises(ValueError, match="weekday"):
        replace_week({7: MORNING})


@pytest.mark.parametrize(
    "row",
    [
        WeeklyWindow(weekday=7, kind="normal", opens=time(9), closes=time(10)),
        WeeklyWindow(weekday=0, kind="closed", opens=time(9), closes=time(10)),
        WeeklyWindow(weekday=0, kind="normal", opens=time(10), closes=time(10)),
        DayOverrideRow(day=EVE, state="half", windows=[], note="", updated_at=NOW),
    ],
)
def test_the_tables_refuse_what_no_service_writes(session: Session, row: Any) -> None:
    # A copy: the parameters of a test outlive it, and rows belong to one session.
    values = {k: v for k, v in vars(row).items() if not k.startswith("_")}
    session.add(type(row)(**values))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_an_order_keeps_the_decision_and_the_versions_of_its_data() -> None:
    decision = service.decision(regime_at(DEFAULT_CALENDAR, NOW), NOW)
    assert decision["kind"] == "normal"
    assert decision["rule"] == "weekly"
    assert decision["instant"] == "2026-11-24T15:00:00+00:00"
    assert decision["holidays"].startswith("0.")
    assert decision["tzdata"].startswith("20")
