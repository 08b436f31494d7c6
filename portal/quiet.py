"""Polls answered "nothing changed" are answered so again while that must still hold.

Hundreds of screens ask each second and nearly all of them for nothing. A view that
answers 204 says until which instant the rows alone decide (`nothing_changed`); as long
as nobody commits anything and that instant has not come, the same screen's next poll
has the same answer, without session, account and rows being read again. After a commit
the rows that all screens rest on are asked for once, and not by each screen. Whether
anyone commits is told by SQLite itself; on PostgreSQL every poll goes the whole way.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

from portal import clock, logs

HOLDS_UNTIL, RESTS_ON = "portal.holds_until", "portal.rests_on"
# The commit as of which a poll is answered at least; None when it cannot be told.
STAMP = "portal.stamp"
# What no row tells (a session that ends) is asked again after this.
LONGEST = timedelta(seconds=60)
# More screens than ever poll one process; then all of them are forgotten.
MOST = 8192
_FRESH = ("x-now", "x-request-id")

Headers = list[tuple[str, str]]
# The name of what an answer rests on alone, besides time, and as it was.
Rests = tuple[str, object]
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
    rests: Rests | None


class SharedRests:
    """What many answers rest on, read once for all of them after a commit."""

    def __init__(
        self, commits: Commits, read: Callable[[Sequence[str]], dict[str, Any]]
    ) -> None:
        self._commits, self._read = commits, read
        self._lock = threading.Lock()
        self._last: tuple[int | None, dict[str, Any]] = None, {}

    def now(self, names: Callable[[], set[str]]) -> tuple[int | None, dict[str, Any]]:
        """As of which commit at least, and what is found under the names."""
        with self._lock:
            # Before the reading: a commit during it is seen by the next poll.
            stamp = self._commits.stamp()
            if stamp is None or stamp != self._last[0]:
                try:
                    self._last = stamp, self._read(list(names()))
                except SQLAlchemyError:
                    # Whoever asks goes the whole way, and is told there.
                    return None, {}
            return self._last

    def known_as_of(self, stamp: int) -> dict[str, Any]:
        """What the last reading found, if it was as of this commit; reads nothing."""
        told_at, found = self._last
        return found if told_at == stamp else {}


class Quiet:
    """A WSGI application that remembers its polls without news."""

    def __init__(
        self, application: Application, commits: Commits, rests: SharedRests
    ) -> None:
        self._application, self._commits = application, commits
        self._rests = rests
        self._known: dict[tuple[str, ...], Known] = {}

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if not _is_poll(environ):
            return self._application(environ, start)
        # Before anything is read: a commit after it is seen by the next poll.
        stamp, now, key = self._commits.stamp(), clock.utcnow(), _key(environ)
        known = self._known.get(key)
        if known and stamp is not None and self._holds(key, known, stamp, now):
            start("204 NO CONTENT", _again(known, now))
            return []
        environ[STAMP] = stamp
        told: list[Headers] = []

        def tell(status: str, headers: Headers, *rest: Any) -> Any:
            told.append(headers)
            return start(status, headers, *rest)

        answer = self._application(environ, tell)
        until = environ.get(HOLDS_UNTIL)
        if until and stamp is not None:
            rests = environ.get(RESTS_ON)
            until = min(until, now + LONGEST)
            self._keep(key, Known(stamp, now, until, told[-1], rests))
        return answer

    def at_once(self, environ: dict[str, Any]) -> Headers | None:
        """The headers of a 204 that memory alone can tell; None: ask as usual.

        It waits for no row, so that it needs no thread.
        """
        if not _is_poll(environ):
            return None
        stamp, now = self._commits.stamp(), clock.utcnow()
        known = self._known.get(_key(environ))
        if known is None or stamp is None or not known.since <= now < known.until:
            return None
        if known.stamp != stamp:
            if known.rests is None:
                return None
            name, before = known.rests
            if self._rests.known_as_of(stamp).get(name) != before:
                return None
        return _again(known, now)

    def _holds(
        self, key: tuple[str, ...], known: Known, stamp: int, now: datetime
    ) -> bool:
        if not known.since <= now < known.until:
            return False
        if known.stamp == stamp:
            return True
        if known.rests is None:
            return False
        name, before = known.rests
        told_at, found = self._rests.now(lambda: self._names(now))
        if told_at is None or found.get(name) != before:
            return False
        self._known[key] = replace(known, stamp=told_at)
        return True

    def _names(self, now: datetime) -> set[str]:
        """What the answers rest on that are still of use; the others are forgotten."""
        alive = {key: it for key, it in list(self._known.items()) if now < it.until}
        self._known = alive
        return {it.rests[0] for it in alive.values() if it.rests}

    def _keep(self, key: tuple[str, ...], known: Known) -> None:
        names = {name.lower() for name, _ in known.headers}
        if "set-cookie" in names:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        lasting = [it for it in known.headers if it[0].lower() not in _FRESH]
        self._known[key] = replace(known, headers=lasting)


def _is_poll(environ: dict[str, Any]) -> bool:
    path = str(environ["PATH_INFO"])
    return bool(environ["REQUEST_METHOD"] == "GET") and (
        path == "/tablero/tarjetas"
        or (path.startswith("/atencion/") and path.endswith(("/ahora", "/lugar")))
    )


def _key(environ: dict[str, Any]) -> tuple[str, ...]:
    """Who asks, and with which version: nobody is given another's answer."""
    names = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_COOKIE")
    return tuple(str(environ.get(name, "")) for name in names)


def _again(known: Known, now: datetime) -> Headers:
    logs.answered["2xx"] += 1
    return [*known.headers, *_fresh(now)]


def _fresh(now: datetime) -> Headers:
    milliseconds = str(int(now.timestamp() * 1000))
    return [("X-Now", milliseconds), (logs.HEADER, secrets.token_hex(8))]
