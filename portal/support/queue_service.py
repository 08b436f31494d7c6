"""The promise of who comes back to a place in the queue. Reads only."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.hours.queries import load_calendar
from portal.hours.rules import NORMAL, add_open_minutes, regime_at
from portal.settings import queries as settings_queries
from portal.support.customer_rules import renewed_promise
from portal.support.models import Attention
from portal.support.states import WAITING


def new_promise(
    session: Session, attention: Attention, now: datetime
) -> tuple[str, datetime | None]:
    """The regime of now, and until when we promise to call in it."""
    calendar = load_calendar(session)
    kind = regime_at(calendar, now).kind
    if kind != NORMAL:
        return kind, None
    minutes = settings_queries.load(session).promise_minutes
    fresh = add_open_minutes(calendar, now, minutes)
    after = session.scalars(
        select(Attention.promise_at).where(
            Attention.state == WAITING, Attention.queued_at > attention.queued_at
        )
    )
    later = [promise for promise in after if promise is not None]
    return kind, renewed_promise(fresh, later, now)
