"""The acts on errands: agree on a date, done, cancelled."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from flask import Blueprint, Response, redirect, request

from portal import clock
from portal.accounts.access_views import (
    note_act,
    owner_required,
    person,
    staff_required,
)
from portal.board.desk_views import board_context
from portal.db import db
from portal.errors import RefusedError
from portal.support import errand_rules, errand_service
from portal.support.errand_queries import ErrandCard, errand_card
from portal.support.errand_service import LateErrandError
from portal.web import fragment, is_htmx, page

bp = Blueprint("errands", __name__, url_prefix="/tablero/encargos")

AGREE, DONE, CALL_OFF = "coordinar", "hecho", "anular"


@dataclass(frozen=True, slots=True)
class ErrandSlip:
    """What went wrong with one act on one errand, and what was typed."""

    errand_id: int
    act: str
    message: str
    typed: dict[str, str] = field(default_factory=dict)


def _answer(
    errand_id: int, now: datetime, code: int = 200, slip: ErrandSlip | None = None
) -> Response:
    """The errand as it now is: alone for htmx, on its board otherwise."""
    if is_htmx():
        shown: ErrandCard = errand_card(db.session(), errand_id)
        return fragment(
            "board/_errand.html", code, errand=shown, errand_slip=slip, person=person()
        )
    if slip is None:
        return cast(Response, redirect(f"/tablero#encargo-{errand_id}", 303))
    shown_board = {**board_context(now), "errand_slip": slip}
    return page("board/board.html", code, **shown_board)


def _act(errand_id: int, name: str, act: Callable[[datetime], None]) -> Response:
    """Do one act and answer with the errand, whatever came of it."""
    now = clock.utcnow()
    note_act()
    try:
        act(now)
    except LateErrandError as error:
        return _answer(errand_id, now, 409, _slip(errand_id, name, error))
    except (RefusedError, ValueError) as error:
        errand_card(db.session(), errand_id)  # the same 404 for what is not there
        return _answer(errand_id, now, 422, _slip(errand_id, name, error))
    return _answer(errand_id, now)


def _slip(errand_id: int, name: str, error: Exception) -> ErrandSlip:
    typed = {key: request.form.get(key, "") for key in ("when", "text", "reason")}
    return ErrandSlip(errand_id, name, str(error), typed)


def _version() -> int | None:
    """The version that the form showed, for changing a date that is set already."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@bp.post("/<int(max=2147483647):errand_id>/coordinar")
@staff_required
def agree(errand_id: int) -> Response:
    """Note the date that was agreed with the customer."""

    def act(now: datetime) -> None:
        when = errand_rules.parse_when(request.form.get("when"), now)
        words = errand_rules.clean_words(request.form.get("text", ""))
        errand_service.schedule(
            errand_id, when, words, by=person(), now=now, version=_version()
        )

    return _act(errand_id, AGREE, act)


@bp.post("/<int(max=2147483647):errand_id>/hecho")
@staff_required
def done(errand_id: int) -> Response:
    """Say what was done."""

    def act(now: datetime) -> None:
        words = errand_rules.clean_words(
            request.form.get("text"), required="Escriba qué se hizo."
        )
        errand_service.finish(errand_id, words, by=person(), now=now)

    return _act(errand_id, DONE, act)


@bp.post("/<int(max=2147483647):errand_id>/anular")
@owner_required
def call_off(errand_id: int) -> Response:
    """Cancel it with a reason; the refund is another act."""

    def act(now: datetime) -> None:
        reason = errand_rules.clean_words(
            request.form.get("reason"), required="Escriba por qué se anula."
        )
        errand_service.call_off(errand_id, reason, by=person(), now=now)

    return _act(errand_id, CALL_OFF, act)
