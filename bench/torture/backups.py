"""Backups taken while the portal sells, each restored elsewhere and judged."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite3

from bench.torture.kills import Shop, Stack, _buyer, stack_on
from bench.torture.report import Line
from portal.errors import RefusedError

SELLERS = 4
# How long a drill waits for one more sale before it goes on without.
MORE_SECONDS = 10.0
PAID = "SELECT id FROM orders WHERE state = 'paid'"


@dataclass
class Drills:
    """What the drills found."""

    made: int = 0
    rows: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lost_by_plain_copies: int = 0


@contextmanager
def selling(stack: Stack, shop: Shop) -> Iterator[None]:
    """Purchases that go on, several at once, until the block ends."""
    over = threading.Event()
    placing = threading.Lock()

    def sell(number: int) -> None:
        for turn in count(number):
            if over.is_set():
                return
            with placing:
                path = shop.place()
            _buyer(stack, shop, path, ("webpay", "mercadopago")[turn % 2])

    sellers = [threading.Thread(target=sell, args=(n,)) for n in range(SELLERS)]
    for seller in sellers:
        seller.start()
    try:
        yield
    finally:
        over.set()
        for seller in sellers:
            seller.join()


def paid_now(shop: Shop) -> set[int]:
    """The orders whose payment was acknowledged before now."""
    from sqlalchemy import text

    with shop.app.app_context():
        found = {row[0] for row in shop.db.session.execute(text(PAID))}
        shop.db.session.remove()
        return found


def _more_than(shop: Shop, known: int) -> set[int]:
    """The paid orders, once there are more than the last backup held."""
    deadline = time.monotonic() + MORE_SECONDS
    while len(found := paid_now(shop)) <= known and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def drill(shop: Shop, folder: Path, target: Any, seen: Drills) -> None:
    """One backup under load and its restore into `target`, an empty database."""
    from portal.backups import service

    folder.mkdir()
    file = folder / "backup"
    before = _more_than(shop, seen.rows)
    if shop.settings.database_url.startswith("sqlite"):
        plain = folder / "plain"
        shutil.copyfile(service.database_file(shop.settings), plain)
        seen.lost_by_plain_copies += len(before - _paid_in_file(plain))
    with shop.app.app_context():
        made = service.make(shop.settings, file, now=shop.clock.utcnow())
        shop.db.session.remove()
    seen.slowest = max(seen.slowest, made.seconds)
    seen.made += 1
    elsewhere = replace(shop.settings, database_url=target)
    try:
        service.restore(elsewhere, file, replace=False, known=_known())
    except RefusedError as error:
        seen.problems.append(str(error))
        return
    restored, faults = _judge(target)
    seen.problems += [*made.faults, *faults]
    seen.lost += len(before - restored)
    seen.rows = max(seen.rows, len(restored))
    shutil.rmtree(folder)


def _known() -> frozenset[str]:
    from portal.schema import expected_heads

    return expected_heads()


def _paid_in_file(path: Path) -> set[int]:
    """What a copy of the file alone holds; nothing when it cannot be read."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return {row[0] for row in connection.execute(PAID)}
    except sqlite3.DatabaseError:
        return set()
    finally:
        connection.close()


def _judge(url: str) -> tuple[set[int], list[str]]:
    """Paid orders and broken invariants (`flask verify`) of the restored database."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    from portal.audit.queries import broken_invariants
    from portal.db import engine_options

    engine = create_engine(url, **engine_options(url))
    with Session(engine) as session:
        paid = {row[0] for row in session.execute(text(PAID))}
        faults = [fault.line() for fault in broken_invariants(session)]
    engine.dispose()
    return paid, faults


def run(database: str, drills: int) -> Line:
    from portal.config import database_url

    began = time.monotonic()
    seen = Drills()
    with stack_on(database) as (stack, shop, cluster):
        stack.start()
        with selling(stack, shop):
            for number in range(drills):
                target = f"sqlite:///{stack.folder}/restored-{number}.sqlite3"
                if cluster is not None:
                    target = database_url(cluster.url(cluster.create_database()))
                drill(shop, stack.folder / f"drill-{number}", target, seen)
                for leftover in stack.folder.glob(f"restored-{number}.*"):
                    leftover.unlink()
    for problem in seen.problems[:20]:
        print(problem)
    control = "no se aplica: pg_dump lee una sola foto"
    if database == "sqlite":
        control = f"copiar el archivo sin su -wal: {seen.lost_by_plain_copies} perdidos"
    return Line(
        f"respaldos mientras se vende, {database}",
        f"{seen.made} respaldos repuestos, hasta {seen.rows} pagados: "
        f"{seen.lost} perdidos, {len(seen.problems)} diferencias; el más lento "
        f"{seen.slowest:.1f} s",
        "0, 0",
        control,
        not seen.lost
        and not seen.problems
        and seen.made == drills
        and seen.rows > 0
        and (database != "sqlite" or seen.lost_by_plain_copies > 0),
        time.monotonic() - began,
    )
