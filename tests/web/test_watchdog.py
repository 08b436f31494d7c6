"""What hangs is ended, so that another may be started."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from portal import watchdog

ROOT = Path(__file__).resolve().parent.parent.parent
STANDS_STILL = """
import os, signal
from portal import watchdog
watchdog.give_sign(watchdog.start_child(1))
os.kill(os.getpid(), signal.SIGSTOP)
"""
ENDS = """
import sys
from portal import watchdog
watchdog.start_child(60)
print("started")
sys.stdin.read()
"""
HANGS = """
import threading
from flask import Flask
from portal import watchdog
app = Flask("hangs")
watchdog.GRACE_SECONDS = 1.0
watchdog.attach(app, 0.4)
app.add_url_rule("/", "hangs", threading.Event().wait)
import signal
signal.signal(signal.SIGTERM, lambda *_: None)
app.test_client().get("/")
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_process_that_stands_still_is_killed() -> None:
    assert run(STANDS_STILL).returncode == -signal.SIGKILL


def test_watcher_ends_with_its_process() -> None:
    """The watcher holds our output open: its end is seen there."""
    assert run(ENDS).stdout == "started\n"


def test_process_with_a_request_that_hangs_says_where_and_ends() -> None:
    done = run(HANGS)
    assert done.returncode == 1
    assert "the view hangs hangs" in done.stderr


def test_only_what_takes_too_long_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    dog = watchdog.Watchdog(10)
    monkeypatch.setattr(dog, "_start", lambda: None)
    monkeypatch.setattr(watchdog.clock, "monotonic", lambda: 100.0)
    dog.begin("slow")
    assert dog.hung(110.0) == {}
    assert [flight.view for flight in dog.hung(110.1).values()] == ["slow"]
    dog.end()
    assert dog.hung(1000.0) == {}


@pytest.mark.parametrize(
    ("limit", "ends", "leaves"),
    [
        (10, 103.0, 103.5),  # the neighbour is finished, and its answer is sent
        (10, 999.0, 105.5),  # it hangs too
        (120, 999.0, 120.0),  # it takes longer than there is time for
    ],
)
def test_the_other_requests_are_finished_before_the_process_ends(
    limit: float, ends: float, leaves: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A neighbour that began at 95 s, beside a request that hangs; at 100 s it ends."""
    dog, seconds, told = watchdog.Watchdog(limit), [100.0], []
    dog._flights = {1: watchdog.Flight(-1_000.0, "hung")}
    dog._flights[2] = watchdog.Flight(95.0, "slow")

    def sleep(pause: float) -> None:
        seconds[0] += pause
        if seconds[0] >= ends:
            dog._flights.pop(2, None)

    monkeypatch.setattr(watchdog.clock, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(watchdog.time, "sleep", sleep)
    monkeypatch.setattr(watchdog.os, "kill", lambda _pid, sign: told.append(sign))
    monkeypatch.setattr(watchdog.os, "_exit", told.append)
    dog._leave()
    # It takes no new ones first of all, and another is started when it has ended.
    assert told == [signal.SIGTERM, 1]
    assert seconds[0] == pytest.approx(leaves, abs=0.2)
