"""Polls answered "nothing changed" are answered so again while that must still hold.

Hundreds of screens ask each second and nearly all of them for nothing. A view that
answers 204 says until which instant the rows alone decide (`nothing_changed`); as long
as nobody commits anything and that instant has not come, the same screen's next poll
has the same answer, without session, account and rows being read again. Whether anyone
commits is told by SQLite itself; on PostgreSQL every poll goes the whole way.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Engine, event

from portal import clock, logs

HOLDS_UNTIL = "portal.holds_until"
# The commit as of which a poll is answered at least; None when it cannot be told.
STAMP = "portal.stamp"
# What no row tells (a session that ends) is asked again after this.
LONGEST = timedelta(seconds=60)
# More screens than ever poll one process; then all of them are forgotten.
MOST = 8192
_FRESH = ("x-now", "x-request-id")

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Commits:
    """A number that is another after any commit, of this or of another process."""

    def __init__(self, engine: Engine) -> None:
        self._path = engine.url.database if engine.dialect.name == "sqlite" else None
        self._connection: pysqlite3.dbapi2.Connection | None = None
        self._lock = threading.Lock()
        event.listen(engine, "engine_disposed", self._close)

    def stamp(self) -> int | None:
        """None when it cannot be told: then nothing is taken for unchanged."""
        if not self._path:
            return None
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = pysqlite3.dbapi2.connect(
                        self._path, check_same_thread=False
                    )
                found = self._connection.execute("PRAGMA data_version").fetchone()
            except pysqlite3.dbapi2.Error:
                return None
        return int(found[0])

    def _close(self, _engine: Engine) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


@dataclass(frozen=True)
class Known:
    """A 204, and as of which commit and between which instants it holds."""

    stamp: int
    since: datetime
    until: datetime
    headers: Headers


class Quiet:
    """A WSGI application that remembers its polls without news."""

    def __init__(self, application: Application, commits: Commits) -> None:
        self._application, self._commits = application, commits
        self._known: dict[tuple[str, ...], Known] = {}

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if not _is_poll(environ):
            return self._application(environ, start)
        # Before anything is read: a commit after it is seen by the next poll.
        stamp, now, key = self._commits.stamp(), clock.utcnow(), _key(environ)
        known = self._known.get(key)
        if known and known.stamp == stamp and known.since <= now < known.until:
            logs.answered["2xx"] += 1
            start("204 NO CONTENT", [*known.headers, *_fresh(now)])
            return []
        environ[STAMP] = stamp
        told: list[Headers] = []

        def tell(status: str, headers: Headers, *rest: Any) -> Any:
            told.append(headers)
            return start(status, headers, *rest)

        answer = self._application(environ, tell)
        until = environ.get(HOLDS_UNTIL)
        if until and stamp is not None:
            self._keep(key, stamp, now, min(until, now + LONGEST), told[-1])
        return answer

    def _keep(
        self,
        key: tuple[str, ...],
        stamp: int,
        since: datetime,
        until: datetime,
        headers: Headers,
    ) -> None:
        names = {name.lower() for name, _ in headers}
        if "set-cookie" in names:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        lasting = [it for it in headers if it[0].lower() not in _FRESH]
        self._known[key] = Known(stamp, since, until, lasting)


def _is_poll(environ: dict[str, Any]) -> bool:
    path = str(environ["PATH_INFO"])
    return bool(environ["REQUEST_METHOD"] == "GET") and (
        path == "/tablero/tarjetas"
        or (path.startswith("/atencion/") and path.endswith("/ahora"))
    )


def _key(environ: dict[str, Any]) -> tuple[str, ...]:
    """Who asks, and with which version: nobody is given another's answer."""
    names = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_COOKIE")
    return tuple(str(environ.get(name, "")) for name in names)


def _fresh(now: datetime) -> Headers:
    milliseconds = str(int(now.timestamp() * 1000))
    return [("X-Now", milliseconds), (logs.HEADER, secrets.token_hex(8))]
