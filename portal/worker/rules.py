"""When a job is due, and when the portal is well. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from portal.clock import ZONE, local
from portal.payments.states import MERCADOPAGO, WEBPAY

STOPPED_WORKER_SECONDS = 60
STUCK_OUTBOX_SECONDS = 10 * 60
# Hourly in production; a day and a bit says that it has stopped.
OLD_BACKUP_SECONDS = 26 * 60 * 60
# How often a worker looks whether a job of all workers is due.
LOOK_SECONDS = 30.0
# Lanes that one worker of all works through.
SINGLE_LANES = frozenset({MERCADOPAGO, WEBPAY})
# A restart takes seconds: after so long without a sign the owner is mailed.
MUTE_SECONDS = 5 * 60
MUTE_WORDS = (
    "El portal no puede leer o escribir su base de datos. Mientras tanto no se puede "
    "vender ni atender.\n\nQué hacer: pida a quien mantiene el servidor que revise "
    "ahora el disco y la base. La dirección /salud dice cuándo está bien otra vez.\n"
)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)

Status = Literal["ok", "degraded"]


@dataclass(frozen=True)
class Job:
    """Something done again and again: `run` gets the present instant.

    Jobs of one lane follow one another; a lane that waits for the network (gateways,
    mail) never holds up the clocks of the desk. What is `once` is done by one worker of
    all, at every multiple of its pause (UTC) or, with `at`, each day at that hour of
    Santiago: at points that stand still, so that no late turn makes the next one late.
    """

    name: str
    every_seconds: float
    run: Callable[[datetime], object]
    lane: str = "desk"
    once: bool = False
    at: time | None = None

    def newest_point(self, now: datetime) -> datetime:
        """The last instant until `now` (UTC) from which one worker of all owes a turn.

        One turn is owed, however many points went by unseen.
        """
        if self.at is not None:
            return _last_daily(self.at, now)
        return now - (now - _ORIGIN) % timedelta(seconds=self.every_seconds)


def _last_daily(at: time, now: datetime) -> datetime:
    """When it was last `at` o'clock in Santiago: one instant for each day there.

    An hour that the clocks repeat is taken the first time; one that they leave out, as
    if they had not been changed yet.
    """
    today = local(now).date()
    point = datetime.combine(today, at, tzinfo=ZONE).astimezone(UTC)
    if point <= now:
        return point
    yesterday = today - timedelta(days=1)
    return datetime.combine(yesterday, at, tzinfo=ZONE).astimezone(UTC)


class Schedule:
    """Which job comes next at which second of a clock that only grows."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._due = dict.fromkeys(self._jobs, 0.0)

    def next(self, second: float) -> Job | None:
        """The job that waits longest, to be run now; None when none is due.

        Its next turn comes after its pause, so a slow job never keeps the others out.
        """
        if not self._due:
            return None
        name = min(self._due, key=lambda name: self._due[name])
        if self._due[name] > second:
            return None
        job = self._jobs[name]
        pause = min(job.every_seconds, LOOK_SECONDS) if job.once else job.every_seconds
        self._due[name] = second + pause
        return self._jobs[name]


def seconds_since(instant: datetime | None, now: datetime) -> int | None:
    """Whole seconds, never negative: a demo's clock may be moved back."""
    if instant is None:
        return None
    return max(0, int((now - instant).total_seconds()))


def is_stopped(worker_age: int | None) -> bool:
    """Whether a worker whose last sign is so many seconds old has stopped."""
    return worker_age is None or worker_age >= STOPPED_WORKER_SECONDS


def is_stuck(outbox_age: int | None) -> bool:
    """Whether a mail that should be out has waited too long."""
    return outbox_age is not None and outbox_age >= STUCK_OUTBOX_SECONDS


def is_old_backup(backup_age: int | None) -> bool:
    """Whether there is no backup, or none of today."""
    return backup_age is None or backup_age >= OLD_BACKUP_SECONDS


def judge(
    worker_age: int | None,
    outbox_age: int | None,
    backup_age: int | None = None,
    *,
    backups_expected: bool = False,
) -> Status:
    """Degraded when no worker works, a mail is stuck or backups have stopped."""
    old = backups_expected and is_old_backup(backup_age)
    return "degraded" if is_stopped(worker_age) or is_stuck(outbox_age) or old else "ok"


def is_mute(beat: datetime | None, now: datetime) -> bool:
    """Whether the worker's last sign is so old that it must have stopped."""
    return beat is None or (now - beat).total_seconds() >= MUTE_SECONDS


def lanes(jobs: tuple[Job, ...]) -> list[tuple[Job, ...]]:
    """The jobs by lane, each lane to be worked through by a thread of its own."""
    names = dict.fromkeys(job.lane for job in jobs)
    return [tuple(job for job in jobs if job.lane == name) for name in names]
