"""Stopping and resuming all sales."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.db import transaction
from portal.errors import StaleStateError
from portal.journal.service import Actor
from portal.settings import queries as settings_queries
from portal.settings import service as settings_service

MESSAGE = ("sales_stopped_message",)


def stop_sales(message: str, *, by: Person, now: datetime, seen: str = "") -> None:
    """Sell nothing from now on and tell customers why; empty: the usual words.

    `seen` is the settings' version that the page showed. Raises StaleStateError when
    the message was changed since and is not the same: stopped it is in any case.
    """
    actor = Actor("staff", by.id)
    with transaction() as session:
        business = settings_queries.load(session)
        was_seen = seen in ("", str(settings_queries.version_of(session, MESSAGE)))
        is_late = not was_seen and business.sales_stopped_message != message
        wanted = {} if is_late else {"sales_stopped_message": message}
        _write(session, {"sales_stopped": True, **wanted}, actor, now)
    if is_late:
        raise StaleStateError("Otra persona cambió el mensaje entre tanto.")


def resume_sales(*, by: Person, now: datetime) -> None:
    """Sell again; the message is kept for the next time."""
    with transaction() as session:
        _write(session, {"sales_stopped": False}, Actor("staff", by.id), now)


def _write(
    session: Session, values: dict[str, bool | str], actor: Actor, now: datetime
) -> None:
    """Write what differs, so that a second tap adds no line of history.

    The terms quote none of these values: `portal.terms.rules.QUOTED`.
    """
    business = settings_queries.load(session)
    for name, value in values.items():
        if getattr(business, name) != value:
            settings_service.write(session, name, value, actor=actor, now=now)
