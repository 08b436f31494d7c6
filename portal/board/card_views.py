"""A card is drawn once for all who see it alike.

Whenever something changes on a board all screens are drawn anew, while nearly all of
their cards are what they were. A drawn card is kept under everything that it was drawn
from; only its clock and the token of its forms are put in each time. A screen that says
which drawing it shows is sent the cards that differ from it, and for each of the others
an empty element that tells the screen to leave what it has (`board.js`). Screens of one
person, and those on walls, share the whole view until a row or a clock changes it.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count

from flask import current_app, render_template
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from portal.accounts.access_views import find_person
from portal.accounts.rules import Person
from portal.accounts.screen_queries import Tile
from portal.board import rules
from portal.board.queries import Canned, Drafts, Rows
from portal.support import rules as support_rules
from portal.support.customer_queries import Extra
from portal.support.queries import Card
from portal.support.remote_rules import unseal
from portal.web import business, settings

# Some kilobytes each; and no words of a customer stay here for longer.
MOST = 2048
# The newest drawings of boards, each a list of cards: several of every screen.
MOST_DRAWINGS = 512
# One for each person who looks, and for the walls.
MOST_VIEWS = 128
LONGEST = timedelta(minutes=10)
# No text has these characters: the gate for input takes none in.
_NOW, _TOKEN = "\0now\0", "\0token\0"
# The screen leaves the card of this id as it is.
_SAME = '<article id="atencion-%d" data-same></article>'
_CLOCK = re.compile(r'data-now="[^"]*"([^>]*>)[^<]*(?=</time>)')


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
    canned: Sequence[Canned]
    drafts: dict[str, str]


@dataclass(frozen=True)
class Desk:
    """What cards share: who looks, colleagues, canned texts and own drafts."""

    person: Person | None
    technicians: tuple[Tile, ...]
    canned: tuple[Canned, ...]
    drafts: Drafts

    def colleagues(self, holder_id: int | None) -> list[Tile]:
        """To whom a card may be handed over."""
        return [each for each in self.technicians if each.id != holder_id]


def desk_of(
    technicians: tuple[Tile, ...],
    canned: tuple[Canned, ...],
    drafts: dict[int, Drafts],
) -> Desk:
    """The desk of whoever looks; nobody is offered a text who may not write."""
    who = find_person()
    own = drafts.get(who.id, {}) if who else {}
    return Desk(who, technicians, canned if who else (), own)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A card's HTML before and after the text of its clock; no tail: it has none."""

    head: str
    tail: str
    has_forms: bool

    @classmethod
    def of(cls, html: str, token: str) -> "Drawn":
        """What stays of `html` when clock and `token` are taken out."""
        bare = html.replace(token, _TOKEN)
        found = _CLOCK.search(bare)
        if found is None:
            return cls(bare, "", _TOKEN in bare)
        head = f'{bare[: found.start()]}data-now="{_NOW}"{found[1]}'
        return cls(head, bare[found.end() :], _TOKEN in bare)

    def at(self, now: datetime, face: rules.Face) -> str:
        """The card with the clock of `now`, without the visitor's token."""
        if not self.tail:
            return self.head
        head = self.head.replace(_NOW, now.isoformat(timespec="milliseconds"))
        return head + rules.clock_text(face, now) + self.tail


@dataclass(frozen=True, slots=True)
class Common:
    """What all who look share: these rows from `begun` until a clock changes a card.

    `faces` are by card, by what one may do with it and what one typed there.
    """

    rows: Rows
    begun: datetime
    until: datetime
    faces: dict[Hashable, tuple[rules.Face, Drawn]]

    def holds(self, rows: Rows, now: datetime) -> bool:
        """Whether neither a row nor a clock has changed it by `now`."""
        return self.rows is rows and self.begun <= now < self.until


@dataclass(frozen=True, slots=True)
class View:
    """All cards as one person sees them from `begun` to `until`: the drawing `name`."""

    rows: Rows
    begun: datetime
    until: datetime
    cards: tuple[tuple[Card, rules.Face, Drawn], ...]
    name: str

    def in_order(self, now: datetime) -> list[tuple[Card, rules.Face, Drawn]]:
        """The cards as they lie at `now`: a running clock may overtake a paused one."""
        return sorted(
            self.cards, key=lambda seen: support_rules.board_key(seen[0], now)
        )

    def holds(self, rows: Rows, now: datetime) -> bool:
        """Whether neither a row, a clock nor a right has changed it by `now`."""
        return self.rows is rows and self.begun <= now < self.until


class Gallery:
    """The drawn cards of one process, under what they were drawn from."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Drawn] = {}
        self._desks: dict[Hashable, int] = {}
        self._drawings: dict[str, dict[int, Drawn]] = {}
        self._views: dict[Person | None, View] = {}
        self._commons: dict[bool, Common] = {}
        self._begun = datetime.min.replace(tzinfo=UTC)
        self._number = count()
        # Another process knows nothing of the drawings of this one.
        self._name = secrets.token_hex(4)

    def desk_number(self, desk: Hashable, now: datetime) -> int:
        """A short name for what all cards of one desk share.

        What is here is forgotten when it is too old, or the clock was set back.
        """
        if not self._begun <= now < self._begun + LONGEST:
            self._kept, self._desks, self._begun = {}, {}, now
            self._drawings = {}
            self._views, self._commons = {}, {}
        return self._desks.setdefault(desk, next(self._number))

    def draw(self, key: Hashable, draw: Callable[[], Drawn]) -> Drawn:
        """The card of this key; a gallery that is full begins anew."""
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST:
                self._kept = {}
            found = self._kept[key] = draw()
        return found

    def find_drawing(self, name: str) -> dict[int, Drawn]:
        """The cards of a board that was drawn here lately; none when it was not."""
        return self._drawings.get(name, {})

    def keep_drawing(self, cards: dict[int, Drawn]) -> str:
        """A name for a board of these cards."""
        while len(self._drawings) >= MOST_DRAWINGS:
            self._drawings.pop(next(iter(self._drawings)), None)
        name = f"{self._name}{next(self._number)}"
        self._drawings[name] = cards
        return name

    def common(self, acts: bool, rows: Rows, now: datetime) -> Common:
        """What all share who may act, or may not; anew when a row or clock changed."""
        found = self._commons.get(acts)
        if found is None or not found.holds(rows, now):
            until = rules.edge_of_clocks(rows.cards, now)
            found = self._commons[acts] = Common(rows, now, until, {})
        return found

    def find_view(self, who: Person | None, rows: Rows, now: datetime) -> View | None:
        """What these rows look like at `now` to this person, if it is known."""
        found = self._views.get(who)
        return found if found and found.holds(rows, now) else None

    def keep_view(self, who: Person | None, view: View) -> View:
        """Until the next one of the same person; a gallery that is full begins anew."""
        if len(self._views) >= MOST_VIEWS:
            self._views = {}
        self._views[who] = view
        return view


def _gallery() -> Gallery:
    found: Gallery = current_app.extensions.setdefault("portal_cards", Gallery())
    return found


class Painter:
    """Draws the cards of one desk at one instant.

    `shown` is the drawing that the screen says it has; its cards are not sent again.
    """

    def __init__(self, desk: Desk, now: datetime, shown: str = "") -> None:
        self.desk, self.now, self._gallery = desk, now, _gallery()
        told = business()
        self._desk_number = self._gallery.desk_number(
            (
                desk.person is not None,
                desk.technicians,
                desk.canned,
                told.business_name,
                tuple(told.pause_reasons),
            ),
            now,
        )
        # After the desk's number, for which what is too old is forgotten.
        self._before = self._gallery.find_drawing(shown)

    @cached_property
    def _token(self) -> str:
        """Made, and the session with it, only when a form carries it."""
        return str(generate_csrf())

    def view(self, rows: Rows) -> View:
        """All cards as they look now to whoever looks, and until when."""
        who = self.desk.person
        found = self._gallery.find_view(who, rows, self.now)
        return found or self._gallery.keep_view(who, self._see(rows))

    def _see(self, rows: Rows) -> View:
        person, seen = self.desk.person, []
        common = self._gallery.common(person is not None, rows, self.now)
        for card in rows.cards:
            drafts = tuple(sorted(self.desk.drafts.get(card.id, {}).items()))
            key = (card.id, rules.standing_of(card, self.now, person), drafts)
            known = common.faces.get(key)
            if known is None:
                face = self.face(card)
                drawn = self._find(card, rows.extras[card.id], face)
                known = common.faces[key] = face, drawn
            seen.append((card, *known))
        name = self._gallery.keep_drawing({card.id: drawn for card, _, drawn in seen})
        undoing = rules.edge_of_undoing(rows.cards, person, self.now)
        return View(rows, self.now, min(common.until, undoing), tuple(seen), name)

    def face(self, card: Card) -> rules.Face:
        """How the card looks to whoever looks."""
        return rules.face_of(card, self.now, self.desk.person)

    def place(self, card: Card, face: rules.Face, drawn: Drawn) -> Markup:
        """The card for a screen that may have it already, with the clock of now."""
        if self._before.get(card.id) is drawn:
            return Markup(_SAME % card.id)  # noqa: S704 (a number alone)
        html = drawn.at(self.now, face)
        if drawn.has_forms:
            html = html.replace(_TOKEN, self._token)
        return Markup(html)  # noqa: S704 (the template has escaped what is in it)

    def draw(
        self, card: Card, extra: Extra, face: rules.Face, slip: Slip | None = None
    ) -> Markup:
        """The card; with `slip`, what went wrong on it, which nobody else sees."""
        if slip is None:
            return self.place(card, face, self._find(card, extra, face))
        return Markup(self._render(card, extra, face, slip))  # noqa: S704 (likewise)

    def _find(self, card: Card, extra: Extra, face: rules.Face) -> Drawn:
        drafts = self.desk.drafts.get(card.id, {})
        key = (
            self._desk_number,
            card,
            extra,
            face,
            rules.is_over(face, self.now),
            tuple(sorted(drafts.items())),
        )

        def anew() -> Drawn:
            return Drawn.of(self._render(card, extra, face), self._token)

        return self._gallery.draw(key, anew)

    def _render(
        self, card: Card, extra: Extra, face: rules.Face, slip: Slip | None = None
    ) -> str:
        shown = _show(card, extra, face, self.desk, slip)
        return render_template(
            "board/_card.html", shown=shown, desk=self.desk, now=self.now
        )


def _show(
    card: Card, extra: Extra, face: rules.Face, desk: Desk, slip: Slip | None
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
        face=face,
        whatsapp=support_rules.whatsapp_url(card.phone, text),
        slip=slip,
        extra=extra,
        code=unseal(settings().secret_keys, sealed) if sealed else None,
        canned=[it for it in desk.canned if it.topic_slug in (None, card.topic_slug)],
        drafts=desk.drafts.get(card.id, {}),
    )
