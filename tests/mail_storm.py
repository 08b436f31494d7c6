"""Many mails, several workers and a mail server that fails: who got what, how often.

A connection meets one of the server's faults; a worker may die between the server's yes
and its own mark. `judge` reads the outbox and what the server kept, and shares no code
with what it judges. `without` takes one guard away, as the control.
"""

import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from fake_smtp import FAULTS, OK, FakeSmtp, serving
from flask import Flask
from sqlalchemy import select, update

from portal.config import Settings
from portal.db import db, transaction
from portal.mail import service
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail

WORKERS = 4
ROUNDS = 300
DEATH_EVERY = 17
LATER = timedelta(minutes=61)
# refuse, hang, drop, 451, 550, 552: of three connections in ten.
WEIGHTS = (8, 1, 8, 5, 4, 4)
KIND = "order.confirmed"
# Each guard with the word of the problem that shows without it.
GUARDS = {"lease": "excused", "message id": "ids"}


@dataclass
class Storm:
    """What became of it."""

    problems: list[str]
    faults: int
    repeated: int
    deaths: int
    rounds: int


def _write(_context: RenderContext, row: OutboxRow) -> Mail | None:
    what = "Pedido" if row.kind == KIND else "Aviso del pedido"
    words = f"{what} {row.order_id}"
    return Mail("ana@x.cl", words, f"{words}\n" * 20, f"<p>{words}</p>")


RENDERERS = {KIND: _write, "alert.mail": _write}


def blow(
    app: Flask, settings: Settings, *, mails: int, now: datetime, without: str = ""
) -> Storm:
    """Send them all through faults and deaths, `without` one of GUARDS or none."""
    dice = random.Random(20261124)
    lock, deaths = threading.Lock(), Counter[str]()

    def plan() -> str:
        with lock:
            if dice.random() >= 0.3:
                return OK
            return dice.choices(FAULTS, WEIGHTS)[0]

    def dies() -> bool:
        with lock:
            deaths["asked"] += 1
            dead = deaths["asked"] % DEATH_EVERY == 0
            deaths["mark"] += dead
            return dead

    _put(app, mails, now)
    rounds = 0
    with serving(plan) as smtp, _patched(dies, without):
        over_smtp = replace(settings, smtp_url=smtp.url)
        while _pending(app) and rounds < ROUNDS:
            _round(app, over_smtp, now + rounds * LATER)
            rounds += 1
        problems = judge(app, smtp, mails, deaths["mark"])
        taken = Counter(smtp.message_ids())
        faults = sum(met != OK for met in smtp.met)
    repeated = sum(taken.values()) - len(taken)
    return Storm(problems, faults, repeated, deaths["mark"], rounds)


def _put(app: Flask, mails: int, now: datetime) -> None:
    with app.app_context(), transaction() as session:
        for number in range(1, mails + 1):
            service.enqueue(session, kind=KIND, order_id=number, now=now)


def _pending(app: Flask) -> bool:
    with app.app_context():
        query = select(OutboxRow.id).where(OutboxRow.state == "pending").limit(1)
        found = db.session.scalar(query) is not None
        db.session.remove()
        return found


def _round(app: Flask, settings: Settings, now: datetime) -> None:
    """Four workers at once, until nothing is due or each has died."""

    def work() -> None:
        with app.app_context():
            try:
                service.send_due(RENDERERS, settings, now=now, limit=100)
            except SystemExit:
                pass
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def _patched(dies: Callable[[], bool], without: str) -> Iterator[None]:
    """Short patience, deaths before the mark, and maybe one guard less."""
    mark, lease = service._mark, service._lease

    def mark_or_die(row_id: int, **values: Any) -> None:
        if values["state"] == "sent" and dies():
            raise SystemExit
        mark(row_id, **values)

    def lease_of_nothing(*given: Any) -> int | None:
        row_id = lease(*given)
        with transaction() as session:
            session.execute(update(OutboxRow).values(leased_until=None))
        return row_id

    def fresh_id(*_given: object) -> str:
        return f"<{secrets.token_hex(8)}@x.cl>"

    def lease_with_fresh_id(*given: Any) -> int | None:
        row_id = lease(*given)
        with transaction() as session:
            where = OutboxRow.id == row_id
            session.execute(
                update(OutboxRow).where(where).values(message_id=fresh_id())
            )
        return row_id

    with ExitStack() as stack:
        put = mock.patch.object
        stack.enter_context(put(service, "SMTP_TIMEOUT_SECONDS", 0.3))
        stack.enter_context(put(service, "FAILURES_OF_A_DEAD_SERVER", 1_000))
        stack.enter_context(put(service._log, "warning"))
        stack.enter_context(put(service, "_mark", mark_or_die))
        if without == "lease":
            stack.enter_context(put(service, "_lease", lease_of_nothing))
        if without == "message id":
            stack.enter_context(put(service, "_lease", lease_with_fresh_id))
        yield


def judge(app: Flask, smtp: FakeSmtp, mails: int, deaths: int) -> list[str]:
    """What is wrong: a mail lost, under two ids, or repeated without an excuse."""
    with app.app_context():
        rows = db.session.execute(
            select(OutboxRow.order_id, OutboxRow.state, OutboxRow.tries).where(
                OutboxRow.kind == KIND
            )
        ).all()
        told = db.session.scalars(
            select(OutboxRow.key).where(OutboxRow.kind == "alert.mail")
        ).all()
        db.session.remove()
    kept: dict[str, list[bytes]] = {}
    ids: dict[str, set[str]] = {}
    confirmed = [m for m in smtp.received if str(m["Subject"]).startswith("Pedido")]
    for message in confirmed:
        subject, number = str(message["Subject"]), str(message["Message-ID"])
        kept.setdefault(number, []).append(message.as_bytes())
        ids.setdefault(subject, set()).add(number)
    hidden = smtp.met.count("drop")
    extra = len(smtp.received) - len({str(m["Message-ID"]) for m in smtp.received})
    problems = [f"{row.order_id} is {row.state}" for row in rows if row.state != "sent"]
    lost = {f"Pedido {number}" for number in range(1, mails + 1)} - set(ids)
    problems += [f"{subject} never came" for subject in sorted(lost)]
    problems += [f"{it} under {len(n)} ids" for it, n in ids.items() if len(n) > 1]
    problems += [f"{n} in two forms" for n, all in kept.items() if len(set(all)) > 1]
    if extra > hidden + deaths:
        problems.append(f"{extra} repeated, {hidden + deaths} excused")
    thrice = sum(row.tries > 3 for row in rows)
    if len(told) < thrice or len(told) != len(set(told)):
        problems.append(f"{len(told)} alerts for {thrice} mails that failed thrice")
    return problems
