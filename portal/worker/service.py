"""The worker: what is done again and again, one job after the other."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, time, timedelta
from threading import Event, Thread

from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError

from portal import clock
from portal.audit import service as audit_service
from portal.audit import watch_service as machine_service
from portal.backups import service as backups_service
from portal.config import Settings
from portal.db import transaction
from portal.mail import service as mail_service
from portal.mail.mails import Renderers
from portal.payments import cancellations, notifications, reconcile, refunds
from portal.payments.gateways import Gateways
from portal.payments.states import MERCADOPAGO, WEBPAY
from portal.support import (
    days_service,
    drafts_service,
    promise_service,
    remote_service,
)
from portal.support import service as support_service
from portal.worker import turns_service as turns
from portal.worker.models import WorkerHeartbeat
from portal.worker.rules import SINGLE_LANES, Job, Schedule, lanes

SEND_MAIL_SECONDS = 2
BEAT_SECONDS = 10
DAY_SECONDS = 24 * 60 * 60
# Santiago, when the desk is closed; after the backup of the hour, which then holds what
# the check looked at, and minutes apart, for they are of one lane.
VERIFY_AT = time(4, 10)
LOOK_AT_DATABASE_AT = time(4, 20)
LOOK_OUTSIDE_AT = time(4, 30)
LOOK_AT_DISK_SECONDS = 10 * 60
PAUSE_SECONDS = 1.0
# A round of questions to gateways that hang takes minutes; no job takes this long.
HUNG_JOB_SECONDS = 30 * 60

_log = logging.getLogger(__name__)


def make_jobs(
    settings: Settings, renderers: Renderers, gateways: Gateways
) -> tuple[Job, ...]:
    """Everything that the worker does. A new job is one more line here."""

    def send_mail(now: datetime) -> None:
        mail_service.send_due(renderers, settings, now=now)

    def back_up(now: datetime) -> None:
        backups_service.make_scheduled(settings, now)

    def expire_orders(now: datetime) -> None:
        reconcile.expire_due(now=now)

    hours = settings.backup_hours
    backups = (Job("back up", hours * 3600, back_up, "audit", True),) if hours else ()
    return (
        *backups,
        Job("beat", BEAT_SECONDS, beat),
        Job("end clocks", 1, support_service.time_out_due),
        Job("wipe remote codes", 2, remote_service.wipe_codes),
        Job("mark missed promises", 1, promise_service.mark_missed),
        Job("wipe old drafts", 600, drafts_service.wipe_old),
        Job("send mail", SEND_MAIL_SECONDS, send_mail, "mail"),
        *_gateway_jobs(gateways),
        Job("expire orders", 10, expire_orders),
        Job("follow the day", 10, days_service.follow_the_day),
        _daily("verify the invariants", VERIFY_AT, audit_service.verify),
        *_machine_jobs(settings, gateways),
    )


def _daily(name: str, at: time, run: Callable[[datetime], object]) -> Job:
    return Job(name, DAY_SECONDS, run, "audit", True, at)


def _gateway_jobs(gateways: Gateways) -> tuple[Job, ...]:
    """A lane a gateway: one that hangs never holds up the questions to the other."""

    def read_notified(now: datetime) -> None:
        notifications.process_due(gateways, now=now)

    def ask(gateway: str) -> Callable[[datetime], object]:
        return lambda now: reconcile.reconcile_due(gateways, now=now, gateway=gateway)

    def give_back(gateway: str) -> Callable[[datetime], object]:
        return lambda now: refunds.follow_due(gateways, now=now, gateway=gateway)

    def close_preferences(now: datetime) -> None:
        reconcile.close_preferences(gateways, now=now)

    def cancel_pending(now: datetime) -> None:
        cancellations.cancel_pending(gateways, now=now)

    return (
        Job("read what was notified", 5, read_notified, MERCADOPAGO),
        Job("ask Mercado Pago", 5, ask(MERCADOPAGO), MERCADOPAGO),
        Job("refunds at Mercado Pago", 5, give_back(MERCADOPAGO), MERCADOPAGO),
        Job("call off pending payments", 30, cancel_pending, MERCADOPAGO),
        Job("close paid preferences", 15, close_preferences, MERCADOPAGO),
        Job("ask Webpay", 5, ask(WEBPAY), WEBPAY),
        Job("refunds at Webpay", 5, give_back(WEBPAY), WEBPAY),
    )


def _machine_jobs(settings: Settings, gateways: Gateways) -> tuple[Job, ...]:
    """Looking at what the portal stands on."""

    def look_at_disk(now: datetime) -> None:
        machine_service.look_at_disk(settings, now=now)

    def look_at_database(now: datetime) -> None:
        machine_service.look_at_database(now=now)

    def look_outside(now: datetime) -> None:
        machine_service.look_outside(gateways, settings, now=now)

    return (
        Job("look at the disk", LOOK_AT_DISK_SECONDS, look_at_disk, "audit"),
        _daily("look at the database", LOOK_AT_DATABASE_AT, look_at_database),
        _daily("look outside", LOOK_OUTSIDE_AT, look_outside),
    )


def beat(now: datetime) -> None:
    """Say that this worker works; who has not said so for a day is forgotten."""
    with transaction() as session:
        row = session.get(WorkerHeartbeat, turns.own_name())
        if row is None:
            session.add(WorkerHeartbeat(name=turns.own_name(), at=now))
        else:
            row.at = now
        gone = WorkerHeartbeat.at < now - timedelta(seconds=DAY_SECONDS)
        session.execute(delete(WorkerHeartbeat).where(gone))


def run_job(job: Job) -> bool:
    """Run a job on the present instant; whether it went well.

    One that raises is logged and does not stop the others, nor itself the next time.
    What another worker does, or did, is left alone.
    """
    now, me = clock.utcnow(), turns.own_name()
    try:
        if job.lane in SINGLE_LANES and not turns.lead(job.lane, now, me):
            return True
        if job.once and not turns.take_turn(job.name, job.newest_point(now), now, me):
            return True
        well = _try(job, now)
        if job.once:
            turns.end_turn(job.name, now, clock.utcnow(), me, well=well)
    except Exception:
        _log.exception("whose turn %r is could not be told", job.name)
        return False
    return well


def _try(job: Job, now: datetime) -> bool:
    try:
        job.run(now)
    except Exception:
        _log.exception("the job %r failed", job.name)
        return False
    return True


def work_in_lanes(
    jobs: tuple[Job, ...],
    stop: Event,
    in_context: Callable[[], AbstractContextManager[object]],
    give_sign: Callable[[], object] = lambda: None,
) -> None:
    """Work through each lane in a thread of its own until `stop` is set.

    `give_sign` is called every second for as long as each lane goes on with its work: a
    job that hangs silences it, and the watchdog ends the process.
    """
    seen = dict.fromkeys(lanes(jobs), clock.monotonic())

    def work_through(lane: tuple[Job, ...]) -> None:
        work(lane, stop, in_context, lambda: seen.update({lane: clock.monotonic()}))

    threads = [Thread(target=work_through, args=(lane,)) for lane in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            if clock.monotonic() - min(seen.values()) < HUNG_JOB_SECONDS:
                give_sign()
            thread.join(PAUSE_SECONDS)
    with in_context(), suppress(DBAPIError):
        turns.leave(turns.own_name())


def work(
    jobs: tuple[Job, ...],
    stop: Event,
    in_context: Callable[[], AbstractContextManager[object]],
    goes_on: Callable[[], object] = lambda: None,
) -> None:
    """Work until `stop` is set; a job that has begun is finished first.

    `in_context` opens a fresh context for each job, with a session of its own.
    """
    schedule = Schedule(jobs)
    while not stop.is_set():
        goes_on()
        job = schedule.next(clock.monotonic())
        if job is None:
            stop.wait(PAUSE_SECONDS)
            continue
        with in_context():
            run_job(job)
