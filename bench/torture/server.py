"""The server itself: how fast it starts, what a stop, a reload or a hang costs."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from bench.torture import ROOT
from bench.torture.kills import _kill
from bench.torture.report import Line
from bench.torture.worlds import folder

READY_SECONDS = 60.0
TARGET_START = 2.0
LIMIT_SECONDS = 5
# Silence of 30 s, and the pause before granian starts another.
TARGET_STILL = 45.0
# At 0, a connection in the queue of a process that ends is now and then lost.
MIGRATES = Path("/proc/sys/net/ipv4/tcp_migrate_req")
SLOW = "bench.torture.slow_app:buffered"
Check = Callable[["Server"], tuple[str, str, bool]]


class Server:
    """granian as `make serve` starts it, over a fresh SQLite."""

    def __init__(self, path: Path, target: str = SLOW) -> None:
        from live_stack import free_ports

        self.port = free_ports()
        self.url = f"http://localhost:{self.port}"
        self.target = target
        self.environment = {
            **{n: os.environ[n] for n in ("PATH", "HOME") if n in os.environ},
            "PORTAL_MODE": "demo",
            "DATABASE_URL": f"sqlite:///{path}/portal.sqlite3",
            "SECRET_KEY": "torture-secret-key-0123456789abcdefghijkl",
            "PORT": str(self.port),
            "REQUEST_LIMIT": str(LIMIT_SECONDS),
            "PYTHONPATH": str(ROOT),
        }
        self.log = (path / "output.txt").open("ab")
        self._run("-m", "flask", "--app", "wsgi", "db", "upgrade").wait()

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def start(self) -> float:
        """Seconds from the start to the first good answer."""
        began = time.monotonic()
        self.process = self._run(
            *("-m", "granian", "--interface", "rsgi", "--port", str(self.port)),
            *("--workers", "2", "--backlog", "4096", "--backpressure", "2048"),
            *("--respawn-failed-workers", "--respawn-interval", "20"),
            *("--workers-kill-timeout", "30", "--no-access-log", self.target),
        )
        while time.monotonic() - began < READY_SECONDS:
            if self.answers():
                return time.monotonic() - began
            time.sleep(0.01)
        raise RuntimeError("the server was never ready")

    def answers(self, path: str = "/salud") -> bool:
        with suppress(requests.RequestException):
            return requests.get(self.url + path, timeout=60).status_code == 200
        return False

    def workers(self) -> set[int]:
        """The processes that answer requests."""
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text()
        return {int(pid) for pid in children.split()}

    def processor_seconds(self) -> float:
        """What one start took of a processor: the main process and one worker."""
        main = _ticks(self.process.pid)
        return (main + max(map(_ticks, self.workers()))) / os.sysconf("SC_CLK_TCK")

    def settle(self) -> set[int]:
        """Both processes, once both take requests."""
        deadline = time.monotonic() + READY_SECONDS
        while len(self.workers()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(2.0)
        return self.workers()

    def until_replaced(self, gone: int, limit: float) -> float | None:
        """Seconds until that process is gone and two are there; None when never."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            now = self.workers()
            if gone not in now and len(now) == 2 and self.answers():
                return time.monotonic() - began
            time.sleep(0.1)
        return None

    def end(self) -> None:
        for pid in self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        _kill(self.process)


def _ticks(pid: int) -> int:
    """User and system time of a process, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def served(path: Path, target: str) -> Iterator[Server]:
    server = Server(path, target)
    server.start()
    server.settle()
    try:
        yield server
    finally:
        with suppress(OSError):
            server.end()


def _starts(path: Path, times: int) -> Line:
    began = time.monotonic()
    server = Server(path, "wsgi:buffered")
    took, processor = [], []
    for _ in range(times):
        took.append(server.start())
        processor.append(server.processor_seconds())
        server.settle()
        server.end()
    median = statistics.median(took)
    return Line(
        "partida hasta la primera respuesta",
        f"{median:.1f} s (mediana de {times}; de {min(took):.1f} a {max(took):.1f}), "
        f"de ellos {statistics.median(processor):.1f} s de procesador; carga de la "
        f"máquina {os.getloadavg()[0]:.0f}",
        f"menos de {TARGET_START:.0f} s",
        "no se aplica: es una medida",
        median < TARGET_START,
        time.monotonic() - began,
    )


def _together(calls: list[Callable[[], object]]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def stop(server: Server) -> tuple[str, str, bool]:
    """SIGTERM with requests in flight."""
    answers: list[bool] = []
    threads = _together([lambda: answers.append(server.answers("/lenta?s=3"))] * 6)
    time.sleep(1.0)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    status = server.process.wait(60)
    return (
        f"{sum(answers)} de 6 peticiones en curso respondidas, salida {status}",
        "6 de 6",
        sum(answers) == 6 and status == 0,
    )


def reload(server: Server) -> tuple[str, str, bool]:
    """SIGHUP under requests on fresh connections."""
    before, over = server.workers(), threading.Event()
    answers: list[bool] = []

    def ask() -> None:
        while not over.is_set():
            answers.append(server.answers())

    threads = _together([ask] * 4)
    time.sleep(1.0)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 120
    while server.workers() & before and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2.0)
    over.set()
    for thread in threads:
        thread.join()
    lost, renewed = answers.count(False), not server.workers() & before
    return (
        f"{len(answers)} peticiones, {lost} perdidas, procesos nuevos: {renewed}; "
        f"tcp_migrate_req {MIGRATES.read_text().strip()} (deploy/60-portal.conf)",
        "0",
        not lost and renewed,
    )


def killed(server: Server) -> tuple[str, str, bool]:
    """SIGKILL to one of two processes."""
    victim = min(server.settle())
    os.kill(victim, signal.SIGKILL)
    took = server.until_replaced(victim, 30)
    return f"repuesto en {took or -1:.1f} s", "vuelve", took is not None


def hung(server: Server) -> tuple[str, str, bool]:
    """A request that never ends, beside good ones."""
    before, good = server.settle(), []
    threads = _together([lambda: server.answers("/lenta?s=600")])
    time.sleep(LIMIT_SECONDS - 1.0)
    threads += _together([lambda: good.append(server.answers("/lenta?s=3"))] * 4)
    began = time.monotonic()
    while before <= server.workers() and time.monotonic() - began < 60:
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    ended = not before <= server.workers()
    return (
        f"proceso terminado a los {LIMIT_SECONDS - 1 + time.monotonic() - began:.0f} s"
        f" (límite {LIMIT_SECONDS}); {sum(good)} de 4 vecinas respondidas",
        "termina; 4 de 4",
        ended and sum(good) == 4,
    )


def still(server: Server) -> tuple[str, str, bool]:
    """A process that stands still as a whole, as one whose memory is swapped out."""
    for _ in range(40):  # both have answered, so both are watched
        server.answers()
    victim = min(server.settle())
    os.kill(victim, signal.SIGSTOP)
    took = server.until_replaced(victim, 90)
    return (
        f"repuesto en {took or -1:.0f} s",
        f"menos de {TARGET_STILL:.0f} s",
        took is not None and took < TARGET_STILL,
    )


CHECKS: dict[str, tuple[Check, str]] = {
    "SIGTERM con peticiones en curso": (stop, "no se aplica"),
    "recarga (SIGHUP) bajo peticiones": (reload, "no se aplica"),
    "proceso muerto": (killed, "sin --respawn-failed-workers el servidor termina"),
    "petición colgada": (hung, "sin vigilante: nunca termina"),
    "proceso detenido": (still, "sin vigilante: nunca termina"),
}


def run(starts: int = 5) -> list[Line]:
    with folder() as path:
        lines = [_starts(path, starts)]
    for name, (check, control) in CHECKS.items():
        began = time.monotonic()
        with (
            folder() as path,
            served(path, SLOW) as server,
        ):
            figure, target, holds = check(server)
        took = time.monotonic() - began
        lines.append(Line(name, figure, target, control, holds, took))
    return lines
