"""The places of all who wait, read once for as many as ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from portal import clock
from portal.orders.models import Order
from portal.support.customer_queries import Turn, attended_today
from portal.support.models import Attention
from portal.support.states import WAITING
from portal.support.version_queries import day_start
from portal.support.wait_rules import pace, wait_minutes

# How the name of a place begins among what answers rest on.
IN_QUEUE = "fila:"
# Built once: it is asked after every commit.
_WAITING = (
    select(Order.link_hash)
    .join(Attention, Attention.order_id == Order.id)
    .where(Attention.state == WAITING)
    .order_by(func.coalesce(Attention.promise_at, Attention.queued_at), Attention.id)
)


@dataclass(frozen=True)
class Queue:
    """Those who wait by the hash of their link, and what the desk takes for each."""

    places: dict[str, int]
    pace: timedelta | None

    def find(self, link_hash: str) -> Turn | None:
        """The turn behind this link; None when it does not wait."""
        place = self.places.get(link_hash)
        if place is None:
            return None
        return Turn(place, wait_minutes(place, self.pace))


def read_queue(session: Session, now: datetime) -> Queue:
    """The queue as it is; two queries."""
    links = session.connection().execute(_WAITING).scalars()
    places = {link: place for place, link in enumerate(links, 1)}
    return Queue(places, pace(attended_today(session, now)))


def turns_of_many(engine: Engine, names: Sequence[str]) -> dict[str, str]:
    """The versions of the places that are named here, of those who still wait."""
    links = [it.removeprefix(IN_QUEUE) for it in names if it.startswith(IN_QUEUE)]
    if not links:
        return {}
    with Session(engine) as session:
        queue = read_queue(session, clock.utcnow())
    turns = {IN_QUEUE + link: queue.find(link) for link in links}
    return {name: turn.version for name, turn in turns.items() if turn}


class LastQueue:
    """The queue as of the last commit that was asked for."""

    def __init__(self) -> None:
        self._kept: tuple[int, datetime, Queue] | None = None

    def read(self, session: Session, now: datetime, stamp: int) -> Queue:
        """The queue, read anew when `stamp` or Santiago's day is another.

        `stamp` was taken before this request read anything.
        """
        kept, day = self._kept, day_start(now)
        if kept and kept[:2] == (stamp, day):
            return kept[2]
        queue = read_queue(session, now)
        self._kept = (stamp, day, queue)
        return queue
