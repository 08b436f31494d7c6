"""Two servers and two workers over one PostgreSQL; one host dies in the middle."""

import itertools
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.torture.kills import (
    _HIDDEN,
    BUYERS,
    READY_SECONDS,
    Shop,
    Stack,
    _buyer,
    _granian,
    _kill,
)
from bench.torture.report import Line
from bench.torture.worlds import folder

TECHNICIANS = 4
PASSWORD = "torture-password-1"  # noqa: S105 (of accounts that live as long as a run)


class Balancer:
    """What a proxy in front does: the next host that takes a connection gets it."""

    def __init__(self, port: int, hosts: list[int]) -> None:
        self.turn = itertools.count()
        self.hosts = hosts
        self.socket = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        first = next(self.turn)
        for step in range(len(self.hosts)):
            port = self.hosts[(first + step) % len(self.hosts)]
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=2)
        return None

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        if server is None:
            client.close()
            return
        server.settimeout(None)
        ends = ((client, server), (server, client))
        pipes = [threading.Thread(target=_pipe, args=end, daemon=True) for end in ends]
        for pipe in pipes:
            pipe.start()
        for pipe in pipes:
            pipe.join()
        client.close()
        server.close()

    def stop(self) -> None:
        self.socket.close()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Hosts(Stack):
    """Two hosts behind one address; each has a server and a worker."""

    def __init__(self, path: Path, database_url: str) -> None:
        from live_stack import free_ports

        super().__init__(path, database_url)
        first = free_ports()
        self.ports = [first, first + 1]
        self.balancer = Balancer(self.port, self.ports)
        self.running: list[list[subprocess.Popen[bytes]]] = [[], []]

    def start_host(self, number: int) -> None:
        """Start one host and wait until it is ready."""
        port = self.ports[number]
        self.running[number] = [
            self._start(*_granian("rsgi", "wsgi:buffered", port)),
            self._start(sys.executable, "-m", "flask", "--app", "wsgi", "worker"),
        ]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(requests.RequestException):
                url = f"http://127.0.0.1:{port}/salud"
                if requests.get(url, timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("a host was never ready")

    def kill_host(self, number: int) -> None:
        for process in self.running[number]:
            _kill(process)

    def kill(self) -> None:
        for number in range(len(self.running)):
            self.kill_host(number)

    def stop(self) -> None:
        self.balancer.stop()
        super().stop()


@dataclass
class Seen:
    """What was left behind."""

    kills: int = 0
    paid: int = 0
    gaps: int = 0
    races: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)


def buy_and_kill(hosts: Hosts, shop: Shop, rounds: int, seen: Seen) -> None:
    """Purchases through the balancer; one host dies among them, the other goes on."""
    chance = random.Random(20261124)
    for turn in range(rounds):
        buyers = [
            threading.Thread(
                target=_buyer,
                args=(hosts, shop, shop.place(), ("webpay", "mercadopago")[n % 2]),
            )
            for n in range(BUYERS)
        ]
        for buyer in buyers:
            buyer.start()
        time.sleep(chance.uniform(0.1, 1.5))
        hosts.kill_host(turn % 2)
        seen.kills += 1
        for buyer in buyers:
            buyer.join()
        seen.gaps += shop.gap()
        hosts.start_host(turn % 2)
        shop.reconcile()
        seen.problems += shop.problems()
    seen.paid = shop.paid()


def _technicians(hosts: Hosts, shop: Shop) -> list[requests.Session]:
    """Logged in through the balancer: every host knows each of them."""
    from portal.accounts import service

    sessions = []
    for number in range(TECHNICIANS):
        mail = f"tecnico{number}@example.cl"
        with shop.app.app_context():
            service.add_user(
                mail,
                f"Técnica {number}",
                "technician",
                PASSWORD,
                now=shop.clock.utcnow(),
            )
            shop.db.session.remove()
        session = requests.Session()
        session.trust_env = False
        page = session.get(f"{hosts.url}/ingresar", timeout=20).text
        form = {"email": mail, "password": PASSWORD, **dict(_HIDDEN.findall(page))}
        answer = session.post(f"{hosts.url}/ingresar", data=form, timeout=20)
        if answer.status_code != 200 or "/ingresar" in answer.url:
            raise RuntimeError(f"a technician could not log in: {answer.status_code}")
        session.headers["X-CSRFToken"] = _token(session, hosts)
        sessions.append(session)
    return sessions


def _token(session: requests.Session, hosts: Hosts) -> str:
    page = session.get(f"{hosts.url}/tablero", timeout=20).text
    return dict(_HIDDEN.findall(page))["csrf_token"]


def race(hosts: Hosts, shop: Shop, seen: Seen, rounds: int) -> None:
    """All technicians take the same attention at once, through both hosts."""
    technicians = _technicians(hosts, shop)
    for attention_id in _waiting(shop)[:rounds]:
        barrier = threading.Barrier(TECHNICIANS)
        codes: list[int] = []

        def take(number: int, id: int = attention_id) -> None:
            port = hosts.ports[number % 2]
            barrier.wait()  # noqa: B023 (joined before the next round)
            answer = technicians[number].post(
                f"http://localhost:{port}/tablero/{id}/tomar",
                allow_redirects=False,
                timeout=30,
            )
            codes.append(answer.status_code)  # noqa: B023

        threads = [threading.Thread(target=take, args=(n,)) for n in range(TECHNICIANS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen.races += 1
        seen.refused += codes.count(409)
        if codes.count(303) != 1 or codes.count(409) != TECHNICIANS - 1:
            seen.problems.append(f"attention {attention_id}: answers {sorted(codes)}")
    seen.problems += shop.problems()


def _waiting(shop: Shop) -> list[int]:
    from sqlalchemy import text

    with shop.app.app_context():
        rows = shop.db.session.execute(
            text("SELECT id FROM attentions WHERE state = 'waiting' ORDER BY id")
        )
        found = [int(row[0]) for row in rows]
        shop.db.session.remove()
        return found


def _mails_sent_twice(shop: Shop) -> int:
    """Mails that two workers both marked as sent: they share one outbox."""
    from sqlalchemy import text

    with shop.app.app_context():
        query = text("SELECT COUNT(*) FROM outbox WHERE state = 'sent' AND tries > 1")
        found = int(shop.db.session.scalar(query) or 0)
        shop.db.session.remove()
        return found


@contextmanager
def two_hosts() -> Iterator[tuple[Hosts, Shop]]:
    from postgres_cluster import Cluster

    with folder() as path:
        cluster = Cluster()
        hosts = Hosts(path, cluster.url(cluster.create_database()))
        try:
            yield hosts, Shop(hosts)
        finally:
            hosts.stop()
            cluster.stop()


def run(kills: int, races: int) -> Line:
    began = time.monotonic()
    seen = Seen()
    with two_hosts() as (hosts, shop):
        for number in range(2):
            hosts.start_host(number)
        buy_and_kill(hosts, shop, kills, seen)
        race(hosts, shop, seen, races)
        twice = _mails_sent_twice(shop)
    for problem in seen.problems[:20]:
        print(problem)
    return Line(
        "dos equipos, un PostgreSQL",
        f"{seen.kills} equipos muertos, {seen.paid} pagados, {seen.races} carreras "
        f"por una atención: {len(seen.problems)} diferencias, {twice} correos dobles",
        "0, 0",
        f"sin reconciliar: {seen.gaps} muertes con dinero sin registrar; "
        f"{seen.refused} perdedoras de una carrera",
        not seen.problems and not twice and seen.refused > 0 and seen.paid > 0,
        time.monotonic() - began,
    )
