"""What tells a screen that it has the newest: one query, for it happens each second."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from portal import clock
from portal.db import UtcDateTime
from portal.settings.models import Setting
from portal.settings.queries import REVISION
from portal.support import rules
from portal.support.models import Attention, Errand
from portal.support.states import ERRAND_OPEN, ERRAND_SCHEDULED, LIVING

_LIVING = tuple(sorted(LIVING))


def day_start(now: datetime) -> datetime:
    """The first instant of Santiago's day, in UTC."""
    day = clock.local(now).date()
    return datetime.combine(day, time(), clock.ZONE).astimezone(UTC)


def day_end(now: datetime) -> datetime:
    """The first instant of Santiago's next day, in UTC."""
    day = clock.local(now).date() + timedelta(days=1)
    return datetime.combine(day, time(), clock.ZONE).astimezone(UTC)


def _on_board(start: BindParameter[datetime]) -> ColumnElement[bool]:
    """The rows of the board and of its version: the living, and today's.

    A row leaves this set only when the day does, so a sum of versions over it, read
    with the day, never comes back to what it was.
    """
    return or_(Attention.state.in_(_LIVING), Attention.changed_at >= start)


def _board_version() -> Select[int, int, int, int]:
    """How many rows the board has, and the sums of their versions and of settings."""
    start = bindparam("day_start", type_=UtcDateTime)
    errands = select(func.coalesce(func.sum(Errand.version), 0)).where(
        or_(
            Errand.state.in_((ERRAND_OPEN, ERRAND_SCHEDULED)),
            Errand.changed_at >= start,
        )
    )
    return select(
        func.count(),
        func.coalesce(func.sum(Attention.version), 0),
        errands.scalar_subquery(),
        select(Setting.value).where(Setting.name == REVISION).scalar_subquery(),
    ).where(_on_board(start))


# Built once: it is asked with every poll.
_BOARD_VERSION = _board_version()


def version_of_now(session: Session, now: datetime) -> str:
    """The version of what the board shows at `now`, without its edge; one query."""
    start = {"day_start": day_start(now)}
    row = session.connection().execute(_BOARD_VERSION, start).one()
    count, attentions, errands, revision = row
    day = clock.local(now).strftime("%Y%m%d")
    return rules.board_version(
        day, count, int(attentions) + int(errands), int(revision or 0)
    )
