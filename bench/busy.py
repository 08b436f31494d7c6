"""A busy desk: 50 boards, 1,000 customers' pages, orders paid through slow gateways.

    python bench/busy.py [--boards 50] [--pages 1000] [--cards 60] [--seconds 60]

The server of `make serve` with two processes, the gateway simulator as a process (each
call answers after 1 to 5 s), the pollers (one thread of this process) and the payers
share the machine. Boards, of ten technicians, ask each second, customers' pages every
2 s, their place every 15 s. A technician writes a line every two seconds; from before
that post to the answer in which a screen has it is what counts. The pages are of
`--cards` waiting attentions, so several browsers share one when there are fewer. JSON
to var/bench.json; exits 1 when a target is missed or a change was never seen.
`--seconds 15` is a try.
"""

import argparse
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from command import kept_environment
from desk import KEY, ROOT, Desk
from live_stack import free_ports
from pollers import Browser, Pollers
from servers import Caller, save, serving, spread
from simulator_client import SimulatorClient
from support_cases import add_order

from portal import clock
from portal.db import db, transaction
from portal.orders.queries import path_of

BOARD_MS, CUSTOMER_MS, CORES, EVERY = 1500, 3000, 0.5, 2.13
# Lines are written for these; the others wait in the queue.
TAKEN = 10
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_WEBPAY = re.compile(r'name="token_ws" value="([^"]+)"')


@contextmanager
def simulating(port: int, environment: dict[str, str]) -> Iterator[SimulatorClient]:
    """The simulator beside the server; calls answer after 1 to 5 s."""
    target = "portal.simulator:create_from_environment"
    place = ("--host", "127.0.0.1", "--port", str(port + 1), "--factory")
    more = ("--blocking-threads", "32", "--log-level", "error")
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", *place, *more, target],
        cwd=ROOT,
        env=kept_environment({"PORT": str(port), **environment}),
    )
    client = SimulatorClient(f"http://127.0.0.1:{port + 1}")
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(requests.RequestException):
                client.call_log()
                break
            time.sleep(0.1)
        for _ in range(200):
            for operation in ("webpay_create", "webpay_commit"):
                client.fail(operation, "delay", delay=random.uniform(1, 5))
        yield client
    finally:
        process.terminate()
        process.wait(20)


def unpaid(desk: Desk, count: int) -> list[str]:
    """Links of so many orders that wait for their payment."""
    keys = desk.app.extensions["portal_settings"].secret_keys
    with desk.app.app_context():
        values = {"state": "awaiting_payment", "paid_at": None}
        values["topic_slug"] = "error-del-programa"
        with transaction() as session:
            now = clock.utcnow()
            made = [
                add_order(session, now=now, key=KEY, **values) for _ in range(count)
            ]
            links = [path_of(each, keys) for each in made]
        db.session.remove()
    return links


class Payers:
    """A few customers at a time who pay by Webpay, one order after another."""

    def __init__(
        self, port: int, links: list[str], bank: SimulatorClient, at_once: int
    ) -> None:
        self.url, self.links, self.bank = f"http://localhost:{port}", links, bank
        self.stop, self.paid = threading.Event(), itertools.count()
        self.done = 0
        self.threads = [threading.Thread(target=self._pay) for _ in range(at_once)]
        for each in self.threads:
            each.start()

    def _pay(self) -> None:
        while not self.stop.is_set() and self.links:
            url = self.url + self.links.pop()
            with requests.Session() as session:
                session.trust_env = False
                page = session.get(url, timeout=30).text
                form = {"gateway": "webpay", "csrf_token": _TOKEN.findall(page)[0]}
                sent = session.post(f"{url}/pagar", data=form, timeout=60).text
                back = self.bank.webpay_outcome(_WEBPAY.findall(sent)[0], "visa")
                answer = session.request(
                    back.method,
                    back.url,
                    params=back.params if back.method == "GET" else None,
                    data=back.params if back.method == "POST" else None,
                    timeout=60,
                    allow_redirects=False,
                )
                assert answer.status_code == 303, answer.status_code
                self.done = next(self.paid) + 1


def write_lines(technician: Caller, desk: Desk, seconds: float) -> list[float]:
    """A line for each customer in their turn; when each was sent."""
    token = _TOKEN.findall(technician.get("/tablero").text)[0]
    sent: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number = len(sent)
        card = desk.cards[number % TAKEN]
        sent.append(time.monotonic())
        body = f"csrf_token={token}&kind=haremos&text=cambio-{number}"
        answer = technician.post(f"/tablero/{card}/anotar", body)
        assert answer.status == 200, answer.status
        time.sleep(max(0.0, sent[-1] + EVERY - time.monotonic()))
    return sent


def lateness(sent: list[float], browsers: list[Browser], groups: int) -> list[float]:
    """Seconds until each browser that must see a change saw it; inf: never."""
    return [
        each.seen.get(number, float("inf")) - at
        for number, at in enumerate(sent)
        for place, each in enumerate(browsers)
        if not groups or place % groups == number % TAKEN
    ]


def run(boards: int, pages: int, cards: int, seconds: float, payers: int) -> Any:
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        desk, port = Desk(Path(made), cards, taken=min(cards, TAKEN)), free_ports()
        links = unpaid(desk, 400)
        public = {"PUBLIC_URL": f"http://localhost:{port}", "PORT": str(port)}
        environment = {**desk.environment, **public}
        with (
            serving("wsgi:buffered", 2, **environment) as server,
            simulating(port, environment) as bank,
        ):
            walls = [Browser(port, "/tablero", desk.cookie(n)) for n in range(boards)]
            phones = [Browser(port, desk.pages[n % cards]) for n in range(pages)]
            pollers = Pollers([*walls, *phones])
            pollers.open_pages()
            pollers.start()
            paying = Payers(port, links, bank, payers)
            time.sleep(5)
            cpu, begun, paid = server.cpu_seconds(), time.monotonic(), paying.done
            sent = write_lines(Caller(port, desk.cookie()), desk, seconds)
            spent = time.monotonic() - begun
            cores = (server.cpu_seconds() - cpu) / spent
            paid = paying.done - paid
            time.sleep(4)
            paying.stop.set()
            for each in paying.threads:
                each.join()
            pollers.stop.set()
            pollers.join()
    board = lateness(sent, walls, 0)
    phone = lateness(sent, phones, cards)
    missed = board.count(float("inf")) + phone.count(float("inf"))
    asked = sum(map(len, pollers.waits.values()))
    a_second = len(walls) + len(phones) * (1 / 2 + 1 / 15)
    return {
        "boards": boards,
        "pages": pages,
        "cards": cards,
        "changes": len(sent),
        "changes_a_second": round((len(sent) + paid) / spent, 2),
        "paid": paid,
        "polls": asked,
        "statuses": pollers.statuses,
        "missed": missed,
        "board_ms": spread([it for it in board if it < 1e9]),
        "customer_ms": spread([it for it in phone if it < 1e9]),
        "poll_ms": spread([it for each in pollers.waits.values() for it in each]),
        "server_cores": round(cores, 2),
        "cpu_ms_a_poll": round(cores / a_second * 1000, 2),
        "pollers_cpu_s": round(pollers.cpu, 1),
        "load_average": os.getloadavg()[0],
    }


def targets(found: dict[str, Any]) -> list[tuple[str, float, float]]:
    """What was measured and the most that it may be."""
    return [
        ("board p99 ms", found["board_ms"]["p99"], BOARD_MS),
        ("customer p99 ms", found["customer_ms"]["p99"], CUSTOMER_MS),
        ("server cores", found["server_cores"], CORES),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=50)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--cards", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--payers", type=int, default=3)
    found = run(**vars(parser.parse_args()))
    rows = targets(found)
    kept = all(value <= most for _, value, most in rows) and not found["missed"]
    save("busy", {**found, "kept": kept})
    print(
        f"\n{found['boards']} boards of {found['cards']} cards and {found['pages']} "
        f"customers' pages poll; {found['changes_a_second']} changes a second "
        f"({found['changes']} lines, {found['paid']} orders paid)\n"
    )
    for name, value, most in rows:
        print(
            f"{name:>16}  {value:8g} of at most {most:<5g} {value / most:5.2f}"
            f"  {'kept' if value <= most else 'MISSED'}"
        )
    print(
        f"\n{found['polls']} polls {found['statuses']}, {found['missed']} changes "
        f"never seen; {found['cpu_ms_a_poll']} ms of processor a poll, everything "
        f"counted; load average {found['load_average']:.1f}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
