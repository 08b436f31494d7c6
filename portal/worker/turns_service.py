"""What only one of several workers should do: leases in the database.

Work that two did at once would break nothing, for every change is compare-and-set; it
would ask the gateways twice and copy the database twice.
"""

import os
import socket
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from portal.db import reading, transaction
from portal.worker.models import JobTurn

# A worker that dies is followed by another after this long.
LANE_LEASE = timedelta(seconds=60)
JOB_LEASE = timedelta(minutes=30)
# What failed is tried again this long after the try ended.
RETRY = timedelta(minutes=5)
# The clocks of two hosts differ by less; one that is further back was moved back.
CLOCKS_DIFFER = timedelta(minutes=5)


def own_name() -> str:
    """This worker's name: its host and its process."""
    return f"{socket.gethostname()[:28]}:{os.getpid()}"


def lead(lane: str, now: datetime, me: str) -> bool:
    """Whether this worker has the lane: it took it, or has it since before.

    The lease is written again only when half of it is over.
    """
    name = f"lane {lane}"
    with reading() as session:
        row = session.get(JobTurn, name)
        until = row.leased_until if row and row.holder == me else None
    if until and LANE_LEASE / 2 < until - now <= LANE_LEASE:
        return True
    return _take(name, me, now, LANE_LEASE, or_(JobTurn.holder == me, _free(now)))


def leave(me: str) -> None:
    """Give back every lease, so that another worker goes on at once."""
    with transaction() as session:
        session.execute(
            update(JobTurn)
            .where(JobTurn.holder == me)
            .values(holder=None, leased_until=None)
        )


def take_turn(name: str, since: datetime, now: datetime, me: str) -> bool:
    """Whether the job is due, counting what other workers did, and this one got it.

    It is due when no turn has begun since `since`, or none ever.
    """
    due = or_(
        JobTurn.done_at.is_(None),
        JobTurn.done_at < since,
        # A demo's clock may be moved back.
        JobTurn.done_at > now + CLOCKS_DIFFER,
    )
    return _take(name, me, now, JOB_LEASE, due & _free(now))


def end_turn(
    name: str, began: datetime, ended: datetime, me: str, *, well: bool
) -> None:
    """The job is done, counted from when it began; or it failed, and is due again soon.

    What began before a point may not have seen what was there at the point.
    """
    values: dict[str, Any] = {"leased_until": ended + RETRY}
    if well:
        values = {"leased_until": None, "done_at": began}
    with transaction() as session:
        session.execute(
            update(JobTurn)
            .where(JobTurn.name == name, JobTurn.holder == me)
            .values(holder=None, **values)
        )


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(
        JobTurn.leased_until.is_(None),
        JobTurn.leased_until <= now,
        JobTurn.leased_until > now + JOB_LEASE,
    )


def _take(
    name: str, me: str, now: datetime, lease: timedelta, if_: ColumnElement[bool]
) -> bool:
    with reading() as session:
        query = select(JobTurn.name).where(JobTurn.name == name)
        missing = session.scalar(query) is None
        possible = missing or session.scalar(query.where(if_)) is not None
    if not possible:
        return False
    if missing:
        _make_row(name)
    with transaction() as session:
        taken: CursorResult[Any] = session.execute(  # type: ignore[assignment]
            update(JobTurn)
            .where(JobTurn.name == name, if_)
            .values(holder=me, leased_until=now + lease)
        )
        return taken.rowcount == 1


def _make_row(name: str) -> None:
    """The row, made by whoever comes first."""
    try:
        with transaction() as session:
            session.execute(insert(JobTurn).values(name=name))
    except IntegrityError:
        return
