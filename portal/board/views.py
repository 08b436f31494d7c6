"""The board: one page, one polled fragment, one post for each act."""

from datetime import datetime

from flask import Blueprint, Response, make_response, request

from portal import clock
from portal.accounts.access_views import (
    board_required,
    device,
    note_act,
    person,
    staff_required,
)
from portal.accounts.rules import Person
from portal.board import rules
from portal.board.desk_views import act_on_card, viewer
from portal.board.desk_views import board_context as board_context
from portal.board.forms import (
    CloseForm,
    EntryForm,
    HandOverForm,
    NoteForm,
    PauseForm,
    add_canned,
)
from portal.catalog import queries as catalog_queries
from portal.db import db
from portal.support import clock_service, drafts_service, handover_service, service
from portal.support import rules as support_rules
from portal.support.version_queries import version_of_now
from portal.web import fragment, nothing_changed, page

bp = Blueprint("board", __name__)
_CARD = "/tablero/<int(max=2147483647):attention_id>"


@bp.get("/tablero")
@board_required
def show_board() -> Response:
    """The whole board."""
    return page("board/board.html", **board_context(clock.utcnow()))


@bp.get("/tablero/tarjetas")
@board_required
def poll_cards() -> Response:
    """The lanes, when they would look different from the version that asks."""
    now = clock.utcnow()
    asked = request.args.get("v", "")
    rows = version_of_now(db.session(), now)
    version = viewer() + rows
    if asked and support_rules.is_current(asked, version, now):
        here = device()
        rests = (":".join(here), version) if here else None
        return nothing_changed(support_rules.edge_of(asked), rests)
    # A page of before an update does not ask by drawing, nor know what to do with one.
    drawing = request.args.get("dibujo")
    context = board_context(now, version=rows, shown=drawing or "")
    if drawing is None:
        context["drawing"] = None
    return fragment("board/_lanes.html", **context)


@bp.post(f"{_CARD}/tomar")
@staff_required
def take(attention_id: int) -> Response:
    """Take a waiting attention."""

    def act(by: Person, now: datetime) -> None:
        service.take(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.TAKE, act)


@bp.post(f"{_CARD}/soltar")
@staff_required
def release(attention_id: int) -> Response:
    """Give it back to the queue."""

    def act(by: Person, now: datetime) -> None:
        service.release(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.RELEASE, act)


@bp.post(f"{_CARD}/traspasar")
@staff_required
def hand_over(attention_id: int) -> Response:
    """Give it to a colleague; the clock stays."""
    form = HandOverForm()

    def act(by: Person, now: datetime) -> None:
        handover_service.hand_over(attention_id, form.to.data, by=by, now=now)

    return act_on_card(attention_id, rules.HAND_OVER, act, form)


@bp.post(f"{_CARD}/llame")
@staff_required
def contacted(attention_id: int) -> Response:
    """Note that the customer was called."""

    def act(by: Person, now: datetime) -> None:
        service.contacted(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.CALLED, act)


@bp.post(f"{_CARD}/ausente")
@staff_required
def no_show(attention_id: int) -> Response:
    """Note that the customer answered none of two calls."""

    def act(by: Person, now: datetime) -> None:
        handover_service.no_show(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.NO_SHOW, act)


@bp.post(f"{_CARD}/iniciar")
@staff_required
def start(attention_id: int) -> Response:
    """Start the 90 minutes."""

    def act(by: Person, now: datetime) -> None:
        service.start(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.START, act)


@bp.post(f"{_CARD}/pausar")
@staff_required
def pause(attention_id: int) -> Response:
    """Stop the clock for a reason."""
    form = PauseForm()

    def act(by: Person, now: datetime) -> None:
        clock_service.pause(attention_id, form.reason.data or "", by=by, now=now)

    return act_on_card(attention_id, rules.PAUSE, act, form)


@bp.post(f"{_CARD}/reanudar")
@staff_required
def resume(attention_id: int) -> Response:
    """Let the clock go on."""

    def act(by: Person, now: datetime) -> None:
        clock_service.resume(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.RESUME, act)


@bp.post(f"{_CARD}/deshacer")
@staff_required
def undo(attention_id: int) -> Response:
    """Take the last act back, within ten seconds."""

    def act(by: Person, now: datetime) -> None:
        clock_service.undo(attention_id, by=by, now=now)

    return act_on_card(attention_id, rules.UNDO, act)


@bp.post(f"{_CARD}/anotar")
@staff_required
def add_entry(attention_id: int) -> Response:
    """Tell the customer what will be done, or was."""
    form = EntryForm()
    add_canned(form, catalog_queries.list_canned(db.session()))

    def act(by: Person, now: datetime) -> None:
        service.add_entry(attention_id, form.kind.data, form.text.clean, by=by, now=now)

    return act_on_card(attention_id, rules.ENTRY, act, form)


@bp.post(f"{_CARD}/nota")
@staff_required
def add_note(attention_id: int) -> Response:
    """Write an internal line."""
    form = NoteForm()

    def act(by: Person, now: datetime) -> None:
        service.add_note(attention_id, form.text.clean, by=by, now=now)

    return act_on_card(attention_id, rules.NOTE, act, form)


@bp.post(f"{_CARD}/cerrar")
@staff_required
def close(attention_id: int) -> Response:
    """Close with an outcome."""
    form = CloseForm()
    add_canned(form, catalog_queries.list_canned(db.session()))

    def act(by: Person, now: datetime) -> None:
        service.close(attention_id, form.outcome.data, form.text.clean, by=by, now=now)

    return act_on_card(attention_id, rules.CLOSE, act, form)


@bp.post(f"{_CARD}/borrador")
@staff_required
def keep_draft(attention_id: int) -> Response:
    """Keep what is typed and not sent; whoever types is still there."""
    act = request.form.get("act", "")
    if act not in rules.WRITTEN:
        return make_response("", 422)
    text = rules.draft_text(request.form.get("text", ""))
    note_act()
    drafts_service.keep(attention_id, act, text, by=person(), now=clock.utcnow())
    return make_response("", 204)
