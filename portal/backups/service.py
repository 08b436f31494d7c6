"""Backups: made while the portal sells, checked, kept for a while, put back."""

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from portal import clock
from portal.backups import postgres_service, rules, sqlite_service
from portal.backups.files import check_digest, digest_file, digest_of, whole_file
from portal.config import Settings
from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.service import SYSTEM, record
from portal.mail.service import enqueue

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backup:
    """A file that was read back whole, and the invariants that are broken in it."""

    file: Path
    bytes: int
    sha256: str
    seconds: float
    faults: tuple[str, ...]


def database_file(settings: Settings) -> Path:
    """Where SQLite keeps the database."""
    return Path(settings.database_url.removeprefix("sqlite:///"))


def make(settings: Settings, target: Path, *, now: datetime) -> Backup:
    """Write a checked backup, with its digest beside it and a line of history.

    Raises RefusedError (and leaves no file) when it cannot be made or is not whole.
    """
    began = clock.monotonic()
    faults: list[str] = []
    if rules.is_sqlite(settings.database_url):
        faults = sqlite_service.copy_database(database_file(settings), target)
    else:
        postgres_service.copy_database(settings.database_url, target)
    digest = digest_of(target)
    with whole_file(digest_file(target), replace=True) as temporary:
        temporary.write_text(f"{digest}  {target.name}\n")
    made = Backup(
        target,
        target.stat().st_size,
        digest,
        clock.monotonic() - began,
        tuple(faults),
    )
    _tell(made, now)
    return made


def _tell(made: Backup, now: datetime) -> None:
    with transaction() as session:
        record(
            session,
            at=now,
            actor=SYSTEM,
            action=rules.FAULTY if made.faults else rules.MADE,
            object_kind=rules.OBJECT,
            object_id=0,
            data={
                "file": made.file.name,
                "bytes": made.bytes,
                "sha256": made.sha256,
                "seconds": round(made.seconds, 3),
            },
        )


def make_scheduled(settings: Settings, now: datetime) -> Backup:
    """One more backup in the folder, and the superfluous ones away.

    A failure asks for one mail a day to the owner, and is raised on.
    """
    try:
        settings.backup_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = rules.file_name(now, settings.database_url)
        made = make(settings, settings.backup_dir / name, now=now)
        _rotate(settings)
        if made.faults:
            raise RefusedError("the copy breaks invariants: flask verify names them")
    except (RefusedError, OSError, DBAPIError) as error:
        _tell_failure(error, now)
        raise
    return made


def _rotate(settings: Settings) -> None:
    names = os.listdir(settings.backup_dir)
    for name in rules.superfluous(names, settings.backup_keep, settings.backup_days):
        path = settings.backup_dir / name
        path.unlink()
        digest_file(path).unlink(missing_ok=True)


def _tell_failure(error: Exception, now: datetime) -> None:
    _log.error("the backup failed: %s", type(error).__name__)
    reason = str(error) if isinstance(error, RefusedError) else type(error).__name__
    with transaction() as session:
        record(
            session,
            at=now,
            actor=SYSTEM,
            action=rules.FAILED,
            object_kind=rules.OBJECT,
            object_id=0,
            reason=reason[:500],
        )
        enqueue(session, kind="alert.backup", key=f"{now:%Y-%m-%d}", now=now)


@dataclass(frozen=True)
class Target:
    """The database that a restore would replace."""

    in_use: bool
    has_rows: bool


def look_at_target(settings: Settings) -> Target:
    """How the configured database is now."""
    if rules.is_sqlite(settings.database_url):
        path = database_file(settings)
        return Target(sqlite_service.in_use(path), sqlite_service.has_rows(path))
    url = settings.database_url
    return Target(postgres_service.in_use(url), postgres_service.has_rows(url))


def restore(
    settings: Settings, file: Path, *, replace: bool, known: frozenset[str]
) -> Path | None:
    """Put a backup in the database's place, whole or not at all.

    `known` are the migrations that this program brings. Returns where the database
    that was there is kept (SQLite). Raises RefusedError when the file is damaged, from
    a newer program, or the target is in use, or holds data and `replace` is not set.
    """
    if not file.is_file():
        raise RefusedError(f"There is no file {file}.")
    check_digest(file)
    target = look_at_target(settings)
    if target.in_use:
        raise RefusedError(
            "The database is in use: stop the portal and its worker, on every host."
        )
    if target.has_rows and not replace:
        raise RefusedError(
            "The database holds orders or accounts. To put the backup in its place, "
            "say --replace."
        )
    if not rules.is_sqlite(settings.database_url):
        postgres_service.put_back(file, settings.database_url)
        return None
    return _restore_sqlite(settings, file, known)


def _restore_sqlite(
    settings: Settings, file: Path, known: frozenset[str]
) -> Path | None:
    if file.with_name(f"{file.name}-wal").exists():
        raise RefusedError(
            f"{file.name}-wal lies beside it: this is a database in use, not a backup."
        )
    sqlite_service.check_file(file)
    if sqlite_service.revision_of(file) not in known:
        raise RefusedError(f"{file.name} is no backup that this version knows.")
    database = database_file(settings)
    stamp = f"{clock.utcnow():%Y%m%dT%H%M%SZ}"
    kept = database.with_name(f"{database.name}.before-{stamp}")
    existed = database.exists()
    sqlite_service.put_back(file, database, kept)
    return kept if existed else None


def tell_restore(file: Path, *, now: datetime) -> None:
    """A line in the restored database's own history."""
    with transaction() as session:
        record(
            session,
            at=now,
            actor=SYSTEM,
            action=rules.RESTORED,
            object_kind=rules.OBJECT,
            object_id=0,
            data={"file": file.name, "sha256": digest_of(file)},
        )
