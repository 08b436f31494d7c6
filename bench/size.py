"""What a long history costs: each thing of the day over 10^3 to 10^6 attentions.

    python bench/size.py [--sizes 1000,10000,100000,1000000] [--folder var/bench]

Each history, with its journal and mails (`bench/history.py`), is copied, given the same
desk of 20 living attentions, and the things of the day are done in turns over all of
them: noise meets each. Milliseconds on one thread, without a server, the median and the
processor's best; somebody's write comes before each. Prints a table, writes JSON to
var/bench.json, exits 1 when a thing costs over 1.5 times in the longest history what it
costs in the one of 10,000, by processor. `flask verify` and `flask backup` read every
row and Prometheus counts them all: they are told, and no ratio is asked of them.
"""

import argparse
import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from desk import NOON, ROOT
from history import LAST, history_file, make_app
from servers import poll_path, save
from settle import begin_orders, pay
from sqlalchemy import select
from support_cases import log_in_as

from portal import clock
from portal.accounts.rules import Person
from portal.audit.queries import broken_invariants
from portal.backups import service as backups
from portal.db import db
from portal.orders.models import Order
from portal.orders.queries import path_of
from portal.support import service
from portal.support.models import Attention
from portal.support.states import WAITING
from portal.terms import service as terms_service
from portal.worker.service import make_jobs

SIZES, BASE, LIMIT_RATIO = (1_000, 10_000, 100_000, 1_000_000), 10_000, 1.5
COUNTS_ALL = "metrics"
ROUNDS, LIVING, OWNER = 15, 20, 1
TECHNICIAN = Person(2, "Persona 2", "technician")
TOKEN = "bench-metrics-0123456789abcdefghij"  # noqa: S105 (of this run)
Thing = Callable[[], object]
_lines = count(1)


@dataclass(frozen=True)
class Taken:
    """One thing of the day in one history: milliseconds of each round."""

    wall: list[float]
    cpu: list[float]


class Place:
    """A copy of a history with a living desk, and who looks at it."""

    def __init__(self, folder: Path, original: Path, total: int, rounds: int) -> None:
        self.folder, self.total = folder, total
        path = folder / f"{total}.sqlite3"
        shutil.copyfile(original, path)
        url = f"sqlite:///{path}"
        self.app = make_app(url, PORTAL_NOW=NOON, METRICS_TOKEN=TOKEN)
        with self.app.app_context():
            terms_service.set_up(clock.utcnow())
        gateways, self.sent = begin_orders(self.app, LIVING + rounds + 1)
        self.settle = pay(self.app, gateways)
        for _ in range(LIVING):
            self.settle(self.sent.pop())
        self._find()
        self.visitor = self.app.test_client()
        self.owner = log_in_as(self.app, OWNER)
        self.seen = poll_path(self.owner.get("/tablero").text)
        self.desk_jobs = [
            job
            for job in make_jobs(
                self.app.extensions["portal_settings"],
                self.app.extensions["mail_renderers"],
                gateways,
            )
            if job.lane == "desk"
        ]

    def _find(self) -> None:
        """The desk's first card, taken, and the links of two orders."""
        living = select(Attention).where(Attention.state == WAITING)
        with self.app.app_context():
            keys = self.app.extensions["portal_settings"].secret_keys
            card = db.session.scalars(living.order_by(Attention.id).limit(1)).one()
            self.card, self.order = card.id, card.order_id
            links = select(Order).where(Order.id.in_((self.order, self.total // 2)))
            old, new = db.session.scalars(links.order_by(Order.id))
            self.links = {"old": path_of(old, keys), "new": path_of(new, keys)}
            db.session.remove()
            service.take(self.card, by=TECHNICIAN, now=clock.utcnow())

    def write(self) -> None:
        """What somebody else does meanwhile: nothing that was read may be kept."""
        with self.app.app_context():
            text = f"Línea {next(_lines)}"
            now = clock.utcnow()
            service.add_entry(self.card, "haremos", text, by=TECHNICIAN, now=now)

    def asks(self, path: str, *, staff: bool = True, **headers: str) -> Thing:
        client = self.owner if staff else self.visitor

        def ask() -> None:
            answer = client.get(path, headers=headers)
            assert answer.status_code == 200, (path, answer.status)

        return ask

    def things(self) -> dict[str, Thing]:
        """What people and the worker do each day, by name."""
        orders, number = "/administrar/pedidos", 1000 + self.order
        person = f"/administrar/datos/personas/{number}"
        found = {
            "home page": self.asks("/", staff=False),
            "customer's page": self.asks(self.links["new"], staff=False),
            "customer's page, old": self.asks(self.links["old"], staff=False),
            "board": self.asks("/tablero"),
            "board's poll with news": self.asks(self.seen),
            "card's history": self.asks(f"/tablero/{self.card}/historial"),
            "owner's page": self.asks("/administrar"),
            "orders": self.asks(orders),
            "orders of a day": self.asks(f"{orders}?dia=2026-10-14"),
            "orders refunded": self.asks(f"{orders}?estado=refunded"),
            "orders by Webpay": self.asks(f"{orders}?medio=webpay"),
            "search: number": self.asks(f"{orders}?q={1000 + self.total // 2}"),
            "search: mail": self.asks(f"{orders}?q=maria@example.cl"),
            "search: phone": self.asks(f"{orders}?q=%2B56987654321"),
            "search: a name": self.asks(f"{orders}?q=soto"),
            "search: nobody": self.asks(f"{orders}?q=zzyzx"),
            "order": self.asks(f"{orders}/{number}"),
            "order, old": self.asks(f"{orders}/{1000 + self.total // 2}"),
            "person": self.asks(person),
            "who looked": self.asks("/administrar/datos/consultas"),
            "documents missing": self.asks("/administrar/documentos?mes=2026-10"),
            "settle of an order": lambda: self.settle(self.sent.pop()),
            "worker's round": self.work,
            COUNTS_ALL: self.asks("/metricas", Authorization=f"Bearer {TOKEN}"),
        }
        # A short history's month is short too.
        month = {f"month {LAST}": self.asks(f"/informes/{LAST}")}
        return found | (month if self.total >= BASE else {})

    def work(self) -> None:
        with self.app.app_context():
            for job in self.desk_jobs:
                job.run(clock.utcnow())

    def whole(self) -> dict[str, Any]:
        """Seconds of what reads everything, once, and what verify found."""
        with self.app.app_context():
            begun = time.perf_counter()
            broken = [each.line() for each in broken_invariants(db.session())]
            spent = time.perf_counter() - begun
            db.session.remove()
            settings = self.app.extensions["portal_settings"]
            target = self.folder / f"backup-{self.total}.sqlite3"
            made = backups.make(settings, target, now=clock.utcnow())
            db.session.remove()
            db.engine.dispose()
        target.unlink()
        return {
            "verify_s": round(spent, 2),
            "backup_s": round(made.seconds, 2),
            "backup_mb": round(made.bytes / 1e6, 1),
            "broken": broken,
        }


def timed(thing: Thing) -> tuple[float, float]:
    """Milliseconds of one: on the clock, and of this process's processor."""
    cpu, begun = time.process_time(), time.perf_counter()
    thing()
    spent = time.perf_counter() - begun
    return spent * 1000, (time.process_time() - cpu) * 1000


def measure(places: list[Place], rounds: int) -> dict[str, dict[int, Taken]]:
    """Each thing in each history, in turns; the first round only warms."""
    found: dict[str, dict[int, Taken]] = {}
    every = [(place, place.things()) for place in places]
    for name in every[-1][1]:
        found[name] = {}
        for turn in range(rounds + 1):
            gc.collect()
            for place, things in every:
                if name in things:
                    place.write()
                    wall, cpu = timed(things[name])
                    taken = found[name].setdefault(place.total, Taken([], []))
                    if turn:
                        taken.wall.append(wall)
                        taken.cpu.append(cpu)
    return found


def summary(found: dict[str, dict[int, Taken]]) -> list[dict[str, Any]]:
    """A row a thing: its milliseconds by size, and the longest against BASE."""
    rows = []
    for name, sizes in found.items():
        longest = max(sizes)
        best = {size: min(taken.cpu) for size, taken in sizes.items()}
        ratio = round(best[longest] / best[BASE], 2) if BASE in best else None
        rows.append(
            {
                "thing": name,
                "median_ms": {
                    size: round(statistics.median(taken.wall), 1)
                    for size, taken in sizes.items()
                },
                "cpu_ms": {size: round(value, 1) for size, value in best.items()},
                "ratio": ratio,
                "kept": ratio is None or ratio <= LIMIT_RATIO or name == COUNTS_ALL,
            }
        )
    return rows


def show(rows: list[dict[str, Any]], sizes: list[int], whole: dict[int, Any]) -> None:
    print("\nThe things of the day by history: ms, median and (best of processor)\n")
    print(f"{'':24}" + "".join(f"{size:>18,}" for size in sizes) + "   ratio")
    for row in rows:
        cells = "".join(
            f"{row['median_ms'][size]:>10.1f} ({row['cpu_ms'][size]:5.1f})"
            if size in row["cpu_ms"]
            else f"{'':>18}"
            for size in sizes
        )
        mark = "" if row["kept"] else "  GROWS"
        print(f"{row['thing']:24}{cells}   {row['ratio'] or '':>5}{mark}")
    print(
        f"\nRead every row: seconds, once (at most {LIMIT_RATIO} is not asked of them)"
    )
    for name in ("verify_s", "backup_s", "backup_mb"):
        print(f"{name:24}" + "".join(f"{whole[size][name]:>18}" for size in sizes))
    for size in sizes:
        for line in whole[size]["broken"][:5]:
            print(f"{size:,}: {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    sizes = sorted(int(each) for each in options.sizes.split(","))
    originals = [history_file(options.folder, size) for size in sizes]
    with tempfile.TemporaryDirectory(prefix="size-", dir=options.folder) as made:
        places = [
            Place(Path(made), original, size, options.rounds)
            for original, size in zip(originals, sizes, strict=True)
        ]
        rows = summary(measure(places, options.rounds))
        whole = {place.total: place.whole() for place in places}
    kept = all(row["kept"] for row in rows)
    kept = kept and not any(each["broken"] for each in whole.values())
    load = os.getloadavg()[0]
    save("size", {"rows": rows, "whole": whole, "load_average": load, "kept": kept})
    show(rows, sizes, whole)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
