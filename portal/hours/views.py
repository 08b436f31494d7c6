"""The demo's panel and clock (never in production); the hours on error pages."""

from flask import Blueprint, Flask, Response, abort, redirect, request
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response as BaseResponse

from portal import clock
from portal.db import db
from portal.errors import RefusedError
from portal.hours.demo_rules import PRESETS, find_preset, moment_of, parse_moment
from portal.hours.queries import load_calendar
from portal.hours.rules import regime_at, weekly_text
from portal.web import page, settings

bp = Blueprint("demo", __name__)


def init_app(app: Flask) -> None:
    """Let the error pages say when we attend."""
    app.jinja_env.globals["written_hours"] = _written_hours


def _written_hours() -> list[tuple[str, str]]:
    """The week in words; empty when the database cannot tell."""
    try:
        return weekly_text(load_calendar(db.session()))
    except DBAPIError:
        return []


def _require_demo() -> None:
    if not settings().is_demo:
        abort(404)


@bp.get("/demo")
def panel() -> Response:
    """Links to every face of the demo, the log-ins, and the clock."""
    _require_demo()
    return _panel()


def _panel(code: int = 200, message: str = "", typed: str | None = None) -> Response:
    now = clock.utcnow()
    local = clock.local(now)
    return page(
        "hours/demo.html",
        code,
        regime=regime_at(load_calendar(db.session()), now),
        presets=PRESETS,
        typed=f"{local:%Y-%m-%dT%H:%M}" if typed is None else typed,
        message=message,
        simulator_url=settings().simulator_url,
        mails_are_files=settings().smtp_url is None,
    )


@bp.post("/demo/reloj")
def move_clock() -> BaseResponse:
    """Move every process of this demo to a preset, a typed moment or real time."""
    _require_demo()
    choice = request.form.get("preset", "")
    typed = request.form.get("moment", "")
    try:
        if choice == "real":
            clock.move_to(None)
        elif (preset := find_preset(choice)) is not None:
            calendar = load_calendar(db.session())
            clock.move_to(moment_of(preset, clock.utcnow(), calendar))
        else:
            clock.move_to(parse_moment(typed))
    except RefusedError as error:
        return _panel(422, str(error), typed[:40])
    return redirect("/demo", 303)
