"""`/salud` tells a monitor the truth."""

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.backups import rules as backups
from portal.db import transaction
from portal.journal.service import SYSTEM, record
from portal.mail.service import enqueue
from portal.worker import queries, service


@pytest.mark.postgres
def test_all_well(session: Session, client: FlaskClient, clock: FrozenClock) -> None:
    service.beat(clock.now)
    clock.advance(seconds=7)
    response = client.get("/salud")
    assert response.status_code == 200
    assert response.json == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "worker_age_seconds": 7,
        "outbox_oldest_seconds": None,
        "backup_age_seconds": None,
    }


def test_worker_that_never_ran_reads_degraded(client: FlaskClient) -> None:
    response = client.get("/salud")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert response.json["worker_age_seconds"] is None


def test_worker_that_stopped_reads_degraded(
    session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    service.beat(clock.now)
    clock.advance(seconds=59)
    assert client.get("/salud").json["status"] == "ok"
    clock.advance(seconds=1)
    response = client.get("/salud")
    assert (response.status_code, response.json["status"]) == (200, "degraded")


@pytest.mark.postgres
def test_mail_that_is_stuck_reads_degraded(
    session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    with transaction() as writing:
        enqueue(writing, kind="test.mail", now=TUESDAY_NOON)
    clock.advance(minutes=10)
    service.beat(clock.now)
    response = client.get("/salud")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert response.json["outbox_oldest_seconds"] == 600


def test_mail_put_off_on_purpose_is_not_stuck(
    session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    later = TUESDAY_NOON + timedelta(hours=3)
    with transaction() as writing:
        enqueue(writing, kind="test.mail", now=TUESDAY_NOON, send_at=later)
    clock.advance(hours=2)
    service.beat(clock.now)
    assert client.get("/salud").json["outbox_oldest_seconds"] is None


def test_backups_that_stopped_read_degraded(
    app: Flask, session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    """Where they are made at all: the demo makes none, and is well."""

    def status() -> str:
        service.beat(clock.now)
        return str(client.get("/salud").json["status"])

    assert status() == "ok"
    made = app.extensions["portal_settings"]
    app.extensions["portal_settings"] = replace(made, backup_hours=1)
    assert status() == "degraded"
    with transaction() as writing:
        about = {"actor": SYSTEM, "object_kind": backups.OBJECT, "object_id": 0}
        record(writing, at=clock.now, action=backups.MADE, **about)
    clock.advance(hours=26, seconds=-1)
    assert status() == "ok"
    clock.advance(seconds=1)
    assert status() == "degraded"


@pytest.mark.postgres
def test_database_behind_the_program_is_503(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = queries.expected_heads() | {"newer"}
    monkeypatch.setattr(queries, "expected_heads", lambda: newer)
    response = client.get("/salud")
    assert response.status_code == 503
    assert response.json["migrations"] == "missing"


def test_database_without_migrations_is_503(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "expected_heads", lambda: frozenset({"first"}))
    assert client.get("/salud").status_code == 503


def test_database_out_of_reach_is_503(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session) -> bool:
        raise OperationalError("SELECT 1", {}, Exception("unable to open"))

    monkeypatch.setattr(queries, "migrations_in_place", fail)
    response = client.get("/salud")
    assert response.status_code == 503
    assert response.json["database"] == "down"
