"""The board: one page, one polled fragment, one card for each act's answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, redirect, request

from portal import clock
from portal.accounts.access_views import person, staff_required
from portal.board import rules
from portal.board.forms import CloseForm, EntryForm, NoteForm
from portal.db import db
from portal.errors import RefusedError
from portal.hours.queries import load_calendar
from portal.hours.rules import Regime, next_change, regime_at
from portal.support import queries, service
from portal.support import rules as support_rules
from portal.support.customer_queries import Extra, extras
from portal.support.errand_queries import open_errands
from portal.support.queries import Card
from portal.support.remote_rules import unseal
from portal.support.service import LateActError
from portal.web import business, fragment, is_htmx, nothing_changed, page, settings

bp = Blueprint("board", __name__)


@dataclass(frozen=True, slots=True)
class Slip:
    """What went wrong with one act on one card, and what was typed."""

    act: str
    message: str
    form: EntryForm | NoteForm | CloseForm | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One card with its looks, ready for the template."""

    card: Card
    face: rules.Face
    whatsapp: str
    slip: Slip | None
    extra: Extra
    code: str | None


def _show(card: Card, extra: Extra, now: datetime, slip: Slip | None = None) -> Shown:
    text = support_rules.whatsapp_text(
        business().business_name, card.name, card.number, card.queued_at
    )
    return Shown(
        card=card,
        face=rules.face_of(card, now, person()),
        whatsapp=support_rules.whatsapp_url(card.phone, text),
        slip=slip,
        extra=extra,
        code=unseal(settings().secret_keys, extra.sealed) if extra.sealed else None,
    )


def board_context(
    now: datetime, slip: Slip | None = None, slip_of: int = 0
) -> dict[str, Any]:
    """What page and fragment show, and the version that says so."""
    session = db.session()
    # The version first: what changes while the rows are read is read again.
    version = queries.version_of_now(session, now)
    cards = queries.board_rows(session, now)
    calendar = load_calendar(session)
    edges = [support_rules.next_own_change(card, now) for card in cards]
    until = min(filter(None, [*edges, next_change(calendar, now)]), default=None)
    beside = extras(session, [card.id for card in cards])
    shown = [
        _show(card, beside[card.id], now, slip if card.id == slip_of else None)
        for card in cards
    ]
    regime: Regime = regime_at(calendar, now)
    return {
        "person": person(),
        "lanes": _lanes(shown),
        "errands": open_errands(session),
        "errand_slip": None,
        "waiting": sum(each.face.state == "waiting" for each in shown),
        "regime": regime,
        "version": support_rules.with_edge(version, until),
        "now": now,
    }


def _lanes(shown: list[Shown]) -> list[tuple[str, str, list[Shown]]]:
    lanes: dict[str, list[Shown]] = {key: [] for key, _ in rules.LANES}
    for each in shown:
        lanes[rules.lane_of(each.face.state)].append(each)
    return [(key, title, lanes[key]) for key, title in rules.LANES]


@bp.get("/tablero")
@staff_required
def show_board() -> Response:
    """The whole board."""
    return page("board/board.html", **board_context(clock.utcnow()))


@bp.get("/tablero/tarjetas")
@staff_required
def poll_cards() -> Response:
    """The lanes, when they would look different from the version that asks."""
    now = clock.utcnow()
    asked = request.args.get("v", "")
    if asked:
        version = queries.version_of_now(db.session(), now)
        if support_rules.is_current(asked, version, now):
            return nothing_changed()
    return fragment("board/_lanes.html", **board_context(now))


def _answer(
    attention_id: int, now: datetime, code: int = 200, slip: Slip | None = None
) -> Response:
    """The card as it now is: alone for htmx, on its board otherwise."""
    if is_htmx():
        card = queries.card(db.session(), attention_id)
        extra = extras(db.session(), [card.id])[card.id]
        shown = _show(card, extra, now, slip)
        return fragment("board/_card.html", code, shown=shown, now=now)
    if slip is None:
        return cast(Response, redirect(f"/tablero#atencion-{attention_id}", 303))
    return page("board/board.html", code, **board_context(now, slip, attention_id))


def _act(
    attention_id: int,
    name: str,
    act: Callable[[datetime], None],
    form: EntryForm | NoteForm | CloseForm | None = None,
) -> Response:
    """Do one act and answer with the card, whatever came of it."""
    now = clock.utcnow()
    if form is not None and not form.validate():
        message = " ".join(error for errors in form.errors.values() for error in errors)
        return _answer(attention_id, now, 422, Slip(name, message, form))
    try:
        act(now)
    except LateActError as error:
        return _answer(attention_id, now, 409, Slip(name, str(error), form))
    except RefusedError as error:
        return _answer(attention_id, now, 422, Slip(name, str(error), form))
    return _answer(attention_id, now)


@bp.post("/tablero/<int(max=2147483647):attention_id>/tomar")
@staff_required
def take(attention_id: int) -> Response:
    """Take a waiting attention."""
    return _act(
        attention_id,
        rules.TAKE,
        lambda now: service.take(attention_id, by=person(), now=now),
    )


@bp.post("/tablero/<int(max=2147483647):attention_id>/soltar")
@staff_required
def release(attention_id: int) -> Response:
    """Give it back to the queue."""
    return _act(
        attention_id,
        rules.RELEASE,
        lambda now: service.release(attention_id, by=person(), now=now),
    )


@bp.post("/tablero/<int(max=2147483647):attention_id>/llame")
@staff_required
def contacted(attention_id: int) -> Response:
    """Note that the customer was called."""
    return _act(
        attention_id,
        rules.CALLED,
        lambda now: service.contacted(attention_id, by=person(), now=now),
    )


@bp.post("/tablero/<int(max=2147483647):attention_id>/iniciar")
@staff_required
def start(attention_id: int) -> Response:
    """Start the 90 minutes."""
    return _act(
        attention_id,
        rules.START,
        lambda now: service.start(attention_id, by=person(), now=now),
    )


@bp.post("/tablero/<int(max=2147483647):attention_id>/anotar")
@staff_required
def add_entry(attention_id: int) -> Response:
    """Tell the customer what will be done, or was."""
    form = EntryForm()

    def act(now: datetime) -> None:
        service.add_entry(
            attention_id, form.kind.data, form.text.clean, by=person(), now=now
        )

    return _act(attention_id, rules.ENTRY, act, form)


@bp.post("/tablero/<int(max=2147483647):attention_id>/nota")
@staff_required
def add_note(attention_id: int) -> Response:
    """Write an internal line."""
    form = NoteForm()
    return _act(
        attention_id,
        rules.NOTE,
        lambda now: service.add_note(
            attention_id, form.text.clean, by=person(), now=now
        ),
        form,
    )


@bp.post("/tablero/<int(max=2147483647):attention_id>/cerrar")
@staff_required
def close(attention_id: int) -> Response:
    """Close with an outcome."""
    form = CloseForm()

    def act(now: datetime) -> None:
        service.close(
            attention_id, form.outcome.data, form.text.clean, by=person(), now=now
        )

    return _act(attention_id, rules.CLOSE, act, form)
