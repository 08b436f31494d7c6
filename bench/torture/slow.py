"""Slow connections and gateways that hang, against the command of `make serve`.

Everything stays on 127.0.0.1, and ends after the seconds written here.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.command import kept_environment, serve_command
from bench.torture import ROOT
from bench.torture.report import Line

HALF_SENT = SLOW_BODIES = 300
SECONDS, HONEST, PAYERS = 12.0, 4, 8
TARGET_MS = 200.0
SECRET = "torture-secret-key-0123456789abcdefghijkl"  # noqa: S105 (of this run)


def run() -> list[Line]:
    """Slow connections, the same with little room for them, and hung gateways."""
    with tempfile.TemporaryDirectory(prefix="slow-") as made:
        shop = Shop(Path(made))
        with shop.serving(), shop.simulating():
            lines = [_slow(shop), _hung(shop)]
        with shop.serving(buffered=False):
            open_to_it = _attacked(shop)
        control = f"sin el búfer: {open_to_it.lost} perdidas de {open_to_it.sent}"
        slow = lines[0]
        lines[0] = Line(
            slow.campaign,
            slow.figure,
            slow.target,
            control,
            slow.holds and open_to_it.lost > 0,
            slow.seconds,
        )
    return lines


@dataclass
class Asked:
    """What honest visitors saw: milliseconds of each answer, and what was lost."""

    boards: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def sent(self) -> int:
        return len(self.boards) + len(self.pages) + self.lost

    @property
    def p95(self) -> float:
        return p95([*self.boards, *self.pages])


@dataclass(frozen=True)
class Hang:
    """Customers at a gateway that hangs, and what the others saw meanwhile.

    `calls` had reached the gateway when the others began; `waiting` were still there
    when they ended.
    """

    seen: Asked
    calls: int
    waiting: int

    @property
    def holds(self) -> bool:
        """Whether all waited until the end: else nothing was measured."""
        return self.calls >= PAYERS and self.waiting >= PAYERS - 1


def p95(spent: list[float]) -> float:
    ordered = sorted(spent) or [float("inf")]
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


class Shop:
    """A demo's database, the server of `make serve` over it, and a simulator."""

    def __init__(self, folder: Path) -> None:
        from live_stack import free_ports

        self.folder, self.port = folder, free_ports()
        self.environment = kept_environment(
            {
                "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
                "SECRET_KEY": SECRET,
                "PUBLIC_URL": f"http://localhost:{self.port}",
                "PORT": str(self.port),
                "PORTAL_NOW": "2026-11-24T12:00:00-03:00",
            }
        )
        self.links, self.cookie = _lay_out(self.environment)

    def command(self, buffered: bool) -> list[str]:
        """The server's own command line, as `make serve` would run it."""
        words = serve_command(self.port)
        if not buffered:
            words[words.index("rsgi")] = "wsgi"
            words[-1:] = ["--blocking-threads", "16", "wsgi:app"]
        return words

    @contextmanager
    def serving(self, buffered: bool = True) -> Iterator[None]:
        with self._running(self.command(buffered)):
            self._wait_until_ready()
            yield

    @contextmanager
    def simulating(self) -> Iterator[None]:
        target = "portal.simulator:create_from_environment"
        port = ("--host", "127.0.0.1", "--port", str(self.port + 1), "--factory")
        threads = ("--blocking-threads", "32", "--log-level", "error")
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi"]
        with self._running([*granian, *port, *threads, target]):
            while _ask(self.port + 1, "/")[0] == 0:
                time.sleep(0.1)
            yield

    @contextmanager
    def _running(self, command: list[str]) -> Iterator[None]:
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, start_new_session=True
        )
        try:
            yield
        finally:
            # The group that was started here, by its own id.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while _ask(self.port, "/salud")[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError("the server was never ready")
            time.sleep(0.1)


def _lay_out(environment: dict[str, str]) -> tuple[list[str], str]:
    """Unpaid orders, one for each payer, and the Cookie header of a technician."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(flask, cwd=ROOT, env=environment, check=True, capture_output=True)
    from datetime import timedelta

    from support_cases import add_order, add_staff, log_in_as

    from portal import clock, create_app
    from portal.config import load_settings
    from portal.db import db, transaction
    from portal.orders.queries import path_of
    from portal.terms import service as terms

    settings = load_settings(environment)
    app = create_app(settings)
    with app.app_context():
        now = clock.utcnow()
        terms.set_up(now)
        with transaction() as session:
            life = {"expires_at": now + timedelta(hours=2)}
            unpaid = {"state": "awaiting_payment", "paid_at": None, **life}
            unpaid["topic_slug"] = "error-del-programa"
            made = [
                add_order(session, now=now, key=SECRET, **unpaid) for _ in range(PAYERS)
            ]
            links = [path_of(order, settings.secret_keys) for order in made]
            technician = add_staff(session).id
        client = log_in_as(app, technician)
        cookie = client.get_cookie("portal")
        assert cookie
        db.engine.dispose()
    return links, f"portal={cookie.value}"


def _ask(port: int, path: str, cookie: str = "") -> tuple[int, float]:
    """Status (0: none) and milliseconds of one request on a connection of its own."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {"Cookie": cookie} if cookie else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - began) * 1000
    except (OSError, http.client.HTTPException):
        return 0, (time.perf_counter() - began) * 1000
    finally:
        connection.close()


def visits(shop: Shop, seconds: float) -> Asked:
    """A few visitors who ask for pages and the board, several times a second each."""
    seen, until = Asked(), time.monotonic() + seconds

    def visit(number: int) -> None:
        paths = (
            "/",
            "/tablero/tarjetas",
            shop.links[number],
            "/servicios/soporte-online",
        )
        turn = number
        while time.monotonic() < until:
            path = paths[turn % len(paths)]
            status, spent = _ask(shop.port, path, shop.cookie)
            if status == 200:
                kind = seen.boards if path.startswith("/tablero") else seen.pages
                kind.append(spent)
            else:
                seen.lost += 1
            turn += 1
            time.sleep(0.2)

    visitors = [threading.Thread(target=visit, args=(n,)) for n in range(HONEST)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    return seen


@contextmanager
def _dripping(port: int) -> Iterator[list[socket.socket]]:
    """Half-sent requests and slow bodies, each a byte a second, until it is left."""
    opened: list[socket.socket] = []
    half = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    body = (
        b"POST /ingresar HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    )
    for first in (half,) * HALF_SENT + (body,) * SLOW_BODIES:
        with suppress(OSError):
            made = socket.create_connection(("127.0.0.1", port), timeout=5)
            made.sendall(first)
            opened.append(made)
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(1.0):
            for each in opened:
                with suppress(OSError):
                    each.sendall(b"a")

    dripper = threading.Thread(target=drip)
    dripper.start()
    try:
        yield opened
    finally:
        ended.set()
        dripper.join()
        for each in opened:
            each.close()


def _attacked(shop: Shop) -> Asked:
    with _dripping(shop.port):
        return visits(shop, SECONDS)


def _slow(shop: Shop) -> Line:
    began = time.monotonic()
    calm = visits(shop, SECONDS / 2)
    seen = _attacked(shop)
    return Line(
        f"conexiones lentas ({HALF_SENT} a medio enviar, {SLOW_BODIES} cuerpos lentos)",
        f"p95 {seen.p95:.0f} ms (sin ataque {calm.p95:.0f} ms), "
        f"{seen.lost} perdidas de {seen.sent}",
        f"p95 < {TARGET_MS:.0f} ms, 0 perdidas",
        "",
        seen.p95 < TARGET_MS and seen.lost == 0,
        time.monotonic() - began,
    )


def _hung(shop: Shop) -> Line:
    """Eight customers wait for a gateway that hangs; boards and pages go on."""
    began = time.monotonic()
    hung = hang(shop, SECONDS / 2)
    seen = hung.seen
    return Line(
        f"{PAYERS} clientes esperan a un medio de pago colgado",
        f"p95 {seen.p95:.0f} ms, {seen.lost} perdidas de {seen.sent}; "
        f"{hung.waiting} seguían esperando",
        f"p95 < {TARGET_MS:.0f} ms, 0 perdidas",
        f"el medio recibió {hung.calls} llamadas a la vez",
        seen.p95 < TARGET_MS and seen.lost == 0 and hung.holds,
        time.monotonic() - began,
    )


def hang(shop: Shop, seconds: float) -> Hang:
    """Visit for so many seconds, fewer than SECONDS, while all payers wait."""
    from simulator_client import SimulatorClient

    simulator = SimulatorClient(f"http://127.0.0.1:{shop.port + 1}")
    simulator.fail("webpay_create", "delay", times=100, delay=SECONDS)
    payers = [
        threading.Thread(target=_pay, args=(shop.port, link)) for link in shop.links
    ]
    for payer in payers:
        payer.start()
    calls = _wait_for_calls(simulator)
    seen = visits(shop, seconds)
    waiting = sum(payer.is_alive() for payer in payers)
    for payer in payers:
        payer.join()
    return Hang(seen, calls, waiting)


def _wait_for_calls(simulator: Any) -> int:
    deadline = time.monotonic() + 10
    while (seen := int(simulator.calls("webpay_create"))) < PAYERS:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return seen


def _pay(port: int, link: str) -> None:
    """Press "Pagar" as the page's form does."""
    import re

    import requests

    with requests.Session() as session:
        session.trust_env = False
        url = f"http://localhost:{port}{link}"
        page = session.get(url, timeout=30).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        form = {"gateway": "webpay", "csrf_token": token[1]}
        session.post(f"{url}/pagar", data=form, timeout=60)
