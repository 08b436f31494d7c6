"""The whole demo as `make run` starts it, for tests in a browser."""

import os
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import requests

from portal import clock

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60
STOP_SECONDS = 20


def free_ports() -> int:
    """A port that is free together with the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class LiveStack:
    """Server, worker and simulator, started by `start` and stopped by `stop`."""

    def __init__(self, state_dir: Path, **environment: str) -> None:
        self.state_dir = state_dir
        self.port = free_ports()
        self.url = f"http://localhost:{self.port}"
        self.simulator_url = f"http://127.0.0.1:{self.port + 1}"
        self.log = state_dir / "output.txt"
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "TMPDIR")
            if name in os.environ
        }
        return {
            **inherited,
            "PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{self.state_dir}/portal.sqlite3",
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }

    def start(self) -> "LiveStack":
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "app.py"],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
            )
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            process = self.process
            if process is None or process.poll() is not None:
                raise RuntimeError(f"the demo did not start:\n{self.output()}")
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the demo was never ready:\n{self.output()}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        return "Ctrl-C" in self.output()

    def output(self) -> str:
        """Everything that its processes have printed since the last start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=10)

    def verify(self) -> None:
        """`flask verify` over its database. Raises CalledProcessError."""
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "verify"],
            cwd=ROOT,
            env=self._environment(),
            check=True,
        )

    def move_clock(self, instant: datetime | None) -> None:
        """Set the clock of the whole demo to `instant`; None is real time."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock._clock, "file", self.state_dir / "clock")
            clock.move_to(instant)

    def stop(self) -> int:
        """Stop as Ctrl-C does; the exit status of the launcher."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None
