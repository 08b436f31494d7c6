"""Alerts to the desk, one outbox row for each reader, in another's transaction.

A row's key is the reader's place in the list of the hour, never an address.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.hours.rules import NORMAL
from portal.mail.service import enqueue
from portal.support.alert_queries import desk_addresses


def _places(session: Session, regime_kind: str) -> list[str]:
    """One place at least: the alert waits until there is somebody to tell."""
    count = len(desk_addresses(session, regime_kind))
    return [str(place) for place in range(max(1, count))]


def alert_errand(session: Session, order_id: int, *, now: datetime) -> None:
    """A paid errand waits to be coordinated; the desk of normal hours does that."""
    for key in _places(session, NORMAL):
        enqueue(session, kind="alert.errand", order_id=order_id, key=key, now=now)


def alert_no_answer(
    session: Session, order_id: int, regime_kind: str, *, now: datetime
) -> None:
    """A customer calls the numbers of special hours and nobody answers."""
    for key in _places(session, regime_kind):
        enqueue(session, kind="alert.no_answer", order_id=order_id, key=key, now=now)
