"""`make run`: the whole demo under one command. Ctrl-C stops all of it.

The database is brought up to date and, when it is new, filled with demo data; then the
portal, its worker and the gateways' simulator run as processes of their own.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import pysqlite3.dbapi2 as sqlite

from portal.config import DEMO_MARK, ROOT, Settings, settings_from_environment
from portal.errors import ConfigurationError
from portal.schema import expected_heads

READY_SECONDS = 60
STOP_SECONDS = 10
# A customer's thread waits while a slow gateway answers; at most half of them may.
SIMULATOR_THREADS = 16
PASSWORD = "demo-portal"  # noqa: S105 (printed on purpose: the demo's only)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PR_SET_PDEATHSIG = 1


class LaunchError(Exception):
    """Something stops the demo from running; the message says what to do."""


@dataclass
class Child:
    """A process of the demo."""

    name: str
    process: subprocess.Popen[bytes]


def _granian(target: str, host: str, port: int, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--workers-kill-timeout", "5"),
        *("--host", host, "--port", str(port), "--workers", "1"),
        *("--log-level", "error", "--no-access-log", *more, target),
    ]


def _flask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]


def portal_host(settings: Settings) -> str:
    """All interfaces when the public address is not this machine's own, else only here:
    the passwords of the demo are known to everybody."""
    local = urlsplit(settings.public_url).hostname in _LOCAL
    return "127.0.0.1" if local else "0.0.0.0"  # noqa: S104


def uses_simulator(settings: Settings) -> bool:
    """Whether any gateway's address is the simulator's."""
    urls = (settings.mercadopago_api_url, settings.webpay_api_url)
    return any(url.startswith(settings.simulator_url) for url in urls)


def commands(settings: Settings) -> dict[str, list[str]]:
    """What runs, by name."""
    port = settings.port
    found = {
        "portal": _granian(
            "wsgi:buffered", portal_host(settings), port, "--interface", "rsgi"
        )
    }
    if uses_simulator(settings):
        factory = "portal.simulator:create_from_environment"
        threads = ("--interface", "wsgi", "--blocking-threads", str(SIMULATOR_THREADS))
        found["simulator"] = _granian(
            factory, "127.0.0.1", port + 1, *threads, "--factory"
        )
    found["worker"] = _flask("worker")
    return found


def check_port(host: str, port: int) -> None:
    """Raises LaunchError when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchError(
                f"Port {port} is not free ({error.strerror}). Is the demo running "
                f"already? For another port: PORT={port + 10} make run"
            ) from error


def is_prepared(settings: Settings) -> bool:
    """Whether this SQLite has its demo data and this program's schema.

    Asked of the file itself: the portal, imported here to ask it, would be half of the
    time until the demo is ready.
    """
    marker = settings.state_dir / DEMO_MARK
    if not marker.exists() or marker.read_text() != settings.database_url:
        return False
    file = Path(settings.database_url.removeprefix("sqlite:///")).as_uri()
    try:
        with contextlib.closing(sqlite.connect(f"{file}?mode=ro", uri=True)) as it:
            found = it.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite.Error:
        return False
    return {row[0] for row in found} == expected_heads()


def prepare_database(settings: Settings) -> None:
    """Bring the schema up to date; fill it with demo data unless that was done."""
    from flask_migrate import upgrade
    from sqlalchemy import inspect

    from portal import create_app
    from portal.db import db

    marker = settings.state_dir / DEMO_MARK
    with create_app(settings).app_context():
        is_new = not inspect(db.engine).has_table("alembic_version")
        upgrade()
        db.engine.dispose()
    done = (
        not is_new and marker.exists() and marker.read_text() == settings.shown_database
    )
    if done:
        return
    if subprocess.run(_flask("demo", "seed"), cwd=ROOT).returncode:
        raise LaunchError("The demo data could not be written: see above.")
    marker.write_text(settings.shown_database)


def _die_with_launcher() -> None:
    """Linux: a killed launcher leaves no process behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start(name: str, command: list[str]) -> Child:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        # Ctrl-C reaches the launcher alone, which stops the others in order.
        process_group=0,
        preexec_fn=_die_with_launcher if sys.platform == "linux" else None,
    )
    return Child(name, process)


def stop(children: list[Child]) -> None:
    for child in children:
        child.process.terminate()
    for child in children:
        try:
            child.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        # A server that was killed leaves its own workers: they are of its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)


def answers(url: str) -> bool:
    """Whether a server answers there, and is not unavailable."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (our own address)
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except (urllib.error.URLError, OSError):
        return False


def check_alive(children: list[Child]) -> None:
    for child in children:
        status = child.process.poll()
        if status is not None:
            raise LaunchError(f"The {child.name} ended by itself (status {status}).")


def wait_until_ready(
    urls: list[str], children: list[Child], stopping: threading.Event
) -> None:
    deadline = time.monotonic() + READY_SECONDS
    for url in urls:
        while not answers(url) and not stopping.wait(0.05):
            check_alive(children)
            if time.monotonic() > deadline:
                raise LaunchError(f"{url} gave no good answer in {READY_SECONDS} s.")


def greeting(settings: Settings) -> str:
    """The addresses and log-ins of the demo."""
    shop = settings.public_url
    rows = [
        ("Shop", f"{shop}/"),
        ("Board", f"{shop}/tablero"),
        ("Owner", f"{shop}/administrar"),
        ("Clock", f"{shop}/demo"),
        ("Mails", f"{shop}/demo/correos"),
    ]
    if uses_simulator(settings):
        rows.append(("Simulator", f"{settings.simulator_url}/"))
    rows += [
        ("", ""),
        ("Log-ins", f"duena@demo.cl  {PASSWORD}"),
        ("", f"tecnico1@demo.cl to tecnico3@demo.cl  {PASSWORD}"),
    ]
    lines = [f"  {label:<12}{value}".rstrip() for label, value in rows]
    return "\n".join(
        ["", "The demo is ready.", *lines, "", "Ctrl-C stops everything.", ""]
    )


def run(settings: Settings, stopping: threading.Event) -> None:
    """Run the demo until it is told to stop. Raises LaunchError when it cannot."""
    host = portal_host(settings)
    check_port(host, settings.port)
    urls = [f"http://127.0.0.1:{settings.port}/salud"]
    if uses_simulator(settings):
        check_port("127.0.0.1", settings.port + 1)
        urls.append(f"{settings.simulator_url}/")
    if not is_prepared(settings):
        prepare_database(settings)
    children: list[Child] = []
    try:
        for name, command in commands(settings).items():
            children.append(start(name, command))
        wait_until_ready(urls, children, stopping)
        if not stopping.is_set():
            print(greeting(settings), flush=True)
        while not stopping.wait(0.2):
            check_alive(children)
    finally:
        stop(children)


def main() -> int:
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        settings = settings_from_environment()
        if not settings.is_demo:
            raise LaunchError(
                "`make run` is the demo and refuses PORTAL_MODE=production. For the "
                "production server: make serve"
            )
        run(settings, stopping)
    except (LaunchError, ConfigurationError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print("\nThe demo has stopped; its data stays.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
