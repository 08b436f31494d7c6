"""Stopping and resuming all sales."""

from datetime import datetime

from portal.accounts.rules import Person
from portal.db import transaction
from portal.journal.service import Actor
from portal.settings import queries as settings_queries
from portal.settings import service as settings_service


def stop_sales(message: str, *, by: Person, now: datetime) -> None:
    """Sell nothing from now on and tell customers why; empty: the usual words."""
    _set(
        {"sales_stopped": True, "sales_stopped_message": message},
        Actor("staff", by.id),
        now,
    )


def resume_sales(*, by: Person, now: datetime) -> None:
    """Sell again; the message is kept for the next time."""
    _set({"sales_stopped": False}, Actor("staff", by.id), now)


def _set(values: dict[str, bool | str], actor: Actor, now: datetime) -> None:
    """Write what differs, so that a second tap adds no line of history.

    The terms quote none of these values: `portal.terms.rules.QUOTED`.
    """
    with transaction() as session:
        business = settings_queries.load(session)
        for name, value in values.items():
            if getattr(business, name) != value:
                settings_service.write(session, name, value, actor=actor, now=now)
