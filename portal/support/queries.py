"""Reading attentions: one for its customer, all of them for the board."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.errors import NotFoundError
from portal.orders.mask_queries import IS_HIDDEN, SHOWN_NAME, masked
from portal.orders.models import Contact, Order
from portal.support import rules
from portal.support.models import (
    Attention,
    AttentionEntry,
    AttentionNote,
    AttentionPause,
    Draft,
    Errand,
)
from portal.support.states import (
    CLOSED,
    DONE,
    LIVING,
    WAITING,
)
from portal.support.version_queries import day_start

_LIVING = tuple(sorted(LIVING))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log, public or internal; `kind` is empty for an internal one."""

    attention_id: int
    kind: str
    text: str
    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the board shows of one attention, as it is at the instant of reading.

    `hidden`: the person's data are blocked or gone, and no word of theirs is in it.
    """

    id: int
    order_id: int
    state: str
    regime_kind: str
    queued_at: datetime
    promise_at: datetime | None
    deferred_to: datetime | None
    technician_id: int | None
    technician: str | None
    taken_at: datetime | None
    contacted_at: datetime | None
    no_answer_at: datetime | None
    started_at: datetime | None
    ends_at: datetime | None
    paused_at: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    paused_seconds: int
    closed_at: datetime | None
    outcome: str | None
    calls: int
    called_at: datetime | None
    changed_at: datetime
    changed_by_id: int | None
    state_before: str | None
    topic_slug: str | None
    topic: str
    problem: str
    name: str
    phone: str
    hidden: bool
    last_entry: Line | None = None
    last_note: Line | None = None

    @property
    def number(self) -> str:
        return str(1000 + self.order_id)


def find_for_order(session: Session, order_id: int) -> Attention | None:
    """The attention of an order, if it has one."""
    return session.scalar(select(Attention).where(Attention.order_id == order_id))


def find_errand_for_order(session: Session, order_id: int) -> Errand | None:
    """The errand of an order, if it has one."""
    return session.scalar(select(Errand).where(Errand.order_id == order_id))


def get(session: Session, attention_id: int, *, lock: bool = False) -> Attention:
    """The attention with this id, its row locked for the transaction when asked."""
    statement = select(Attention).where(Attention.id == attention_id)
    attention = session.scalar(statement.with_for_update() if lock else statement)
    if attention is None:
        raise NotFoundError("No encontramos esa atención.")
    return attention


def technician_name(session: Session, staff_id: int | None) -> str | None:
    """The name of a member of staff, as customers and colleagues read it."""
    return session.scalar(select(Staff.name).where(Staff.id == staff_id))


def entries(session: Session, attention_id: int) -> list[Line]:
    """What the customer was told, oldest first."""
    rows = session.execute(
        _entry_lines()
        .where(AttentionEntry.attention_id == attention_id)
        .order_by(AttentionEntry.id)
    )
    return [_line(row) for row in rows]


def _line(row: Row[int, str, str, datetime, str]) -> Line:
    attention_id, kind, text, at, author = row
    return Line(attention_id, kind, text, at, author)


def _entry_lines() -> Select[int, str, str, datetime, str]:
    entry = AttentionEntry
    return select(
        entry.attention_id, entry.kind, entry.text, entry.at, Staff.name
    ).join(Staff, Staff.id == entry.technician_id)


def queue_place(session: Session, attention: Attention) -> int | None:
    """The place among those who wait, 1 for the next; None when it does not wait."""
    if attention.state != WAITING:
        return None
    own, number = rules.queue_key(attention)
    key = func.coalesce(Attention.promise_at, Attention.queued_at)
    before = or_(key < own, and_(key == own, Attention.id < number))
    ahead = session.scalar(
        select(func.count()).where(Attention.state == WAITING, before)
    )
    return 1 + (ahead or 0)


_PAUSE_REASON = (
    select(AttentionPause.reason)
    .where(
        AttentionPause.attention_id == Attention.id,
        AttentionPause.from_at == Attention.paused_at,
    )
    .order_by(AttentionPause.id.desc())
    .limit(1)
    .scalar_subquery()
)
_CARD = (
    select(
        Attention.id,
        Attention.order_id,
        Attention.state,
        Attention.regime_kind,
        Attention.queued_at,
        Attention.promise_at,
        Attention.deferred_to,
        Attention.technician_id,
        Staff.name.label("technician"),
        Attention.taken_at,
        Attention.contacted_at,
        Attention.no_answer_at,
        Attention.started_at,
        Attention.ends_at,
        Attention.paused_at,
        Attention.paused_until,
        _PAUSE_REASON.label("pause_reason"),
        Attention.paused_seconds,
        Attention.closed_at,
        Attention.outcome,
        Attention.calls,
        Attention.called_at,
        Attention.changed_at,
        Attention.changed_by_id,
        Attention.state_before,
        Order.topic_slug,
        Order.topic_title.label("topic"),
        masked(Order.problem).label("problem"),
        SHOWN_NAME.label("name"),
        masked(Contact.phone).label("phone"),
        IS_HIDDEN.label("hidden"),
    )
    .join(Order, Order.id == Attention.order_id)
    .join(Contact, Contact.id == Order.contact_id)
    .outerjoin(Staff, Staff.id == Attention.technician_id)
)


def board_rows(session: Session, now: datetime) -> list[Card]:
    """Every card of the board in its order: three queries, however many there are."""
    shown = or_(
        Attention.state.in_(_LIVING),
        and_(Attention.state == CLOSED, Attention.changed_at >= day_start(now)),
    )
    cards = _cards(session, _CARD.where(shown))
    return sorted(cards, key=lambda card: rules.board_key(card, now))


def card(session: Session, attention_id: int) -> Card:
    """One card. Raises NotFoundError."""
    found = _cards(session, _CARD.where(Attention.id == attention_id))
    if not found:
        raise NotFoundError("No encontramos esa atención.")
    return found[0]


def _cards(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Card]:
    rows = session.execute(statement).all()
    ids = [int(row.id) for row in rows if not row.hidden]
    last_entries = _last_entries(session, ids)
    last_notes = _last_notes(session, ids)
    return [
        Card(
            **row._mapping,
            last_entry=last_entries.get(row.id),
            last_note=last_notes.get(row.id),
        )
        for row in rows
    ]


def _last_entries(session: Session, ids: Sequence[int]) -> dict[int, Line]:
    newest = _newest(AttentionEntry, ids)
    rows = session.execute(_entry_lines().where(AttentionEntry.id.in_(newest)))
    return {row.attention_id: _line(row) for row in rows}


def _last_notes(session: Session, ids: Sequence[int]) -> dict[int, Line]:
    note = AttentionNote
    rows = session.execute(
        select(note.attention_id, note.text, note.at, Staff.name)
        .join(Staff, Staff.id == note.technician_id)
        .where(note.id.in_(_newest(note, ids)))
    )
    return {
        row.attention_id: Line(row.attention_id, "", row.text, row.at, row.name)
        for row in rows
    }


def _newest(
    model: type[AttentionEntry] | type[AttentionNote], ids: Sequence[int]
) -> Select[int]:
    """The id of the last line of each attention."""
    return (
        select(func.max(model.id))
        .where(model.attention_id.in_(ids))
        .group_by(model.attention_id)
    )


def last_entry(session: Session, attention_id: int) -> AttentionEntry | None:
    """The newest public line, to know a repeated post by."""
    return session.scalar(
        select(AttentionEntry)
        .where(AttentionEntry.attention_id == attention_id)
        .order_by(AttentionEntry.id.desc())
        .limit(1)
    )


def last_note(session: Session, attention_id: int) -> AttentionNote | None:
    """The newest internal line, to know a repeated post by."""
    return session.scalar(
        select(AttentionNote)
        .where(AttentionNote.attention_id == attention_id)
        .order_by(AttentionNote.id.desc())
        .limit(1)
    )


def drafts(
    session: Session, staff_id: int | None = None
) -> Sequence[Row[int, int, str, str]]:
    """What was typed and not sent, by all or by one person."""
    asked = select(Draft.staff_id, Draft.attention_id, Draft.act, Draft.text)
    if staff_id is not None:
        asked = asked.where(Draft.staff_id == staff_id)
    return session.execute(asked).all()


def has_done(session: Session, attention_id: int) -> bool:
    """Whether the customer was told of anything done."""
    found = session.scalar(
        select(AttentionEntry.id)
        .where(AttentionEntry.attention_id == attention_id, AttentionEntry.kind == DONE)
        .limit(1)
    )
    return found is not None
