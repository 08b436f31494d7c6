"""What all boards show alike, whoever looks: read once for as many as ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from portal.accounts import screen_queries
from portal.accounts.screen_queries import Tile
from portal.catalog import queries as catalog_queries
from portal.hours.queries import load_calendar
from portal.hours.rules import Calendar
from portal.settings import queries as settings_queries
from portal.settings.rules import BusinessSettings
from portal.support import queries
from portal.support.customer_queries import Extra, extras
from portal.support.errand_queries import ErrandCard, open_errands
from portal.support.queries import Card
from portal.support.version_queries import day_start, version_of_now

# By attention and act, what one person typed there.
Drafts = dict[int, dict[str, str]]


class Canned(NamedTuple):
    """A text that a technician may take instead of typing it."""

    id: int
    topic_slug: str | None
    title: str
    text: str


@dataclass(frozen=True)
class Rows:
    """The board's rows, and the version that they have at least."""

    version: str
    cards: Sequence[Card]
    extras: dict[int, Extra]
    errands: Sequence[ErrandCard]
    calendar: Calendar
    technicians: tuple[Tile, ...]
    canned: tuple[Canned, ...]
    drafts: dict[int, Drafts]
    business: BusinessSettings


def read_technicians(session: Session) -> tuple[Tile, ...]:
    """Those to whom a card may be handed over, by name."""
    return tuple(screen_queries.tiles(session))


def read_canned(session: Session) -> tuple[Canned, ...]:
    """The prepared texts, as plain values."""
    return tuple(
        Canned(each.id, each.topic_slug, each.title, each.text)
        for each in catalog_queries.list_canned(session)
    )


def read_drafts(session: Session, staff_id: int | None = None) -> dict[int, Drafts]:
    """What each person, or this one, typed and did not send."""
    found: dict[int, Drafts] = {}
    for draft in queries.drafts(session, staff_id):
        own = found.setdefault(draft.staff_id, {})
        own.setdefault(draft.attention_id, {})[draft.act] = draft.text
    return found


def read_rows(session: Session, now: datetime) -> Rows:
    """All of it, in some ten queries however many cards there are."""
    # The version first: what changes while the rows are read is read again.
    version = version_of_now(session, now)
    cards = queries.board_rows(session, now)
    return Rows(
        version=version,
        cards=cards,
        extras=extras(session, [card.id for card in cards]),
        errands=open_errands(session),
        calendar=load_calendar(session),
        technicians=read_technicians(session),
        canned=read_canned(session),
        drafts=read_drafts(session),
        business=settings_queries.load(session),
    )


class LastRows:
    """The rows as of the last commit that was asked for.

    Most commits (a payment's step, a count of requests) change nothing on a board: who
    knows the version of now takes the rows that have it, however many came since.
    """

    def __init__(self) -> None:
        self._kept: tuple[int | None, datetime, Rows] | None = None

    def read(
        self, session: Session, now: datetime, stamp: int | None, version: str = ""
    ) -> Rows:
        """The rows, read anew when `stamp` or Santiago's day is another.

        `stamp` was taken before this request read anything; None: it is not known.
        `version`, of the rows as of now, is enough for who has a board already: drafts
        alone may be older.
        """
        kept, day = self._kept, day_start(now)
        if kept and kept[1] == day:
            if stamp is not None and kept[0] == stamp:
                return kept[2]
            if version and kept[2].version == version:
                return kept[2]
        rows = read_rows(session, now)
        self._kept = (stamp, day, rows)
        return rows
