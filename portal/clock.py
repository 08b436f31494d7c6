"""The clock and the business zone: the only place that reads the time.

In demo mode the clock can be moved: a small file holds the difference to real time in
seconds, and every process re-reads it when it changes. In production it cannot.
"""

import os
import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

# zoneinfo prefers the operating system's files; the pinned tzdata must count instead.
zoneinfo.reset_tzpath([])
ZONE = zoneinfo.ZoneInfo("America/Santiago")

_NO_OFFSET = timedelta(0)


class _MovableClock:
    """Real time plus an offset that a file may change."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.offset = _NO_OFFSET
        self.seen_mtime: int | None = None

    def now(self) -> datetime:
        if self.file is not None:
            self._follow_file()
        return datetime.now(UTC) + self.offset

    def _mtime(self) -> int | None:
        if self.file is None:
            return None
        try:
            return os.stat(self.file).st_mtime_ns
        except FileNotFoundError:
            return None

    def _follow_file(self) -> None:
        mtime = self._mtime()
        if mtime == self.seen_mtime:
            return
        self.seen_mtime = mtime
        self.offset = _NO_OFFSET
        if mtime is not None and self.file is not None:
            text = self.file.read_text().strip()
            self.offset = timedelta(seconds=float(text or "0"))

    def configure(self, file: Path | None, start_at: datetime | None) -> None:
        self.file = file
        self.offset = _NO_OFFSET
        self.seen_mtime = None
        if file is None:
            return
        if start_at is None:
            self._follow_file()
            return
        self.seen_mtime = self._mtime()
        self.offset = start_at - datetime.now(UTC)


_clock = _MovableClock()


def utcnow() -> datetime:
    """The present instant, aware, in UTC. Call it once per decision."""
    return _clock.now()


def monotonic() -> float:
    """Seconds that only grow, for pacing and deadlines: no moved clock touches them."""
    return time.monotonic()


def local(instant: datetime) -> datetime:
    """The instant on Santiago's wall clock."""
    return instant.astimezone(ZONE)


def configure(file: Path | None, start_at: datetime | None = None) -> None:
    """Let the demo's clock file move this process's clock; None forbids it.

    `start_at` (PORTAL_NOW) wins until the file changes.
    """
    _clock.configure(file, start_at)


def is_movable() -> bool:
    """Whether this process follows a clock file (demo mode only)."""
    return _clock.file is not None


def move_to(instant: datetime | None) -> None:
    """Move the clock of every process of this demo to `instant`; None is real time.

    Raises RuntimeError when the clock is not movable.
    """
    if _clock.file is None:
        raise RuntimeError("the clock is not movable in this mode")
    offset = _NO_OFFSET if instant is None else instant - datetime.now(UTC)
    temporary = _clock.file.with_suffix(f".{os.getpid()}")
    temporary.write_text(f"{offset.total_seconds():.6f}\n")
    os.replace(temporary, _clock.file)
