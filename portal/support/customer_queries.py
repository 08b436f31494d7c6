"""Reading what concerns the customer's own page: messages, place, rating, code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from portal.orders.models import Order
from portal.support.customer_models import AttentionMessage, Rating, RemoteCode
from portal.support.models import Attention
from portal.support.queries import queue_place
from portal.support.remote_rules import GIVEN_IN, SHOWN_IN, WIPE_AFTER
from portal.support.version_queries import day_start
from portal.support.wait_rules import pace, wait_minutes

SHOWN_MESSAGES = 3


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the customer."""

    attention_id: int
    text: str
    at: datetime


def messages(session: Session, attention_id: int) -> list[Message]:
    """What the customer wrote, oldest first."""
    return messages_of(session, [attention_id]).get(attention_id, [])


def messages_of(session: Session, ids: Sequence[int]) -> dict[int, list[Message]]:
    """What the customers of these attentions wrote, oldest first; one query."""
    message = AttentionMessage
    rows = session.execute(
        select(message.attention_id, message.text, message.at)
        .where(message.attention_id.in_(ids))
        .order_by(message.id)
    )
    found: dict[int, list[Message]] = {}
    for row in rows:
        found.setdefault(row.attention_id, []).append(Message(*row))
    return found


def count_messages(
    session: Session, attention_id: int, since: datetime | None = None
) -> int:
    """How many messages an attention has, or has got since an instant."""
    statement = select(func.count()).where(
        AttentionMessage.attention_id == attention_id
    )
    if since is not None:
        statement = statement.where(AttentionMessage.at > since)
    return int(session.scalar(statement) or 0)


def find_rating(session: Session, attention_id: int) -> Rating | None:
    """What the customer said of an attention, if anything."""
    return session.scalar(select(Rating).where(Rating.attention_id == attention_id))


def find_code(session: Session, attention_id: int) -> RemoteCode | None:
    """The row of an attention's remote code, wiped or not."""
    return session.scalar(
        select(RemoteCode).where(RemoteCode.attention_id == attention_id)
    )


def codes_to_wipe(session: Session, now: datetime) -> list[int]:
    """The attentions that ended ten seconds ago and whose code is still there."""
    held = select(RemoteCode.attention_id).where(RemoteCode.remote_code.is_not(None))
    # The codes first, for they are few: an attention by its id, never by its age.
    statement = select(Attention.id).where(
        Attention.id.in_(held),
        Attention.state.not_in(tuple(sorted(GIVEN_IN))),
        Attention.changed_at <= now - WIPE_AFTER,
    )
    return list(session.scalars(statement))


@dataclass(frozen=True, slots=True)
class Turn:
    """The place in the queue, and the minutes that it may take.

    How many wait in all is not told: who comes behind changes nothing for this one.
    """

    place: int
    minutes: int | None

    @property
    def version(self) -> str:
        """What a page says it has."""
        return f"{self.place}-{self.minutes}"


def find_turn(session: Session, attention: Attention, now: datetime) -> Turn | None:
    """Where a waiting attention stands now; None when it does not wait."""
    place = queue_place(session, attention)
    if place is None:
        return None
    return Turn(place, wait_minutes(place, pace(attended_today(session, now))))


def attended_today(session: Session, now: datetime) -> list[tuple[datetime, datetime]]:
    """When each one of today entered the queue and was reached; one query."""
    reached = func.coalesce(
        Attention.contacted_at,
        Attention.taken_at,
        type_=Attention.contacted_at.type,
    )
    today = day_start(now)
    rows = session.execute(
        select(Attention.queued_at, reached).where(
            Attention.queued_at >= today, reached.is_not(None)
        )
    )
    return [(row[0], row[1]) for row in rows]


def parent_of(session: Session, order: Order) -> Order | None:
    """The order that this one continues."""
    if order.parent_id is None:
        return None
    return session.get(Order, order.parent_id)


@dataclass(frozen=True, slots=True)
class Extra:
    """What a card shows of its customer's side; `sealed` is the code, still sealed."""

    messages: tuple[Message, ...] = ()
    older_messages: int = 0
    sealed: str | None = None
    code_at: datetime | None = None
    parent_number: str | None = None


def extras(session: Session, ids: Sequence[int]) -> dict[int, Extra]:
    """What the cards of these attentions show beside; two queries, however many."""
    written = messages_of(session, ids)
    rows = session.execute(
        select(
            Attention.id,
            Attention.state,
            RemoteCode.remote_code,
            RemoteCode.at,
            Order.parent_id,
        )
        .join(Order, Order.id == Attention.order_id)
        .outerjoin(RemoteCode, RemoteCode.attention_id == Attention.id)
        .where(Attention.id.in_(ids))
    )
    return {row.id: _extra(row, written.get(row.id, [])) for row in rows}


def _extra(
    row: Row[int, str, str | None, datetime, int | None], said: list[Message]
) -> Extra:
    shows_code = row.state in SHOWN_IN and row.remote_code is not None
    return Extra(
        messages=tuple(said[-SHOWN_MESSAGES:]),
        older_messages=max(len(said) - SHOWN_MESSAGES, 0),
        sealed=row.remote_code if shows_code else None,
        code_at=row.at if shows_code else None,
        parent_number=str(1000 + row.parent_id) if row.parent_id else None,
    )
