"""What the board shows to whoever looks, and how an act is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Response, redirect
from flask_wtf import FlaskForm

from portal import clock
from portal.accounts import screen_queries
from portal.accounts.access_views import (
    find_person,
    find_screen,
    is_logged_in,
    note_act,
    person,
)
from portal.accounts.rules import Person
from portal.accounts.screen_queries import Tile
from portal.board import rules
from portal.catalog import queries as catalog_queries
from portal.catalog.models import CannedSolution
from portal.db import db
from portal.errors import RefusedError
from portal.hours.queries import load_calendar
from portal.hours.rules import next_change, regime_at
from portal.support import queries
from portal.support import rules as support_rules
from portal.support.customer_queries import Extra, extras
from portal.support.errand_queries import open_errands
from portal.support.queries import Card, drafts_of
from portal.support.remote_rules import unseal
from portal.support.service import LateActError
from portal.support.version_queries import version_of_now
from portal.web import business, fragment, is_htmx, page, settings

# A board on a wall is drawn anew so often even without news: only an answer with news
# renews the session's cookie, and with it the token of its forms.
REDRAW = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Slip:
    """What went wrong with one act on one card, and what was typed."""

    act: str
    message: str
    form: FlaskForm | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One card with its looks, ready for the template."""

    card: Card
    face: rules.Face
    whatsapp: str
    slip: Slip | None
    extra: Extra
    code: str | None
    canned: Sequence[CannedSolution]
    drafts: dict[str, str]


@dataclass(frozen=True)
class Desk:
    """What cards share: who looks, colleagues, canned texts and own drafts."""

    person: Person | None
    technicians: Sequence[Tile]
    canned: Sequence[CannedSolution]
    drafts: dict[tuple[int, str], str]

    def colleagues(self, holder_id: int | None) -> list[Tile]:
        """To whom a card may be handed over."""
        return [each for each in self.technicians if each.id != holder_id]


def read_desk() -> Desk:
    """The shared part, in three queries."""
    session = db.session()
    who = find_person()
    return Desk(
        person=who,
        technicians=screen_queries.tiles(session),
        canned=catalog_queries.list_canned(session) if who else [],
        drafts=drafts_of(session, who.id) if who else {},
    )


def _show(
    card: Card, extra: Extra, desk: Desk, now: datetime, slip: Slip | None = None
) -> Shown:
    if card.hidden:
        # Who asked not to be used, or to be forgotten, is not read on a wall.
        extra = Extra(parent_number=extra.parent_number)
    text = support_rules.whatsapp_text(
        business().business_name, card.name, card.number, card.queued_at
    )
    # Whoever passes by a screen on a wall has no business with a way into a till.
    sealed = extra.sealed if desk.person else None
    return Shown(
        card=card,
        face=rules.face_of(card, now, desk.person),
        whatsapp=support_rules.whatsapp_url(card.phone, text),
        slip=slip,
        extra=extra,
        code=unseal(settings().secret_keys, sealed) if sealed else None,
        canned=[each for each in desk.canned if _fits(each, card)],
        drafts={
            act: text
            for (number, act), text in desk.drafts.items()
            if number == card.id
        },
    )


def _fits(canned: CannedSolution, card: Card) -> bool:
    return canned.topic_slug in (None, card.topic_slug)


def viewer() -> str:
    """Who looks, as part of the version: another person sees other buttons."""
    who, screen = find_person(), find_screen()
    place = f"s{screen.id}" if screen else "p"
    waits = "w" if screen and screen.waits_until else ""
    return f"{place}{waits}-{who.id if who else 0}~"


def version_now(now: datetime) -> str:
    """The version of what this person sees at `now`, without its edge."""
    return viewer() + version_of_now(db.session(), now)


def _edges(cards: Sequence[Card], who: Person | None, now: datetime) -> list[datetime]:
    """The instants at which what is shown changes though nothing is written."""
    own = [support_rules.next_own_change(card, now) for card in cards]
    undo = [
        card.changed_at + support_rules.UNDO_WINDOW
        for card in cards
        if who and support_rules.may_undo(card, who.id, now)
    ]
    screen = find_screen()
    turn = [screen.turn_until, screen.waits_until] if screen else []
    return [edge for edge in (*own, *undo, *turn) if edge is not None]


def board_context(
    now: datetime, slip: Slip | None = None, slip_of: int = 0
) -> dict[str, Any]:
    """What page and fragment show, and the version that says so."""
    session = db.session()
    # The version first: what changes while the rows are read is read again.
    version = version_now(now)
    desk = read_desk()
    cards = queries.board_rows(session, now)
    beside = extras(session, [card.id for card in cards])
    calendar = load_calendar(session)
    redraw = now + REDRAW
    edges = [*_edges(cards, desk.person, now), next_change(calendar, now), redraw]
    until = min(filter(None, edges), default=None)
    shown = [
        _show(card, beside[card.id], desk, now, slip if card.id == slip_of else None)
        for card in cards
    ]
    return {
        "person": desk.person,
        "desk": desk,
        "screen": None if is_logged_in() else find_screen(),
        "lanes": _lanes(shown),
        "crowd": rules.crowd(len(shown)),
        "errands": open_errands(session),
        "errand_slip": None,
        "waiting": sum(each.face.state == "waiting" for each in shown),
        "regime": regime_at(calendar, now),
        "version": support_rules.with_edge(version, until),
        "now": now,
        "turn_slip": None,
    }


def _lanes(shown: list[Shown]) -> list[tuple[str, str, list[Shown]]]:
    lanes: dict[str, list[Shown]] = {key: [] for key, _ in rules.LANES}
    for each in shown:
        lanes[rules.lane_of(each.face.state)].append(each)
    return [(key, title, lanes[key]) for key, title in rules.LANES]


def _answer(
    attention_id: int, now: datetime, code: int = 200, slip: Slip | None = None
) -> Response:
    """The card as it now is: alone for htmx, on its board otherwise."""
    if is_htmx():
        session, desk = db.session(), read_desk()
        card = queries.card(session, attention_id)
        extra = extras(session, [card.id])[card.id]
        shown = _show(card, extra, desk, now, slip)
        return fragment("board/_card.html", code, shown=shown, desk=desk, now=now)
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
