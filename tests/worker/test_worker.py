"""The worker works on, whatever one job does, and stops when it is told to."""

import logging
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from conftest import SECRET_KEY, TUESDAY_NOON, FrozenClock
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.db import transaction
from portal.mail.models import OutboxRow
from portal.mail.service import enqueue
from portal.worker import service
from portal.worker.models import WorkerHeartbeat
from portal.worker.rules import Job
from portal.worker.turns_service import own_name

ROOT = Path(__file__).resolve().parent.parent.parent


def test_job_that_raises_is_logged_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture, clock: FrozenClock
) -> None:
    ran: list[str] = []
    stop = Event()

    def breaks(_now: datetime) -> None:
        ran.append("breaks")
        raise ValueError("poison")

    def works(_now: datetime) -> None:
        ran.append("works")
        if len(ran) >= 6:
            stop.set()

    jobs = (Job("breaks", 0, breaks), Job("works", 0, works))
    with caplog.at_level(logging.ERROR):
        service.work(jobs, stop, nullcontext)
    assert ran == ["breaks", "works"] * 3
    assert "the job 'breaks' failed" in caplog.text


def test_job_that_has_begun_is_finished_before_stopping(clock: FrozenClock) -> None:
    stop = Event()
    finished: list[datetime] = []

    def told_to_stop_meanwhile(now: datetime) -> None:
        stop.set()
        finished.append(now)

    service.work((Job("slow", 1, told_to_stop_meanwhile),), stop, nullcontext)
    assert finished == [TUESDAY_NOON]


def test_each_job_gets_the_instant_of_a_clock_that_moves(clock: FrozenClock) -> None:
    seen: list[datetime] = []
    assert service.run_job(Job("look", 1, seen.append))
    clock.advance(days=-3)
    assert service.run_job(Job("look", 1, seen.append))
    assert seen == [TUESDAY_NOON, TUESDAY_NOON - timedelta(days=3)]


@pytest.mark.postgres
def test_beat_keeps_one_row(session: Session) -> None:
    service.beat(TUESDAY_NOON)
    service.beat(TUESDAY_NOON + timedelta(seconds=10))
    session.rollback()
    beats = session.scalars(select(WorkerHeartbeat)).all()
    assert [beat.at for beat in beats] == [TUESDAY_NOON + timedelta(seconds=10)]


def test_its_jobs_beat_and_send_mail(
    app: Flask, session: Session, settings: Settings
) -> None:
    with transaction() as writing:
        enqueue(writing, kind="unknown", now=TUESDAY_NOON)
    for job in service.make_jobs(
        settings, app.extensions["mail_renderers"], app.extensions["portal_gateways"]
    ):
        assert service.run_job(job)
    session.rollback()
    assert session.scalars(select(WorkerHeartbeat.name)).all() == [own_name()]
    assert session.scalars(select(OutboxRow.tries)).all() == [1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_works_until_a_signal(
    session: Session, settings: Settings, number: signal.Signals
) -> None:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": SECRET_KEY,
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "The worker has started.\n"
        process.send_signal(number)
        assert process.stdout.read() == "The worker has stopped.\n"
    assert process.returncode == 0
