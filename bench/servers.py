"""A server as `make serve` starts it, what its processes use, and who asks it."""

import html
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from command import kept_environment, serve_command  # noqa: E402

READY_SECONDS = 30
_VERSION = re.compile(r'hx-get="([^"]*(?:/tarjetas|/ahora)\?v=[^"]*)"')
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A granian of its own on a free port, to be stopped with `stop`."""

    def __init__(self, target: str, workers: int, environment: dict[str, str]) -> None:
        self.port = int(environment.get("PORT") or _free_port())
        self.process = subprocess.Popen(
            serve_command(self.port, workers, target),
            cwd=ROOT,
            env=kept_environment({"PORT": str(self.port), **environment}),
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{target} did not start")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return Caller(self.port).get("/salud").status < 500
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """What the server and its workers have used of processors so far."""
        family, used = {self.process.pid}, 0
        rows = sorted(_processes())
        for pid, parent, ticks in rows:
            if pid in family or parent in family:
                family.add(pid)
                used += ticks
        return used / _TICKS

    def stop(self) -> None:
        self.process.terminate()
        try:
            # Longer than the server gives its own workers.
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _processes() -> Iterator[tuple[int, int, int]]:
    """Number, parent and used ticks of every process; children have higher numbers."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(stat.parent.name), int(words[1]), int(words[11]) + int(words[12])


@contextmanager
def serving(target: str, workers: int = 2, **environment: str) -> Iterator[Server]:
    """The server until the block ends."""
    server = Server(target, workers, environment)
    try:
        yield server
    finally:
        server.stop()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
        self.text = response.read().decode("utf-8", "replace")


class Caller:
    """One browser: a kept connection and one cookie, renewed as it is told."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"HX-Request": "true"}
        self._keep(cookie)

    def _keep(self, cookie: str) -> None:
        if cookie:
            self.headers["Cookie"] = cookie

    def _answer(self) -> Answer:
        answer = Answer(self.connection.getresponse())
        self._keep(answer.cookie)
        return answer

    def get(self, path: str) -> Answer:
        self.connection.request("GET", path, headers=self.headers)
        return self._answer()

    def post(self, path: str, body: str) -> Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", path, body, {**self.headers, **form})
        return self._answer()


def poll_path(body: str) -> str:
    """What the page or fragment asks next, with the version that it has."""
    found = _VERSION.search(body)
    if found is None:
        raise ValueError("this page asks for nothing")
    return html.unescape(found[1])


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the worst, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    chosen = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in chosen.items()}


def save(name: str, found: dict[str, object]) -> None:
    """Put the figures of a campaign beside those of the others: var/bench.json."""
    path = ROOT / "var" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = found
    path.write_text(json.dumps(known, indent=2) + "\n")
