"""The outbox is emptied: nothing lost, nothing twice but in the one honest window."""

import logging
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from fake_smtp import FAULTS, OK, FakeSmtp, serving
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.db import in_transaction, transaction
from portal.mail import service
from portal.mail.mails import RenderContext, Renderers
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files, oldest_waiting
from portal.mail.rules import Mail
from portal.mail.service import SendReport, enqueue, send_due

NOW = TUESDAY_NOON
A_ROUND = timedelta(minutes=61)


def write(context: RenderContext, row: OutboxRow) -> Mail | None:
    assert not in_transaction()
    return Mail("ana@x.cl", f"Correo {row.key}", "Texto", "<p>Texto</p>")


RENDERERS: Renderers = {"test.mail": write, "alert.mail": write}


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SMTP_TIMEOUT_SECONDS", 1.0)
    logging.getLogger("portal.mail.service").setLevel(logging.ERROR)


def put(count: int = 1, kind: str = "test.mail", **values: object) -> None:
    with transaction() as session:
        for number in range(count):
            key = str(number)
            enqueue(session, **{"kind": kind, "now": NOW, "key": key, **values})


def only_row(session: Session) -> OutboxRow:
    session.rollback()
    return session.scalars(select(OutboxRow)).one()


def states(session: Session) -> Counter[str]:
    session.rollback()
    return Counter(session.scalars(select(OutboxRow.state)))


@pytest.mark.postgres
def test_ten_times_asked_is_one_row(session: Session) -> None:
    for _ in range(10):
        put()
    assert states(session) == {"pending": 1}


def test_without_smtp_a_mail_is_a_whole_file(
    session: Session, settings: Settings
) -> None:
    put()
    assert send_due(RENDERERS, settings, now=NOW) == SendReport(sent=1)
    row = only_row(session)
    assert (row.state, row.tries, row.sent_at) == ("sent", 1, NOW)
    assert row.body_sha256 is not None
    assert [path.suffix for path in settings.mail_dir.iterdir()] == [".eml"]
    file = list_files(settings.mail_dir)[0]
    assert (file.to, file.subject, file.message_id) == (
        "ana@x.cl",
        "Correo 0",
        row.message_id,
    )
    assert send_due(RENDERERS, settings, now=NOW) == SendReport()


@pytest.mark.postgres
def test_mail_goes_out_by_smtp_once(
    session: Session, settings: Settings, smtp: FakeSmtp
) -> None:
    put(3)
    over_smtp = replace(settings, smtp_url=smtp.url)
    assert send_due(RENDERERS, over_smtp, now=NOW) == SendReport(sent=3)
    assert send_due(RENDERERS, over_smtp, now=NOW + A_ROUND) == SendReport()
    assert len(set(smtp.message_ids())) == len(smtp.received) == 3
    assert smtp.received[0]["To"] == "ana@x.cl"


def test_smtp_user_logs_in(
    session: Session, settings: Settings, smtp: FakeSmtp
) -> None:
    put()
    url = smtp.url.replace("smtp://", "smtp://ana%40x.cl:clave@")
    send_due(RENDERERS, replace(settings, smtp_url=url), now=NOW)
    assert smtp.credentials == ["AUTH PLAIN AGFuYUB4LmNsAGNsYXZl"]


def test_smtp_without_starttls_gets_no_mail_when_it_was_asked_for(
    session: Session, settings: Settings, smtp: FakeSmtp
) -> None:
    put()
    url = smtp.url.replace("smtp://", "smtp+starttls://")
    report = send_due(RENDERERS, replace(settings, smtp_url=url), now=NOW)
    assert (report.failed, smtp.received) == (1, [])


def test_mail_put_off_waits_for_its_hour(session: Session, settings: Settings) -> None:
    put(send_at=NOW + timedelta(seconds=10))
    assert oldest_waiting(session, NOW) is None
    assert send_due(RENDERERS, settings, now=NOW) == SendReport()
    later = NOW + timedelta(seconds=10)
    assert send_due(RENDERERS, settings, now=later) == SendReport(sent=1)


@pytest.mark.postgres
def test_contradicted_mail_is_withdrawn_and_may_be_asked_again(
    session: Session, settings: Settings
) -> None:
    put()
    nothing: Renderers = {"test.mail": lambda _context, _row: None}
    assert send_due(nothing, settings, now=NOW) == SendReport(withdrawn=1)
    assert send_due(RENDERERS, settings, now=NOW + A_ROUND) == SendReport()
    put(send_at=NOW + A_ROUND)
    assert send_due(RENDERERS, settings, now=NOW + A_ROUND) == SendReport(sent=1)
    put()
    assert send_due(RENDERERS, settings, now=NOW + 2 * A_ROUND) == SendReport()


def test_act_done_again_after_an_undo_waits_anew(
    session: Session, settings: Settings
) -> None:
    put(send_at=NOW + timedelta(seconds=10))
    put(send_at=NOW + timedelta(seconds=18))
    assert only_row(session).next_at == NOW + timedelta(seconds=18)


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_keeps_the_mail_and_waits(
    session: Session, settings: Settings, fault: str
) -> None:
    put()
    plan = iter([fault, OK])
    with serving(lambda: next(plan)) as smtp:
        over_smtp = replace(settings, smtp_url=smtp.url)
        assert send_due(RENDERERS, over_smtp, now=NOW) == SendReport(failed=1)
        row = only_row(session)
        assert (row.state, row.tries) == ("pending", 1)
        assert row.leased_until is None
        assert row.next_at == NOW + timedelta(minutes=1)
        assert row.last_error is not None
        assert "ana" not in row.last_error
        assert send_due(RENDERERS, over_smtp, now=NOW) == SendReport()
        later = NOW + timedelta(minutes=1)
        assert send_due(RENDERERS, over_smtp, now=later) == SendReport(sent=1)
        # Kept twice only where the server hid that it had it, under one Message-ID.
        assert len(smtp.received) == (2 if fault == "drop" else 1)
        assert len(set(smtp.message_ids())) == 1


@pytest.mark.parametrize("goodbye", ["rude", "421"])
def test_server_s_goodbye_changes_nothing(
    session: Session, settings: Settings, goodbye: str
) -> None:
    put()
    with serving(lambda: goodbye) as smtp:
        over_smtp = replace(settings, smtp_url=smtp.url)
        assert send_due(RENDERERS, over_smtp, now=NOW) == SendReport(sent=1)
        assert len(smtp.received) == 1


def test_message_id_outlives_a_change_of_the_sender(
    session: Session, settings: Settings
) -> None:
    put()
    closed = replace(settings, smtp_url="smtp://127.0.0.1:1")
    send_due(RENDERERS, closed, now=NOW)
    first = only_row(session).message_id
    moved = replace(settings, mail_from="otra@example.cl")
    assert send_due(RENDERERS, moved, now=NOW + A_ROUND) == SendReport(sent=1)
    assert only_row(session).message_id == first
    assert list_files(settings.mail_dir)[0].message_id == first


def test_nobody_at_the_address_of_the_server(
    session: Session, settings: Settings
) -> None:
    put(10)
    closed = replace(settings, smtp_url="smtp://127.0.0.1:1")
    # Three failures in a row are enough to leave a dead server alone.
    assert send_due(RENDERERS, closed, now=NOW) == SendReport(failed=3)
    assert states(session) == {"pending": 10}


def test_owner_is_told_once_after_the_third_failure(
    session: Session, settings: Settings
) -> None:
    put(kind="test.broken", order_id=4)

    def moments() -> Iterator[timedelta]:
        for number in range(8):
            yield number * A_ROUND

    for moment in moments():
        send_due(RENDERERS, settings, now=NOW + moment)
    session.rollback()
    broken, alert = session.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    assert (broken.state, broken.tries) == ("pending", 8)
    assert broken.last_error == "no renderer for test.broken"
    assert (alert.kind, alert.key, alert.order_id) == ("alert.mail", str(broken.id), 4)
    assert alert.state == "sent"


def test_alert_that_fails_raises_no_alert(session: Session, settings: Settings) -> None:
    put(kind="alert.mail")
    for number in range(5):
        send_due({}, settings, now=NOW + number * A_ROUND)
    assert only_row(session).tries == 5


def test_mail_that_cannot_be_written_does_not_stop_the_others(
    session: Session, settings: Settings
) -> None:
    put(6)

    def fails(context: RenderContext, row: OutboxRow) -> Mail | None:
        if row.key in ("0", "2"):
            raise KeyError("María Soto")
        return write(context, row)

    report = send_due({"test.mail": fails}, settings, now=NOW)
    assert report == SendReport(sent=4, failed=2)
    session.rollback()
    errors = session.scalars(select(OutboxRow.last_error).where(OutboxRow.tries == 1))
    assert "KeyError" in errors.all()


def test_mail_with_two_addresses_is_not_sent(
    session: Session, settings: Settings
) -> None:
    put()
    two: Renderers = {"test.mail": lambda _c, _r: Mail("a@x.cl, b@x.cl", "S", "T")}
    assert send_due(two, settings, now=NOW) == SendReport(failed=1)


@pytest.mark.postgres
def test_crash_after_the_server_s_yes_repeats_under_the_same_id_after_the_lease(
    session: Session,
    settings: Settings,
    smtp: FakeSmtp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put()
    over_smtp = replace(settings, smtp_url=smtp.url)

    def crash(*_args: object, **_values: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(service, "_mark", crash)
        with pytest.raises(SystemExit):
            send_due(RENDERERS, over_smtp, now=NOW)
    soon = NOW + timedelta(minutes=4)
    assert send_due(RENDERERS, over_smtp, now=soon) == SendReport()
    after = NOW + timedelta(minutes=5)
    assert send_due(RENDERERS, over_smtp, now=after) == SendReport(sent=1)
    first, second = smtp.message_ids()
    assert first == second
    assert smtp.received[0].as_bytes() == smtp.received[1].as_bytes()


def test_database_out_of_reach_is_no_failure_of_the_mail(
    session: Session, settings: Settings
) -> None:
    put()

    def busy(_context: RenderContext, _row: OutboxRow) -> Mail | None:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    with pytest.raises(OperationalError):
        send_due({"test.mail": busy}, settings, now=NOW)
    assert only_row(session).tries == 0
    assert send_due(RENDERERS, settings, now=NOW + service.LEASE).sent == 1


@pytest.mark.postgres
def test_four_workers_at_once_send_each_mail_once(
    app: Flask, session: Session, settings: Settings, smtp: FakeSmtp
) -> None:
    put(40)
    over_smtp = replace(settings, smtp_url=smtp.url)
    start = threading.Barrier(4)
    reports: list[SendReport] = []

    def work() -> None:
        with app.app_context():
            start.wait()
            reports.append(send_due(RENDERERS, over_smtp, now=NOW, limit=40))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.sent for report in reports) == 40
    assert len(set(smtp.message_ids())) == len(smtp.received) == 40
    assert states(session) == {"sent": 40}


def test_two_hundred_mails_through_a_server_that_fails_three_in_ten(
    session: Session, settings: Settings, clock: FrozenClock
) -> None:
    put(200)
    dice = random.Random(20261124)

    def plan() -> str:
        if dice.random() >= 0.3:
            return OK
        return dice.choices(FAULTS, weights=(9, 1, 9, 5, 5, 5))[0]

    with serving(plan) as smtp:
        over_smtp = replace(settings, smtp_url=smtp.url)
        for _ in range(200):
            send_due(RENDERERS, over_smtp, now=clock.now, limit=50)
            left = states(session)["pending"]
            if not left:
                break
            clock.advance(minutes=61)
        delivered = Counter(smtp.message_ids())
        faults = Counter(smtp.met)
    assert states(session)["pending"] == 0
    session.rollback()
    ids = session.scalars(
        select(OutboxRow.message_id).where(OutboxRow.kind == "test.mail")
    ).all()
    assert len(set(ids)) == 200
    assert set(delivered) >= set(ids)
    # Twice only where the server dropped the line after it had taken the mail.
    assert sum(delivered.values()) - len(delivered) <= faults["drop"]
    assert all(faults[fault] for fault in FAULTS)


def test_half_a_file_is_never_seen(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()

    def no_space(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", no_space)
        assert send_due(RENDERERS, settings, now=NOW) == SendReport(failed=1)
    assert list_files(settings.mail_dir) == []
    later = NOW + A_ROUND
    assert send_due(RENDERERS, settings, now=later) == SendReport(sent=1)
    assert len(list(settings.mail_dir.iterdir())) == 1
