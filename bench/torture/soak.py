"""Two virtual weeks of a busy desk in one run, across a change of Chile's clocks.

A real server answers customers and technicians over HTTP; the worker's jobs are run by
this one process with the worker's own `run_job` and `Schedule`, while the clock that
both follow is moved from step to step.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour_of
from email.message import Message
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

from bench.torture import soak_watch as watch
from bench.torture.kills import Shop, Stack
from bench.torture.report import Line
from bench.torture.soak_desk import Busy
from bench.torture.worlds import folder
from portal.clock import ZONE, local, move_to
from portal.worker.rules import Job, Schedule

# A Monday without a holiday after it; on the Saturday 23:00 comes twice.
FIRST = date(2027, 3, 29)
BEGIN_HOUR, END_HOUR = hour_of(8), hour_of(5)
DAY_STEP, NIGHT_STEP = timedelta(minutes=3), timedelta(minutes=6)
JITTER_SECONDS = 30.0
# A step, what is done in it, and some room.
LATEST = NIGHT_STEP + timedelta(minutes=1)
DESK, CLOSING, NIGHT = hour_of(9), hour_of(22), hour_of(22, 30)
# From when to when customers buy: weekdays and Saturday, Sunday.
SELLING = {5: (10.1, 19.5), 6: (10.1, 13.0)}
WORKDAY = (9.1, 20.5)
# Unpaid orders whose 30 days are over in each of the nights.
OLD_ORDERS = 3
MEMORY_GROWTH = 8 * watch.MB
FILES_GROWTH = 3
WAL_MOST = 32 * watch.MB
BACKUP = "back up"
KNOWN = ("tree/", "portal.sqlite3", "simulator.sqlite3", "clock", "output.txt")
# What a list that grows with each answer keeps of it.
_LEAK = """
_kept = []


@app.after_request
def _keep(answer):
    _kept.append(bytearray(b"x") * 20_000)
    return answer
"""


@dataclass(frozen=True)
class Size:
    """How long, how many orders a workday, what rotation keeps, when it is warm."""

    days: int
    orders: int
    keep: int
    keep_days: int
    warm: int


FULL = Size(days=14, orders=68, keep=48, keep_days=7, warm=2)
REDUCED = Size(days=3, orders=40, keep=12, keep_days=2, warm=1)


class Counted(list[Message]):
    """How many mails came, and how often one came again; none of them is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()
        self.again = 0

    def append(self, mail: Message) -> None:
        number = hash(str(mail["Message-ID"]))
        self.again += number in self.seen
        self.seen.add(number)


@dataclass
class Soak:
    """The weeks as they go by, and what was found."""

    size: Size
    stack: Stack
    shop: Shop
    mails: Counted
    label: str
    ran: list[tuple[str, datetime]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    samples: list[watch.Sample] = field(default_factory=list)
    wal: int = 0
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        extensions = self.shop.app.extensions
        from portal.privacy import commands as privacy_commands
        from portal.worker.service import make_jobs

        settings = self.shop.settings
        jobs = make_jobs(
            settings, extensions["mail_renderers"], extensions["portal_gateways"]
        )
        jobs += tuple(Job(*each) for each in privacy_commands.jobs(settings))
        self.jobs = tuple(self._noted(job) for job in jobs)
        self.busy = Busy(self.stack, self.shop)
        self.begin = _at(FIRST, BEGIN_HOUR)
        self.end = _at(FIRST + timedelta(days=self.size.days), END_HOUR)

    def _noted(self, job: Job) -> Job:
        """The job, which also says when it ran, if it is one of a day or an hour."""
        if job.at is None and job.name != BACKUP:
            return job

        def run(now: datetime) -> None:
            self.ran.append((job.name, now))
            job.run(now)

        return replace(job, run=run)

    # The weeks -----------------------------------------------------------

    def age_orders(self) -> None:
        """Orders nobody paid, a month ago: some are to go in each of the nights."""
        for day in range(1, self.size.days + 1):
            move_to(_at(FIRST + timedelta(days=day - 31), hour_of(12)))
            for _ in range(OLD_ORDERS):
                self.shop.place()

    def live(self) -> None:
        """All days and nights, step by step."""
        schedule, due = Schedule(self.jobs), self._purchases()
        coming = next(due, None)
        today = None
        for now in _steps(self.begin, self.end):
            move_to(now)
            wall = local(now)
            if wall.time() >= DESK and wall.date() != today:
                today = wall.date()
                self.busy.open_desk()
            while coming is not None and coming <= now:
                self.busy.buy()
                coming = next(due, None)
            if DESK <= wall.time() < NIGHT:
                self.busy.work(closing=wall.time() >= CLOSING)
                self.busy.look_at_boards()
                self.busy.look_at_orders()
            self._run_jobs(schedule, (now - self.begin).total_seconds())
            self._watch_files()
            if wall.time() >= NIGHT and len(self.samples) <= (wall.date() - FIRST).days:
                self._sample(wall)
        move_to(self.end)

    def _purchases(self) -> Iterator[datetime]:
        for number in range(self.size.days):
            day = FIRST + timedelta(days=number)
            opens, closes = SELLING.get(day.weekday(), WORKDAY)
            wanted = self.size.orders // (3 if day.weekday() == 6 else 1)
            for order in range(wanted):
                hours = opens + (closes - opens) * order / wanted
                yield _at(day, hour_of(0)) + timedelta(hours=hours)

    def _run_jobs(self, schedule: Schedule, second: float) -> None:
        from portal.worker.service import run_job

        while (job := schedule.next(second)) is not None:
            with self.shop.app.app_context():
                if not run_job(job):
                    self.failed.append(job.name)

    def _watch_files(self) -> None:
        log = self.stack.folder / "portal.sqlite3-wal"
        if log.exists():
            self.wal = max(self.wal, log.stat().st_size)

    def _sample(self, wall: datetime) -> None:
        server, me = watch.group_of(self.stack.portal[0].pid), [os.getpid()]
        backups = list(self.shop.settings.backup_dir.glob("portal-*.sqlite3"))
        made = watch.Sample(
            server=watch.memory_of(server),
            worker=watch.memory_of(me),
            server_files=watch.open_files(server),
            worker_files=watch.open_files(me),
            backups=len(backups),
            backup_bytes=sum(path.stat().st_size for path in backups),
            database=(self.stack.folder / "portal.sqlite3").stat().st_size,
            others=watch.leftovers(self.stack.folder, (*KNOWN, *_of(backups))),
        )
        self.samples.append(made)
        print(
            f"{self.label} {wall:%a %d %H:%M}: {self.busy.counts.orders} pedidos; "
            f"servidor {made.server / watch.MB:.1f} MB, {made.server_files} archivos; "
            f"trabajador {made.worker / watch.MB:.1f} MB, {made.worker_files}; "
            f"{made.backups} respaldos, {made.backup_bytes / watch.MB:.0f} MB; base "
            f"{made.database / watch.MB:.1f} MB; otros: {len(made.others)}",
            flush=True,
        )

    # Judging -------------------------------------------------------------

    def judge(self) -> None:
        """Everything that may be wrong, each with the word that it begins with."""
        daily = {job.name: job.at for job in self.jobs if job.at is not None}
        self.late = watch.lateness(daily, self.ran)
        turns = watch.turn_problems(daily, self.ran, self.begin, self.end, LATEST)
        turns += watch.hourly_problems(BACKUP, self.ran, self.begin, self.end)
        self.problems += [f"turns: {each}" for each in turns]
        self.problems += [f"turns: {name} failed" for name in self.failed]
        self._judge_memory()
        self._judge_files()
        self._judge_rows()
        counts = self.busy.counts
        if counts.bad:
            self.problems.append(f"answers: {counts.bad} bad, {counts.first_bad}")

    def _judge_memory(self) -> None:
        warm = self.size.warm
        self.grew = [
            watch.growth([each.server for each in self.samples], warm),
            watch.growth([each.worker for each in self.samples], warm),
        ]
        self.opened = [
            watch.growth([each.server_files for each in self.samples], warm),
            watch.growth([each.worker_files for each in self.samples], warm),
        ]
        for who, grew, more in zip(
            ("server", "worker"), self.grew, self.opened, strict=True
        ):
            if grew > MEMORY_GROWTH:
                self.problems.append(f"memory: {who} grew {grew / watch.MB:.1f} MB")
            if more > FILES_GROWTH:
                self.problems.append(f"memory: {who} holds {more} more open files")

    def _judge_files(self) -> None:
        most = self.size.keep + self.size.keep_days
        for sample in self.samples:
            if sample.backups > most:
                self.problems.append(f"files: {sample.backups} backups, {most} at most")
            if sample.others:
                self.problems.append(f"files: left behind: {sample.others[:3]}")
        if self.wal > WAL_MOST:
            self.problems.append(
                f"files: the -wal grew to {self.wal / watch.MB:.0f} MB"
            )

    def _judge_rows(self) -> None:
        """Money, mails, what is old and clocks, after one reconciliation."""
        from sqlalchemy import text

        from portal.privacy.retention_service import what_is_due

        self.shop.reconcile()
        self.problems += [f"verify: {each}" for each in self.shop.problems()]
        with self.shop.app.app_context(), self.shop.db.engine.connect() as connection:
            self.clocks, clocks = watch.clock_problems(connection)
            waiting = connection.scalar(
                text("SELECT COUNT(*) FROM outbox WHERE state = 'pending'")
            )
            broken = connection.scalar(
                text("SELECT COUNT(*) FROM outbox WHERE kind = 'alert.invariants'")
            )
            self.gone = int(
                connection.scalar(
                    text(
                        "SELECT COUNT(*) FROM contacts "
                        "WHERE pseudonymised_at IS NOT NULL"
                    )
                )
                or 0
            )
            old = sum(what_is_due(self.shop.clock.utcnow()).values())
        self.problems += [f"clocks: {each}" for each in clocks]
        if waiting or self.mails.again:
            self.problems.append(
                f"mails: {waiting} wait, {self.mails.again} came twice"
            )
        if broken:
            self.problems.append(f"verify: {broken} nightly checks found something")
        if old or self.gone < OLD_ORDERS * self.size.days:
            self.problems.append(f"retention: {old} left, {self.gone} gone")
        self.paid = self.shop.paid()


def _of(backups: Sequence[Path]) -> tuple[str, ...]:
    """Each backup and its digest, as they lie in the folder."""
    return tuple(f"respaldos/{path.name}" for path in backups)


def _at(day: date, wall: hour_of) -> datetime:
    return datetime.combine(day, wall, tzinfo=ZONE).astimezone(UTC)


def _steps(begin: datetime, end: datetime) -> Iterator[datetime]:
    chance = random.Random(20270329)
    now = begin
    while now < end:
        yield now
        day = DESK <= local(now).time() < NIGHT
        jitter = timedelta(seconds=chance.uniform(0.0, JITTER_SECONDS))
        now += (DAY_STEP if day else NIGHT_STEP) + jitter


@contextmanager
def _stack(size: Size, leak: str) -> Iterator[Soak]:
    """A shop with backups and a mail server of its own."""
    from fake_smtp import FakeSmtp

    with folder() as path, FakeSmtp() as smtp:
        smtp.received = mails = Counted()
        _serve(smtp)
        stack = Stack(path, f"sqlite:///{path}/portal.sqlite3")
        stack.environment |= {
            "SMTP_URL": smtp.url,
            "BACKUP_HOURS": "1",
            "BACKUP_DIR": str(path / "respaldos"),
            "BACKUP_KEEP": str(size.keep),
            "BACKUP_DAYS": str(size.keep_days),
            "TMPDIR": str(path),
        }
        with (stack.tree / "wsgi.py").open("a") as program:
            program.write(leak)
        try:
            yield Soak(
                size, stack, Shop(stack), mails, "control" if leak else "semanas"
            )
        finally:
            stack.stop()
            smtp.shutdown()


def _serve(smtp: Any) -> None:
    from threading import Thread

    Thread(target=smtp.serve_forever, daemon=True).start()


def soak(size: Size, leak: str = "") -> Soak:
    """The weeks, judged."""
    with _stack(size, leak) as weeks:
        weeks.age_orders()
        move_to(weeks.begin)
        weeks.busy.hire()
        weeks.stack.start(worker=False)
        weeks.live()
        weeks.judge()
    return weeks


def control() -> tuple[set[str], int, float]:
    """Without rotation, and with a list that grows.

    The words of what was found, how many backups lie there, and the server's growth in
    megabytes.
    """
    with mock.patch("portal.backups.service._rotate"):
        weeks = soak(REDUCED, _LEAK)
    words = {each.partition(":")[0] for each in weeks.problems}
    return words, weeks.samples[-1].backups, weeks.grew[0] / watch.MB


def run(full: bool) -> Line:
    """The soak, and its control at the reduced size."""
    began = time.monotonic()
    size = FULL if full else REDUCED
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        spoilt = pool.submit(control)
        weeks = soak(size)
        words, backups, grew = spoilt.result()
    for problem in weeks.problems[:40]:
        print(problem)
    counts, last = weeks.busy.counts, weeks.samples[-1]
    server, worker = (grew / watch.MB for grew in weeks.grew)
    return Line(
        "dos semanas virtuales",
        f"{size.days} días: {counts.orders} pedidos, {weeks.paid} pagados, "
        f"{counts.acts} actos, {counts.polls} preguntas, {len(weeks.mails.seen)} "
        f"correos, {weeks.clocks} relojes: {len(weeks.problems)} diferencias; memoria "
        f"{server:+.1f} MB (servidor, termina en {last.server / watch.MB:.0f}) y "
        f"{worker:+.1f} MB (trabajador); archivos abiertos {weeks.opened[0]:+d} y "
        f"{weeks.opened[1]:+d}; {last.backups} respaldos; -wal hasta "
        f"{weeks.wal / watch.MB:.1f} MB; lo diario, a más tardar {weeks.late:.1f} min "
        "después de su hora",
        f"0; menos de {MEMORY_GROWTH // watch.MB} MB; {size.keep + size.keep_days} "
        "respaldos",
        f"{REDUCED.days} días sin rotación y con una lista que crece: {backups} "
        f"respaldos de {REDUCED.keep + REDUCED.keep_days}, {grew:+.1f} MB",
        not weeks.problems and words == {"memory", "files"},
        time.monotonic() - began,
    )
