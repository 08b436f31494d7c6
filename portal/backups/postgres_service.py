"""PostgreSQL: backups by its own programs, pg_dump and pg_restore."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from portal.backups.files import whole_file
from portal.errors import RefusedError

# A database of this portal is small: whoever takes longer hangs.
LIMIT_SECONDS = 3600


def _program(name: str) -> str:
    """The newest one that is installed. Raises RefusedError when there is none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        key=lambda path: int(path.parts[4]) if path.parts[4].isdigit() else 0,
    )
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise RefusedError(
            f"{name} is not installed: on Debian, apt install postgresql-client."
        )
    return program


def _run(name: str, url: str, *arguments: str) -> str:
    """What the program printed. The password goes by its environment, never as an
    argument that a list of processes shows. Raises RefusedError when it fails."""
    target = make_url(url)
    given = {
        "PGHOST": target.host or target.query.get("host"),
        "PGPORT": str(target.port) if target.port else None,
        "PGUSER": target.username,
        "PGPASSWORD": target.password,
        "PGDATABASE": target.database,
    }
    environment = {
        "PATH": os.defpath,
        **{name: str(value) for name, value in given.items() if value},
    }
    done = subprocess.run(  # noqa: S603 (our own words, no shell)
        [_program(name), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise RefusedError(f"{name} failed: {said[0]}")
    return done.stdout


def copy_database(url: str, target: Path) -> None:
    """Dump the database as it is at one instant; nobody who writes waits for it.

    The file is read back whole. Raises RefusedError.
    """
    with whole_file(target) as temporary:
        _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={temporary}")
        check_file(temporary)


def check_file(path: Path) -> None:
    """Raises RefusedError unless pg_restore reads the whole file."""
    _run("pg_restore", "postgresql://", "--file=/dev/null", str(path))
    if " TABLE public alembic_version" not in _run(
        "pg_restore", "postgresql://", "--list", str(path)
    ):
        raise RefusedError(f"{path.name} is no backup of the portal.")


def put_back(file: Path, url: str) -> None:
    """Replace the database by the file's, in one transaction. Raises RefusedError."""
    check_file(file)
    _run(
        "pg_restore",
        url,
        *("--clean", "--if-exists", "--no-owner", "--exit-on-error"),
        *("--single-transaction", f"--dbname={make_url(url).database}", str(file)),
    )


def in_use(url: str) -> bool:
    """Whether anybody else is connected to the database."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with _connection(url) as connection:
        return bool(connection.scalar(text(query)))


def has_rows(url: str) -> bool:
    """Whether somebody sold or works there: orders or accounts."""
    with _connection(url) as connection:
        known = set(inspect(connection).get_table_names())
        return any(
            connection.scalar(text(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608
            for table in ("orders", "staff")
            if table in known
        )


def _connection(url: str) -> Connection:
    return create_engine(url, poolclass=NullPool, hide_parameters=True).connect()
