"""Whether the database, the migrations, the worker and the outbox are well."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from portal.backups.rules import MADE, OBJECT
from portal.config import Settings
from portal.journal.queries import last_of
from portal.mail.queries import oldest_waiting
from portal.schema import expected_heads
from portal.worker.models import WorkerHeartbeat
from portal.worker.rules import (
    Status,
    is_old_backup,
    is_stopped,
    is_stuck,
    judge,
    seconds_since,
)


def migrations_in_place(session: Session) -> bool:
    """Whether the database is at this program's newest migration."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    found = session.scalars(text("SELECT version_num FROM alembic_version"))
    return frozenset(found) == expected_heads()


@dataclass(frozen=True)
class Pulse:
    """How workers, outbox and backups are; ages in seconds, None when there is none."""

    status: Status
    worker_age: int | None
    outbox_age: int | None
    backup_age: int | None
    backups_expected: bool = False

    @property
    def worker_stopped(self) -> bool:
        """Whether the worker gives no sign, or never gave one."""
        return is_stopped(self.worker_age)

    @property
    def outbox_stuck(self) -> bool:
        """Whether a mail should have been out for long."""
        return is_stuck(self.outbox_age)

    @property
    def backups_stopped(self) -> bool:
        """Whether the last good backup is too old, where there should be any."""
        return self.backups_expected and is_old_backup(self.backup_age)


def last_beat(session: Session) -> datetime | None:
    """When any worker last said that it works; None when none ever did."""
    found: datetime | None = session.scalar(
        select(func.max(WorkerHeartbeat.at, type_=WorkerHeartbeat.at.type))
    )
    return found


def take_pulse(session: Session, settings: Settings, now: datetime) -> Pulse:
    """The last beat of any worker, the oldest mail that should be out, the backup."""
    made = last_of(session, OBJECT, MADE)
    backup_age = seconds_since(made.at if made else None, now)
    worker_age = seconds_since(last_beat(session), now)
    outbox_age = seconds_since(oldest_waiting(session, now), now)
    status = judge(
        worker_age,
        outbox_age,
        backup_age,
        backups_expected=settings.backup_hours > 0,
    )
    expected = settings.backup_hours > 0
    return Pulse(status, worker_age, outbox_age, backup_age, expected)
