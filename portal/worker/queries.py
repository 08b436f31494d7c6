"""Whether the database, the migrations, the worker and the outbox are well."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import ROOT
from portal.mail.queries import oldest_waiting
from portal.worker.models import WorkerHeartbeat
from portal.worker.rules import Status, judge, seconds_since

WORKER = "worker"


@lru_cache(maxsize=1)
def expected_heads() -> frozenset[str]:
    """The newest migrations that this program brings."""
    return frozenset(ScriptDirectory(str(ROOT / "migrations")).get_heads())


def migrations_in_place(session: Session) -> bool:
    """Whether the database is at this program's newest migration."""
    found = MigrationContext.configure(session.connection()).get_current_heads()
    return frozenset(found) == expected_heads()


@dataclass(frozen=True)
class Pulse:
    """How worker and outbox are; ages in seconds, None when there is nothing."""

    status: Status
    worker_age: int | None
    outbox_age: int | None


def take_pulse(session: Session, now: datetime) -> Pulse:
    """The worker's last beat and the oldest mail that should be out by now."""
    beat = session.scalar(
        select(WorkerHeartbeat.at).where(WorkerHeartbeat.name == WORKER)
    )
    worker_age = seconds_since(beat, now)
    outbox_age = seconds_since(oldest_waiting(session, now), now)
    return Pulse(judge(worker_age, outbox_age), worker_age, outbox_age)
