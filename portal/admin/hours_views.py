"""The week, the calendar of 18 months, and the owner's days."""

from datetime import date, datetime
from typing import cast

from flask import Blueprint, Response, flash, redirect, request

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin import hours_rules
from portal.admin.fields_forms import parse_day
from portal.admin.hours_forms import WEEKDAYS, DayForm, WeekForm
from portal.admin.hours_queries import Stranded, stranded
from portal.chile import format_day
from portal.db import db
from portal.errors import RefusedError, StaleStateError
from portal.hours import service as hours_service
from portal.hours.queries import load_calendar
from portal.hours.rules import (
    Calendar,
    DayOverride,
    day_mark,
    election_suggestions,
    week_mark,
    weekly_text,
)
from portal.journal.service import Actor
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.web import page

bp = Blueprint("admin_hours", __name__, url_prefix="/administrar/horario")


def _actor() -> Actor:
    return Actor("staff", person().id)


def _calendar() -> Calendar:
    return load_calendar(db.session())


def _done(message: str) -> Response:
    flash(message)
    return cast(Response, redirect("/administrar/horario", 303))


@bp.get("")
@owner_required
def hours() -> Response:
    """The week in words, and eighteen months with every day that is not usual."""
    now, calendar = clock.utcnow(), _calendar()
    today = clock.local(now).date()
    return page(
        "admin/hours.html",
        person=person(),
        week=weekly_text(calendar),
        months=hours_rules.months_from(calendar, today),
        origins=hours_rules.ORIGINS,
        signs=hours_rules.SIGNS,
        today=today,
    )


# The week --------------------------------------------------------------


@bp.get("/semana")
@owner_required
def week() -> Response:
    """The windows of each weekday."""
    form, calendar = WeekForm(formdata=None), _calendar()
    form.fill(None, calendar.weekly)
    form.seen.data = week_mark(calendar.weekly)
    return _week(form)


@bp.post("/semana")
@owner_required
def save_week() -> Response:
    """Write the whole week and publish the terms that quote it."""
    form, now, old = WeekForm(), clock.utcnow(), _calendar()
    form.fill(request.form, {})
    if not form.validate_days():
        return _week(form, 422)
    weekly = form.weekly()
    affected = stranded(db.session(), old, Calendar(weekly, old.overrides), now)
    if affected and not form.confirm.data:
        return _week(form, 422, affected)
    try:
        number = terms_service.replace_weekly(
            weekly, actor=_actor(), now=now, seen=str(form.seen.data or "")
        )
    except StaleStateError:
        form.seen.data = week_mark(_calendar().weekly)
        return _week(form, 409, theirs=weekly_text(_calendar()))
    except RefusedError as error:
        form.days[0].error = str(error)
        return _week(form, 422)
    return _done(f"Horario guardado. Rige la versión {number} de los términos.")


def _week(
    form: WeekForm,
    code: int = 200,
    affected: list[Stranded] | None = None,
    theirs: list[tuple[str, str]] | None = None,
) -> Response:
    return page(
        "admin/week.html",
        code,
        person=person(),
        form=form,
        weekdays=WEEKDAYS,
        affected=affected or [],
        theirs=theirs or [],
        next_terms=terms_queries.current_number(db.session()) + 1,
    )


# One day ---------------------------------------------------------------


@bp.get("/dia")
@owner_required
def day() -> Response:
    """The owner's word for a day: as it stands, or empty."""
    try:
        chosen = parse_day(request.args.get("dia", "")[:10])
    except ValueError:
        chosen = clock.local(clock.utcnow()).date()
    return _as_stored(chosen)


def _as_stored(chosen: date, code: int = 200, is_late: bool = False) -> Response:
    calendar = _calendar()
    override = calendar.overrides.get(chosen)
    values = {"first": chosen, "seen": day_mark(calendar, chosen)}
    if override is not None:
        values |= {"state": override.state, "note": override.note}
    form = DayForm(formdata=None, data=values)
    weekly = calendar.weekly.get(chosen.weekday(), ())
    form.fill(None, override.windows if override and override.windows else weekly)
    return _day(form, chosen, code, is_late=is_late)


@bp.post("/dia")
@owner_required
def save_day() -> Response:
    """Write the owner's word for a day, or for each day of a range."""
    form, now, old = DayForm(), clock.utcnow(), _calendar()
    form.fill(request.form, ())
    today = clock.local(now).date()
    if not form.validate_range(today, hours_service.MAX_DAYS_AT_ONCE):
        return _day(form, form.first.value, 422)
    override, until = form.override(), form.until
    affected = _affected(old, override, until, now)
    if affected and not form.confirm.data:
        return _day(form, override.day, 422, affected)
    try:
        hours_service.set_override(
            override, until=until, actor=_actor(), now=now, seen=_seen(form)
        )
    except StaleStateError:
        form.seen.data = day_mark(_calendar(), override.day)
        return _day(form, override.day, 409, is_late=True)
    except RefusedError as error:
        form.note.errors = [str(error)]
        return _day(form, override.day, 422)
    return _done(_written(override.day, until))


def _seen(form: DayForm) -> str | None:
    """The mark that the page carried; None when the owner chose another day there."""
    shown = request.args.get("dia", "")
    is_same = bool(form.first.value) and shown == form.first.value.isoformat()
    return str(form.seen.data or "") if is_same else None


def _written(first: date, until: date) -> str:
    if first == until:
        return f"Guardado: {format_day(first)}."
    return f"Guardado: del {format_day(first)} al {format_day(until)}."


def _affected(
    old: Calendar, override: DayOverride, until: date, now: datetime
) -> list[Stranded]:
    most = hours_service.MAX_DAYS_AT_ONCE
    days = hours_rules.days_between(override.day, until, most)
    changed = Calendar(old.weekly, {**old.overrides, **dict.fromkeys(days, override)})
    return stranded(db.session(), old, changed, now)


@bp.post("/dia/quitar")
@owner_required
def remove_day() -> Response:
    """Give a day back to the holidays and the week."""
    now, old = clock.utcnow(), _calendar()
    try:
        chosen = parse_day(request.form.get("day", "")[:10])
    except ValueError as error:
        raise RefusedError(str(error)) from error
    changed = hours_rules.without_day(old, chosen)
    affected = stranded(db.session(), old, changed, now)
    seen = request.form.get("seen")
    if affected and not request.form.get("confirm"):
        return _removal(chosen, affected, seen)
    try:
        hours_service.remove_override(chosen, actor=_actor(), now=now, seen=seen)
    except StaleStateError:
        return _as_stored(chosen, 409, is_late=True)
    return _done(f"El {format_day(chosen)} vuelve a su horario de siempre.")


def _removal(chosen: date, affected: list[Stranded], seen: str | None) -> Response:
    return page(
        "admin/day_removal.html",
        422,
        person=person(),
        chosen=chosen,
        affected=affected,
        seen=seen,
    )


def _day(
    form: DayForm,
    chosen: date | None,
    code: int = 200,
    affected: list[Stranded] | None = None,
    is_late: bool = False,
) -> Response:
    calendar = _calendar()
    suggested = dict(election_suggestions())
    is_own = chosen is not None and chosen in calendar.overrides
    return page(
        "admin/day.html",
        code,
        person=person(),
        form=form,
        chosen=chosen,
        is_own=is_own,
        own_mark=day_mark(calendar, chosen) if chosen else "",
        now_is=hours_rules.day_of(calendar, chosen, suggested) if chosen else None,
        origins=hours_rules.ORIGINS,
        affected=affected or [],
        is_late=is_late,
    )
