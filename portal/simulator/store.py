"""The simulator's own database: JSON records and calls, in one SQLite file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    created REAL NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS ix_records_parent ON records (kind, parent, number);
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    at REAL NOT NULL,
    headers TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_calls ON calls (operation, key);
"""
_ALL = "SELECT body FROM records WHERE kind = ? ORDER BY number DESC LIMIT ?"
_OF_PARENT = (
    "SELECT body FROM records WHERE kind = ? AND parent = ?"
    " ORDER BY number DESC LIMIT ?"
)


class Transaction:
    """Reads and writes of one database transaction."""

    def __init__(self, connection: sqlite.Connection) -> None:
        self._connection = connection

    def get(self, kind: str, identity: str) -> Json | None:
        """The record, or None."""
        row = self._connection.execute(
            "SELECT body FROM records WHERE kind = ? AND id = ?", (kind, identity)
        ).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def add(
        self, kind: str, identity: str, body: Json, at: datetime, parent: str = ""
    ) -> None:
        """A new record; raises IntegrityError when the id is taken."""
        self._connection.execute(
            "INSERT INTO records (kind, id, parent, created, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (kind, identity, parent, at.timestamp(), json.dumps(body)),
        )

    def save(self, kind: str, identity: str, body: Json) -> None:
        """Write a record that exists."""
        self._connection.execute(
            "UPDATE records SET body = ? WHERE kind = ? AND id = ?",
            (json.dumps(body), kind, identity),
        )

    def find(self, kind: str, parent: str | None = None, limit: int = -1) -> list[Json]:
        """Records of a kind, the newest first."""
        # Two statements, so that each uses the index.
        rows = (
            self._connection.execute(_ALL, (kind, limit))
            if parent is None
            else self._connection.execute(_OF_PARENT, (kind, parent, limit))
        )
        return [dict(json.loads(body)) for (body,) in rows]

    def add_call(
        self, operation: str, key: str, at: datetime, headers: dict[str, str]
    ) -> None:
        self._connection.execute(
            "INSERT INTO calls (operation, key, at, headers) VALUES (?, ?, ?, ?)",
            (operation, key, at.timestamp(), json.dumps(headers)),
        )

    def calls(self) -> list[Json]:
        """Every call received, the oldest first."""
        rows = self._connection.execute(
            "SELECT operation, key, at, headers FROM calls ORDER BY number"
        )
        return [
            {"operation": name, "key": key, "at": at, "headers": json.loads(headers)}
            for name, key, at, headers in rows
        ]

    def clear(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM records")
        self._connection.execute("DELETE FROM calls")


class Store:
    """The file; each transaction has a connection of its own, so threads are safe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = str(path)
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = wal")
        connection.executescript(_SCHEMA)
        connection.close()

    def _connect(self) -> sqlite.Connection:
        connection = sqlite.connect(self._path, isolation_level=None, timeout=10)
        connection.execute("PRAGMA synchronous = 1")
        return connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        connection = self._connect()
        try:
            connection.execute(begin)
            yield Transaction(connection)
            connection.execute("COMMIT")
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A consistent view for reading."""
        with self._transaction("BEGIN") as transaction:
            yield transaction

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """The one writer; an exception undoes everything."""
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction
