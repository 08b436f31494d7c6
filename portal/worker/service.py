"""The worker: what is done again and again, one job after the other."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Event

from portal import clock
from portal.config import Settings
from portal.db import transaction
from portal.mail import service as mail_service
from portal.mail.mails import Renderers
from portal.worker.models import WorkerHeartbeat
from portal.worker.queries import WORKER
from portal.worker.rules import Job, Schedule

SEND_MAIL_SECONDS = 2
BEAT_SECONDS = 10
PAUSE_SECONDS = 1.0

_log = logging.getLogger(__name__)


def make_jobs(settings: Settings, renderers: Renderers) -> tuple[Job, ...]:
    """Everything that the worker does. A new job is one more line here."""

    def send_mail(now: datetime) -> None:
        mail_service.send_due(renderers, settings, now=now)

    return (
        Job("beat", BEAT_SECONDS, beat),
        Job("send mail", SEND_MAIL_SECONDS, send_mail),
    )


def beat(now: datetime) -> None:
    """Say that the worker works."""
    with transaction() as session:
        row = session.get(WorkerHeartbeat, WORKER)
        if row is None:
            session.add(WorkerHeartbeat(name=WORKER, at=now))
        else:
            row.at = now


def run_job(job: Job) -> bool:
    """Run a job on the present instant; whether it went well.

    One that raises is logged and does not stop the others, nor itself the next time.
    """
    try:
        job.run(clock.utcnow())
    except Exception:
        _log.exception("the job %r failed", job.name)
        return False
    return True


def work(
    jobs: tuple[Job, ...],
    stop: Event,
    in_context: Callable[[], AbstractContextManager[object]],
) -> None:
    """Work until `stop` is set; a job that has begun is finished first.

    `in_context` opens a fresh context for each job, with a session of its own.
    """
    schedule = Schedule(jobs)
    while not stop.is_set():
        job = schedule.next(clock.monotonic())
        if job is None:
            stop.wait(PAUSE_SECONDS)
            continue
        with in_context():
            run_job(job)
