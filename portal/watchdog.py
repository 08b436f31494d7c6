"""Ends a process that hangs, so that whoever started it starts another.

Two watchers, for two kinds of hanging. A thread looks at the requests in flight: one
that takes longer than anything here may take is written to the log, the process takes
no new ones, finishes the others and ends. And a second process (`watchdog_child.py`)
hears a sign of life from that thread, and kills us when there is none: that holds too
when the whole process stands still.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from flask import Flask, request

from portal import clock

# A process that gives no sign of life for so long is killed.
SILENCE_SECONDS = 30
# How long the other requests have to end, once one hangs.
GRACE_SECONDS = 20.0
_CHILD = Path(__file__).with_name("watchdog_child.py")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Flight:
    """A request that has begun: since when (monotonic seconds), and its view."""

    since: float
    view: str


class Watchdog:
    """Watches this process from its first request on."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._flights: dict[int, Flight] = {}
        self._lock = threading.Lock()
        self._pid = 0

    def begin(self, view: str) -> None:
        """A request begins in this thread."""
        self._flights[threading.get_ident()] = Flight(clock.monotonic(), view)
        if self._pid != os.getpid():
            self._start()

    def end(self) -> None:
        """The request of this thread has ended."""
        self._flights.pop(threading.get_ident(), None)

    def hung(self, now: float) -> dict[int, Flight]:
        """The requests that have gone on for too long, by thread."""
        return {
            thread: flight
            for thread, flight in list(self._flights.items())
            if now - flight.since > self._limit
        }

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = min(5.0, self._limit / 4)
        child = start_child(SILENCE_SECONDS)
        while not (hung := self.hung(clock.monotonic())):
            give_sign(child)
            time.sleep(pause)
        for thread, flight in hung.items():
            _log.error(
                "the view %s hangs: this process ends",
                flight.view,
                extra={"fields": {"where": where(thread)}},
            )
        self._leave()

    def _leave(self) -> None:
        """Take no more requests, finish those that can be, and end."""
        os.kill(os.getpid(), signal.SIGTERM)
        ends = clock.monotonic() + GRACE_SECONDS
        while clock.monotonic() < ends:
            if len(self._flights) <= len(self.hung(clock.monotonic())):
                time.sleep(0.5)  # the last answers are being sent
                break
            time.sleep(0.1)
        os._exit(1)


def where(thread: int) -> list[str]:
    """Where a thread is now, innermost last: files, lines and functions, no values."""
    frame = sys._current_frames().get(thread)
    found = traceback.extract_stack(frame)[-20:] if frame else []
    return [f"{it.filename}:{it.lineno} {it.name}" for it in found]


def start_child(silence_seconds: int) -> IO[bytes]:
    """Start the process that kills us after so much silence; where it listens.

    It ends by itself when we do, however that happens.
    """
    words = [str(_CHILD), str(os.getpid()), str(silence_seconds)]
    child = subprocess.Popen(  # noqa: S603 (our own file)
        [sys.executable, "-S", "-E", *words],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    return cast(IO[bytes], child.stdin)


def give_sign(child: IO[bytes]) -> None:
    """Say that we are alive. Without a child there is nobody to tell."""
    try:
        child.write(b".")
        child.flush()
    except OSError:
        _log.error("the watchdog's own process is gone")


def attach(app: Flask, limit_seconds: float) -> None:
    """Watch the requests of `app`; nothing starts before the first one."""
    watchdog = Watchdog(limit_seconds)

    def begin() -> None:
        watchdog.begin(request.endpoint or "nothing")

    def end(_error: BaseException | None) -> None:
        watchdog.end()

    app.before_request(begin)
    app.teardown_request(end)
