"""The server watches the worker, and says so when nothing else can."""

from datetime import timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from support_cases import add_staff

from portal.db import transaction
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.mail.service import enqueue
from portal.web import settings_of
from portal.worker import service, watch_service
from portal.worker.watch_service import Watch


@pytest.fixture
def watch(app: Flask, session: Session) -> Watch:
    with transaction() as writing:
        add_staff(writing, "Elena", "owner")
    service.beat(TUESDAY_NOON)
    return Watch(settings_of(app), app.extensions["mail_renderers"])


def subjects(watch: Watch) -> list[str]:
    return [mail.subject for mail in list_files(watch.settings.mail_dir)]


@pytest.mark.postgres
def test_owner_is_mailed_once_of_a_worker_that_stopped(
    watch: Watch, session: Session, clock: FrozenClock
) -> None:
    with transaction() as writing:
        enqueue(writing, kind="check.mail", key="x", now=clock.now)
    clock.advance(minutes=4, seconds=59)
    for _ in range(3):
        watch.look(clock.now)
    assert subjects(watch) == []
    clock.advance(seconds=1)
    watch.look(clock.now)
    assert subjects(watch) == []  # a clock that jumped would look like this
    for _ in range(3):
        watch.look(clock.now)
    # The other mail waits for the worker: the server sends this kind alone.
    assert subjects(watch) == ["El trabajo de fondo del portal se detuvo"]
    text = list_files(watch.settings.mail_dir)[0].text
    assert "martes 24 de noviembre" in text or "24-11" in text
    service.beat(clock.now)
    watch.look(clock.now)
    assert watch.bad_looks == 0
    clock.advance(hours=1)
    for _ in range(2):
        watch.look(clock.now)
    assert len(subjects(watch)) == 2  # another stop is another mail


def test_mail_is_withdrawn_when_the_worker_came_back(
    watch: Watch, session: Session, clock: FrozenClock
) -> None:
    clock.advance(minutes=6)
    with transaction() as writing:
        enqueue(writing, kind="alert.worker", key="x", now=clock.now)
    service.beat(clock.now)
    sent = watch_service.mail_service.send_due(
        watch.renderers, watch.settings, now=clock.now, kind="alert.worker"
    )
    assert (sent.withdrawn, subjects(watch)) == (1, [])


def test_database_that_takes_nothing_is_told_past_the_outbox(
    watch: Watch,
    session: Session,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(watch_service.mail_service, "enqueue", refuse)
    clock.advance(minutes=6)
    for _ in range(2):
        watch.look(clock.now)
    assert subjects(watch) == []  # one busy moment is no trouble
    for _ in range(3):
        watch.look(clock.now)
    assert subjects(watch) == ["La base de datos del portal no responde"]
    session.rollback()
    kinds = session.scalars(select(OutboxRow.kind)).all()
    assert kinds == []


def test_watch_starts_with_the_first_request_and_once(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    class Recorded:
        def __init__(self, *, target: object, name: str, daemon: bool) -> None:
            assert daemon
            self.name = name

        def start(self) -> None:
            started.append(self.name)

    monkeypatch.setattr(watch_service, "Thread", Recorded)
    watch_service.watch_from_first_request(app, settings_of(app))
    assert started == []
    for _ in range(2):
        assert client.get("/salud").status_code == 200
    assert started == ["watch", "gateways"]
    assert timedelta(seconds=watch_service.LOOK_SECONDS) < timedelta(minutes=5)
