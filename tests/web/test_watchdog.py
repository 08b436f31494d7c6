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
