"""The register of data breaches: written once, completed as more becomes known.

The history says who wrote which fields and when, never what was written.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.engine import CursorResult

from portal.accounts.rules import Person
from portal.db import transaction
from portal.errors import StaleStateError
from portal.journal.service import Actor, record
from portal.privacy import queries
from portal.privacy.models import DataBreach

KIND = "data_breach"


@dataclass(frozen=True, kw_only=True)
class BreachDraft:
    """What is known of a breach; days are Santiago's."""

    noticed_on: date
    occurred: str
    cause: str
    affected: str
    people: int | None
    effects: str
    measures: str
    agency_on: date | None
    people_on: date | None
    untold_reason: str


def save(
    breach_id: int | None, draft: BreachDraft, *, seen: int, by: Person, now: datetime
) -> int:
    """Enter a breach, or complete one that was seen at version `seen`.

    Returns its id. Raises NotFoundError, and StaleStateError when another changed it
    meanwhile.
    """
    with transaction() as session:
        if breach_id is None:
            row = DataBreach(**asdict(draft), created_at=now)
            session.add(row)
            session.flush()
            action, fields = "breach.entered", sorted(asdict(draft))
        else:
            row = queries.get_breach(session, breach_id)
            old = {name: getattr(row, name) for name in asdict(draft)}
            fields = sorted(k for k, v in asdict(draft).items() if old[k] != v)
            done: CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
                update(DataBreach)
                .where(DataBreach.id == breach_id, DataBreach.version == seen)
                .values(**asdict(draft), version=seen + 1)
                .execution_options(synchronize_session=False)
            )
            if done.rowcount != 1:
                raise StaleStateError("Otra persona cambió esta brecha.")
            action = "breach.completed"
        record(
            session,
            at=now,
            actor=Actor("staff", by.id),
            action=action,
            object_kind=KIND,
            object_id=row.id,
            data={"fields": fields},
        )
        return row.id
