"""What the board shows to whoever looks, and how an act is answered."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Response, current_app, redirect
from flask_wtf import FlaskForm
from markupsafe import Markup

from portal import clock
from portal.accounts.access_views import (
    find_person,
    find_screen,
    is_logged_in,
    note_act,
    person,
)
from portal.accounts.rules import Person
from portal.board import rules
from portal.board.card_views import Painter, Slip, View, desk_of
from portal.board.queries import (
    LastRows,
    Rows,
    read_canned,
    read_drafts,
    read_technicians,
)
from portal.db import db
from portal.errors import RefusedError
from portal.hours.rules import Calendar, next_change, regime_at
from portal.support import queries
from portal.support import rules as support_rules
from portal.support.customer_queries import extras
from portal.support.service import LateActError
from portal.web import as_fragment, is_htmx, page, rows_stamp, use_business

# A board on a wall is drawn anew so often even without news: only an answer with news
# renews the session's cookie, and with it the token of its forms.
REDRAW = timedelta(hours=6)


def viewer() -> str:
    """Who looks, as part of the version."""
    who, screen = find_person(), find_screen()
    waits = screen is not None and screen.waits_until is not None
    return rules.viewer(screen.id if screen else None, waits, who.id if who else None)


def _edges(calendar: Calendar, now: datetime) -> list[datetime]:
    """The instants at which what stands beside the cards changes by itself."""
    screen = find_screen()
    turn = [screen.turn_until, screen.waits_until] if screen else []
    return [edge for edge in (*turn, next_change(calendar, now)) if edge is not None]


def _rows(now: datetime, version: str) -> Rows:
    """The rows, shared by all screens that ask between two commits."""
    last: LastRows = current_app.extensions.setdefault("portal_board_rows", LastRows())
    return last.read(db.session(), now, rows_stamp(), version)


def board_context(
    now: datetime,
    slip: Slip | None = None,
    slip_of: int = 0,
    *,
    version: str = "",
    shown: str = "",
) -> dict[str, Any]:
    """What page and fragment show, and the version that says so.

    `version` is that of the rows as of now, if it was asked for; `shown` the drawing
    that the screen has: only what differs from it is drawn.
    """
    rows = _rows(now, version)
    use_business(rows.business)
    desk = desk_of(rows.technicians, rows.canned, rows.drafts)
    painter = Painter(desk, now, shown)
    view = painter.view(rows)
    until = min(view.until, now + REDRAW, *_edges(rows.calendar, now))
    lanes = _lanes(view, painter, slip, slip_of)
    return {
        "person": desk.person,
        "desk": desk,
        "screen": None if is_logged_in() else find_screen(),
        "lanes": lanes,
        "crowd": rules.crowd(len(view.cards)),
        "errands": rows.errands,
        "errand_slip": None,
        "waiting": lanes[0][2],
        "regime": regime_at(rows.calendar, now),
        "version": support_rules.with_edge(viewer() + rows.version, until),
        "drawing": view.name if slip is None else "",
        "now": now,
        "turn_slip": None,
    }


def _lanes(
    view: View, painter: Painter, slip: Slip | None, slip_of: int
) -> list[tuple[str, str, int, Markup]]:
    """Each lane's name, title, number of cards, and these in one piece."""
    lanes: dict[str, list[str]] = {key: [] for key, _ in rules.LANES}
    for card, face, drawn in view.in_order(painter.now):
        if slip and card.id == slip_of:
            html = painter.draw(card, view.rows.extras[card.id], face, slip)
        else:
            html = painter.place(card, face, drawn)
        lanes[rules.lane_of(face.state)].append(html)
    return [
        (key, title, len(lanes[key]), Markup("\n".join(lanes[key])))  # noqa: S704
        for key, title in rules.LANES
    ]


def _answer(
    attention_id: int, now: datetime, code: int = 200, slip: Slip | None = None
) -> Response:
    """The card as it now is: alone for htmx, on its board otherwise."""
    if is_htmx():
        session = db.session()
        desk = desk_of(
            read_technicians(session),
            read_canned(session),
            read_drafts(session, person().id),
        )
        painter = Painter(desk, now)
        card = queries.card(session, attention_id)
        extra, face = extras(session, [card.id])[card.id], painter.face(card)
        return as_fragment(painter.draw(card, extra, face, slip), code)
    if slip is None:
        return cast(Response, redirect(f"/tablero#atencion-{attention_id}", 303))
    return page("board/board.html", code, **board_context(now, slip, attention_id))


def act_on_card(
    attention_id: int,
    name: str,
    act: Callable[[Person, datetime], None],
    form: FlaskForm | None = None,
) -> Response:
    """Do one act and answer with the card, whatever came of it."""
    now = clock.utcnow()
    note_act()
    if form is not None and not form.validate():
        message = " ".join(error for errors in form.errors.values() for error in errors)
        return _answer(attention_id, now, 422, Slip(name, message, form))
    try:
        act(person(), now)
    except LateActError as error:
        return _answer(attention_id, now, 409, Slip(name, str(error), form))
    except RefusedError as error:
        return _answer(attention_id, now, 422, Slip(name, str(error), form))
    return _answer(attention_id, now)
