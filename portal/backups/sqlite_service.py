"""SQLite: a copy made while the portal sells, and its return."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pysqlite3.dbapi2 as sqlite3
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from portal.audit.queries import broken_invariants
from portal.backups.files import whole_file
from portal.errors import RefusedError

BUSY_SECONDS = 5.0


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
    )


def copy_database(database: Path, target: Path) -> list[str]:
    """Write a whole, checked copy of the database as it is at one instant.

    SQLite's online backup reads what is in the WAL too, and nobody who writes waits for
    it. Returns the invariants that are broken in it. Raises RefusedError when there is
    no database, the target exists, or the copy does not pass SQLite's own check.
    """
    if not database.exists():
        raise RefusedError(f"There is no database at {database}.")
    with whole_file(target) as temporary:
        with (
            closing(_open(database, "rw")) as source,
            closing(_open(temporary, "rw")) as copy,
        ):
            source.backup(copy)
            # One file by itself: no -wal that could be forgotten.
            copy.execute("PRAGMA journal_mode = DELETE")
        check_file(temporary)
        return faults_of(temporary)


def check_file(path: Path) -> None:
    """Raises RefusedError unless SQLite finds the file whole, foreign keys included."""
    try:
        with closing(_open(path, "ro")) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise RefusedError(f"{path.name} is no database: {error}.") from error
    if said != "ok" or orphans:
        raise RefusedError(f"{path.name} is damaged: {said if said != 'ok' else 'FK'}.")


@contextmanager
def session_on(path: Path) -> Iterator[Session]:
    """A session that reads the file and leaves nothing open."""
    engine = create_engine(
        f"sqlite:///{path}", module=sqlite3, poolclass=NullPool, hide_parameters=True
    )
    with Session(engine) as session:
        yield session


def faults_of(path: Path) -> list[str]:
    """The invariants that are broken in the file, in words."""
    with session_on(path) as session:
        return [fault.line() for fault in broken_invariants(session)]


def revision_of(path: Path) -> str | None:
    """The migration at which the file is; None when it is no database of the portal."""
    with session_on(path) as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found = session.scalar(text("SELECT version_num FROM alembic_version"))
        return str(found) if found else None


def has_rows(path: Path) -> bool:
    """Whether somebody sold or works there: orders or accounts."""
    if not path.exists():
        return False
    with session_on(path) as session:
        known = set(inspect(session.connection()).get_table_names())
        return any(
            session.scalar(text(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608
            for table in ("orders", "staff")
            if table in known
        )


def in_use(path: Path) -> bool:
    """Whether another process has the database open, even if it does nothing."""
    if not path.exists():
        return False
    with closing(_open(path, "rw")) as connection:
        connection.execute("PRAGMA busy_timeout = 200")
        # Every connection in WAL mode holds a shared lock for as long as it is open.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
    return False


def put_back(file: Path, database: Path, kept: Path) -> None:
    """Put the file in the database's place by one rename; what was there stays as
    `kept`. Nobody may have it open (`in_use`). Raises RefusedError when it is damaged.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(database, replace=True) as temporary:
        shutil.copyfile(file, temporary)
        check_file(temporary)
        if database.exists():
            _fold_wal(database)
            os.link(database, kept)


def _fold_wal(database: Path) -> None:
    """Bring what lies in the -wal into the file, and do away with the -wal: one that
    stayed would be read into the restored database."""
    with closing(_open(database, "rw")) as connection:
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    if mode != "delete":
        raise RefusedError("The database is in use: stop the portal and its worker.")
