"""Shared screens: the owner's page, pairing a device, and technicians' turns."""

from typing import cast

from flask import Blueprint, Response, redirect, request

from portal import clock
from portal.accounts import screen_queries, screens_service
from portal.accounts.access_views import (
    begin_screen,
    find_screen,
    owner_required,
    person,
)
from portal.accounts.rules import BOARD
from portal.accounts.screen_rules import CODE_LIFE, shown_code
from portal.accounts.screens_service import ScreenWaitsError
from portal.board.desk_views import board_context
from portal.chile import format_hour
from portal.db import db
from portal.errors import RefusedError
from portal.journal.service import Actor
from portal.web import limiter, page

bp = Blueprint("screens", __name__)

SCREENS = "/administrar/pantallas"
WRONG_CODE = "El código no sirve: pida otro, dura diez minutos."
WRONG_PIN = "El PIN no es correcto."
# Failures only: a code has 10^11 values and lives ten minutes.
_PAIRINGS = "10 per 5 minutes"


def _actor() -> Actor:
    return Actor("staff", person().id)


def _screens(code: int = 200, *, pairing: str = "", error: str = "") -> Response:
    session, now = db.session(), clock.utcnow()
    return page(
        "board/screens.html",
        code,
        person=person(),
        screens=screen_queries.list_screens(session),
        tiles=screen_queries.tiles(session),
        pairing=pairing,
        until=now + CODE_LIFE,
        error=error,
    )


def _to_screens() -> Response:
    return cast(Response, redirect(SCREENS, 303))


@bp.get(SCREENS)
@owner_required
def show_screens() -> Response:
    """The screens and the technicians' PINs."""
    return _screens()


@bp.post(SCREENS)
@owner_required
def open_pairing() -> Response:
    """Make a pairing code; it is shown now and never again."""
    try:
        code = screens_service.open_pairing(
            request.form.get("name", ""), actor=_actor(), now=clock.utcnow()
        )
    except RefusedError as error:
        return _screens(422, error=str(error))
    return _screens(pairing=shown_code(code))


@bp.post(f"{SCREENS}/<int(max=2147483647):screen_id>/quitar")
@owner_required
def revoke(screen_id: int) -> Response:
    """Put a screen out."""
    screens_service.revoke(screen_id, actor=_actor(), now=clock.utcnow())
    return _to_screens()


@bp.post(f"{SCREENS}/pin/<int(max=2147483647):staff_id>")
@owner_required
def set_pin(staff_id: int) -> Response:
    """Set a technician's PIN."""
    try:
        screens_service.set_pin(
            staff_id, request.form.get("pin", ""), actor=_actor(), now=clock.utcnow()
        )
    except RefusedError as error:
        return _screens(422, error=str(error))
    return _to_screens()


def _failed(response: Response) -> bool:
    return response.status_code == 422


@bp.get("/tablero/emparejar")
def show_pairing() -> Response:
    """The form that takes a pairing code."""
    return page("board/pair.html", error="")


@bp.post("/tablero/emparejar")
@limiter.limit(_PAIRINGS, methods=["POST"], deduct_when=_failed)
def pair() -> Response:
    """Make this device the screen of the code."""
    key = screens_service.pair(request.form.get("code", ""), now=clock.utcnow())
    if key is None:
        return page("board/pair.html", 422, error=WRONG_CODE)
    return begin_screen(cast(Response, redirect(BOARD, 303)), key)


@bp.post("/tablero/turno")
def open_turn() -> Response:
    """Open a technician's turn on this screen by the PIN."""
    screen = find_screen()
    if screen is None:
        return cast(Response, redirect(BOARD, 303))
    now, who = clock.utcnow(), request.form.get("staff_id", "")
    number = int(who) if who.isascii() and who.isdigit() and len(who) < 10 else 0
    try:
        right = screens_service.open_turn(
            screen.id, number, request.form.get("pin", ""), now=now
        )
    except ScreenWaitsError as error:
        until = format_hour(error.until)
        return _board_with(number, f"{error} Intente después de las {until}.", 429)
    if not right:
        return _board_with(number, WRONG_PIN, 422)
    return cast(Response, redirect(BOARD, 303))


def _board_with(staff_id: int, message: str, code: int) -> Response:
    """The board again, the message beside the tile."""
    context = board_context(clock.utcnow())
    slip = {"staff_id": staff_id, "message": message}
    return page("board/board.html", code, **{**context, "turn_slip": slip})


@bp.post("/tablero/turno/salir")
def end_turn() -> Response:
    """End the turn on this screen."""
    screen = find_screen()
    if screen is not None:
        screens_service.end_turn(screen.id, now=clock.utcnow())
    return cast(Response, redirect(BOARD, 303))
