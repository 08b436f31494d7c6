"""The database: engine, base class, naming of constraints, UTC column, transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import pysqlite3.dbapi2
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Engine, MetaData, Table, event, types
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from portal.errors import ConfigurationError

# SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that two connections write and
# checkpoint at once (the "WAL-reset" bug).
SAFE_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
_WRITE = "sqlite_begin_immediate"
PRAGMAS: dict[str, str | int] = {
    "journal_mode": "wal",
    # 2 is FULL: with NORMAL an acknowledged payment may be lost in a power cut.
    "synchronous": 2,
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
}


class Base(DeclarativeBase):
    """Base of every table; constraints get names so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


class UtcDateTime(types.TypeDecorator[datetime]):
    """An aware instant, stored in UTC and read back aware, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is not an instant")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def append_only_ddl(dialect: str, table: str) -> list[str]:
    """The statements that make the database refuse to change a row of `table`."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
        "ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ]


def make_append_only(model: type[Base]) -> None:
    """Let the database itself refuse to change or delete a row of the model's table."""

    def guard(table: Table, connection: Connection, **_options: object) -> None:
        for statement in append_only_ddl(connection.dialect.name, table.name):
            connection.exec_driver_sql(statement)

    event.listen(model.__table__, "after_create", guard)


def engine_options(database_url: str) -> dict[str, Any]:
    """Options of the engine for this address."""
    if database_url.startswith("sqlite"):
        return {
            "module": pysqlite3.dbapi2,
            "connect_args": {"check_same_thread": False},
            "pool_size": 20,
            "max_overflow": 20,
            # A statement's values are customers' data: they stay out of logs.
            "hide_parameters": True,
        }
    return {
        "pool_pre_ping": True,
        "pool_size": 20,
        "max_overflow": 20,
        "hide_parameters": True,
    }


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # Autocommit at the driver: SQLAlchemy's BEGIN below decides when one starts.
    connection.isolation_level = None
    for name, wanted in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {wanted}")
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != wanted:
            raise ConfigurationError([f"SQLite refused {name}={wanted}: it is {found}"])


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _keep_values_out(context: ExceptionContext) -> None:
    """Leave of a database's error its first line: the next ones quote the row.

    PostgreSQL's DETAIL repeats what somebody typed, and would take it to the log.
    """
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (error.args[0].partition("\n")[0], *error.args[1:])


def prepare_engine(engine: Engine) -> None:
    """Hang the set-up on the engine. Raises when SQLite's version is unsafe."""
    event.listen(engine, "handle_error", _keep_values_out)
    if engine.dialect.name != "sqlite":
        return
    version = pysqlite3.dbapi2.sqlite_version_info
    if version < SAFE_SQLITE:
        raise ConfigurationError([f"SQLite {version} has the WAL-reset bug."])
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction on the request's session: commits, or rolls back.

    Whatever was read before is forgotten first, so that every decision inside is taken
    on rows read under the write lock. It does not nest: a function that runs inside
    another's transaction takes the session as an argument instead.
    """
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("a write transaction is already open: pass its session on")
    session.rollback()
    session.info["writing"] = True
    try:
        with _turn_to_write(session):
            try:
                session.connection(execution_options={_WRITE: True})
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
    finally:
        session.info.pop("writing", None)


# SQLite's own waiting sleeps and tries again, up to 100 ms at a time, whoever came
# first: with eight writers a few wait for seconds. In one process they form a queue.
_WRITERS = Lock()


@contextmanager
def _turn_to_write(session: Session) -> Iterator[None]:
    """Wait for this process's other writers, as long as SQLite would wait itself.

    After that SQLite is asked all the same, and says that it is locked.
    """
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    waited = _WRITERS.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        yield
    finally:
        if waited:
            _WRITERS.release()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for a service that only reads, on rows as they are now.

    The connection is given back afterwards, so that the network may be waited for.
    """
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("a write transaction is open: read with its session")
    session.rollback()
    try:
        yield session
    finally:
        session.rollback()


def in_transaction() -> bool:
    """Whether a write transaction is open here (no network call may run inside)."""
    return bool(db.session().info.get("writing"))


def is_busy(error: DBAPIError) -> bool:
    """Whether the database was locked, full or out of reach, so that a retry helps."""
    if not isinstance(error, OperationalError):
        return False
    text = str(error.orig).lower()
    return any(
        sign in text
        for sign in ("locked", "full", "disk i/o", "timeout", "connection", "deadlock")
    )
