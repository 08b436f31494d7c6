"""SIGKILL of the portal's processes under purchases; the gateways survive."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import requests

from bench.torture.report import Line
from bench.torture.seeded import copy_tree

BUYERS = 8
READY_SECONDS = 60.0
TARGET_READY = 3.0
# The kill comes when so many of the eight have decided at their gateway, and a moment
# later: before, amid and after the returns, on a fast machine and on a slow one.
MOMENT = (0.0, 0.4)
LONGEST_SECONDS = 5.0
_FAILED = (requests.RequestException, OSError, LookupError)
_HIDDEN = re.compile(r'name="(csrf_token|token_ws)"[^>]*value="([^"]*)"')


@dataclass
class Seen:
    """What the kills left behind."""

    kills: int = 0
    paid: int = 0
    gaps: int = 0
    problems: list[str] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)


_SIMULATOR = "portal.simulator:create_from_environment"


class Stack:
    """Server and worker, killed and started again; the simulator, never."""

    def __init__(self, folder: Path, database_url: str) -> None:
        from live_stack import free_ports

        # A copy: its own folder for what a database server does not hold, and the same
        # code from the first kill to the last.
        self.folder = folder
        self.tree = copy_tree(folder / "tree")
        self.state_dir = (
            folder if database_url.startswith("sqlite") else (self.tree / "var")
        )
        self.port = free_ports()
        self.url = f"http://localhost:{self.port}"
        self.simulator_url = f"http://127.0.0.1:{self.port + 1}"
        self.environment = {
            **{n: os.environ[n] for n in ("PATH", "HOME") if n in os.environ},
            "PORTAL_MODE": "demo",
            "DATABASE_URL": database_url,
            "SECRET_KEY": "torture-secret-key-0123456789abcdefghijkl",
            "PUBLIC_URL": self.url,
            "PORT": str(self.port),
        }
        self.log = (folder / "output.txt").open("ab")
        self.simulator = self._start(
            *_granian("wsgi", _SIMULATOR, self.port + 1),
            *("--blocking-threads", "16", "--factory"),
        )
        self.portal: list[subprocess.Popen[bytes]] = []

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self.tree,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def start(self, *, worker: bool = True) -> float:
        """Start server and worker; seconds until it answers that it is ready."""
        began = time.monotonic()
        self.portal = [self._start(*_granian("rsgi", "wsgi:buffered", self.port))]
        if worker:
            flask = (sys.executable, "-m", "flask", "--app", "wsgi")
            self.portal.append(self._start(*flask, "worker"))
        while time.monotonic() - began < READY_SECONDS:
            with suppress(requests.RequestException):
                if requests.get(f"{self.url}/salud", timeout=2).status_code == 200:
                    return time.monotonic() - began
            time.sleep(0.02)
        raise RuntimeError("the portal was never ready")

    def kill(self) -> None:
        """SIGKILL to server, its worker process, and the portal's worker."""
        for process in self.portal:
            _kill(process)

    def stop(self) -> None:
        self.kill()
        _kill(self.simulator)
        self.log.close()


def _granian(protocol: str, target: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", protocol),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--log-level", "error", "--no-access-log", target),
    ]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process group that we started, by its own id."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Shop:
    """The harness's own eye on the database: it places orders and judges."""

    def __init__(self, stack: Stack) -> None:
        from flask_migrate import stamp
        from money_world import NOON
        from simulator_client import SimulatorClient

        from portal import clock, create_app
        from portal.config import load_settings
        from portal.db import db
        from portal.terms import service as terms_service

        self.settings = replace(
            load_settings(stack.environment), state_dir=stack.state_dir
        )
        # Noon of a working day, for every process: the shop is open.
        offset = (NOON - datetime.now(UTC)).total_seconds()
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.state_dir / "clock").write_text(f"{offset:.6f}\n")
        self.app = create_app(self.settings)
        self.clock, self.db = clock, db
        self.simulator = SimulatorClient(stack.simulator_url)
        self.forms = count(1)
        # The paths of the orders whose payer decided; buyers add to it.
        self.decided: list[str] = []
        with self.app.app_context():
            db.create_all()
            stamp()
            terms_service.set_up(clock.utcnow())
            db.session.remove()

    def place(self) -> str:
        """The path of a fresh order."""
        from money_world import MARKS

        from portal.orders import service
        from portal.orders.queries import path_of

        empty = dict.fromkeys(
            ("tax_rut", "tax_name", "tax_activity", "tax_address", "tax_commune")
        )
        draft = service.Draft(
            service_slug="soporte-online",
            name=MARKS[0],
            email=MARKS[1],
            phone=f"+56{MARKS[2]}",
            topic_slug="error-del-programa",
            problem=MARKS[3],
            windows_bits="32",
            document="boleta",
            address=None,
            commune=None,
            terms_version=1,
            form_key=f"form-{next(self.forms)}",
            remote_address="127.0.0.1",
            user_agent="torture",
            **empty,
        )
        keys = self.settings.secret_keys
        with self.app.app_context():
            order = service.place(draft, keys=keys, now=self.clock.utcnow())
            return path_of(order, keys)

    def reconcile(self) -> None:
        """`flask reconcile`: one round, whatever the pauses."""
        from portal.payments.reconcile import reconcile_due

        gateways = self.app.extensions["portal_gateways"]
        with self.app.app_context():
            reconcile_due(
                gateways, now=self.clock.utcnow(), everything=True, limit=100_000
            )

    def forget(self) -> None:
        """Ask no more about what was judged well: its buyers are gone.

        Else each round would ask about every purchase since the first one.
        """
        from sqlalchemy import text

        with self.app.app_context(), self.db.engine.begin() as connection:
            connection.execute(text("UPDATE payments SET next_check_at = NULL"))

    def problems(self) -> list[str]:
        """Invariants, history, mails, and both ledgers."""
        import money_judge as judge

        from portal.audit.queries import broken_invariants

        with self.app.app_context():
            session = self.db.session()
            ledger = self.simulator.ledger()
            found = [fault.line() for fault in broken_invariants(session)]
            found += judge.journal_problems(session)
            found += judge.mail_problems(session)
            return found + judge.ledger_problems(session, ledger)

    def gap(self) -> bool:
        """Whether an approval at the gateways is not yet known here."""
        import money_judge as judge

        with self.app.app_context():
            found = judge.ledger_problems(self.db.session(), self.simulator.ledger())
            return bool(found)

    def paid(self) -> int:
        with self.app.app_context():
            from sqlalchemy import text

            query = text("SELECT COUNT(*) FROM orders WHERE state = 'paid'")
            return int(self.db.session.scalar(query) or 0)


def _buy(stack: Stack, shop: Shop, path: str, gateway: str) -> None:
    """One purchase as a browser makes it; a killed server ends it anywhere."""
    client = requests.Session()
    client.trust_env = False
    page = client.get(stack.url + path, timeout=10).text
    form = {"csrf_token": dict(_HIDDEN.findall(page))["csrf_token"], "gateway": gateway}
    answer = client.post(
        f"{stack.url}{path}/pagar", data=form, allow_redirects=False, timeout=20
    )
    if gateway == "webpay":
        token = dict(_HIDDEN.findall(answer.text))["token_ws"]
        browser = shop.simulator.webpay_outcome(token, "visa")
    else:
        preference = answer.headers["Location"].rsplit("=", 1)[1]
        browser = shop.simulator.mp_outcome(preference, "credit", "before").browser
    shop.decided.append(path)
    client.get(browser.url, params=browser.params, timeout=20)


def _buyer(stack: Stack, shop: Shop, path: str, gateway: str) -> None:
    with suppress(*_FAILED):
        _buy(stack, shop, path, gateway)


def _wait_for(shop: Shop, wanted: int, buyers: list[threading.Thread]) -> None:
    began, before = time.monotonic(), len(shop.decided)
    while len(shop.decided) - before < wanted:
        late = time.monotonic() - began > LONGEST_SECONDS
        if late or not any(buyer.is_alive() for buyer in buyers):
            return
        time.sleep(0.01)


def kill_often(stack: Stack, shop: Shop, kills: int, seed: int = 20261124) -> Seen:
    """Buy, kill at a random moment, start again, reconcile once, compare."""
    chance = random.Random(seed)
    seen = Seen()
    seen.ready.append(stack.start())
    for _ in range(kills):
        buyers = [
            threading.Thread(
                target=_buyer,
                args=(stack, shop, shop.place(), ("webpay", "mercadopago")[n % 2]),
            )
            for n in range(BUYERS)
        ]
        for buyer in buyers:
            buyer.start()
        _wait_for(shop, chance.randint(0, BUYERS), buyers)
        time.sleep(chance.uniform(*MOMENT))
        stack.kill()
        for buyer in buyers:
            buyer.join()
        seen.kills += 1
        seen.gaps += shop.gap()
        seen.ready.append(stack.start())
        shop.reconcile()
        seen.problems += shop.problems()
        shop.forget()
    seen.paid = shop.paid()
    return seen


@contextmanager
def stack_on(database: str) -> Iterator[tuple[Stack, Shop, Any]]:
    """The processes over a fresh database of this kind, and its PostgreSQL if any."""
    from bench.torture.worlds import folder

    with folder() as path:
        cluster: Any = None
        url = f"sqlite:///{path}/portal.sqlite3"
        if database == "postgresql":
            from postgres_cluster import Cluster

            cluster = Cluster()
            url = cluster.url(cluster.create_database())
        stack = Stack(path, url)
        try:
            yield stack, Shop(stack), cluster
        finally:
            stack.stop()
            if cluster is not None:
                cluster.stop()


def run(database: str, kills: int) -> Line:
    began = time.monotonic()
    with stack_on(database) as (stack, shop, _cluster):
        seen = kill_often(stack, shop, kills)
    for problem in seen.problems[:20]:
        print(problem)
    ready = sorted(seen.ready)
    p95 = ready[min(len(ready) - 1, int(len(ready) * 0.95))]
    return Line(
        f"SIGKILL, {database}",
        f"{seen.kills} muertes, {seen.paid} pagados: {len(seen.problems)} diferencias; "
        f"lista de nuevo en {p95:.1f} s (p95)",
        f"0; menos de {TARGET_READY:.0f} s",
        f"sin reconciliar: {seen.gaps} muertes con dinero sin registrar",
        not seen.problems and p95 < TARGET_READY and seen.gaps > 0,
        time.monotonic() - began,
    )
