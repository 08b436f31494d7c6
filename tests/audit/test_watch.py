"""The machine: disk, database, certificate and credentials are looked at and told."""

import socket
import ssl
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from conftest import FrozenClock
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_staff

from portal.audit import check_service, watch_queries, watch_rules, watch_service
from portal.audit import service as audit_service
from portal.audit.queries import CHECKS, Broken
from portal.db import db, transaction
from portal.journal.models import JournalEntry
from portal.mail.queries import list_files
from portal.mail.service import send_due
from portal.web import settings_of


def send(app: Flask, now: datetime) -> list[str]:
    """Send what is due; the subjects of every mail so far, newest first."""
    send_due(app.extensions["mail_renderers"], settings_of(app), now=now)
    return [mail.subject for mail in list_files(settings_of(app).mail_dir)]


def troubles(session: Session) -> dict[str, str]:
    session.rollback()
    found = watch_queries.last_findings(session)
    return {kind: it.words for kind, it in found.items() if it.is_trouble}


@pytest.fixture
def owned(session: Session) -> None:
    with transaction() as writing:
        add_staff(writing, "Elena", "owner")


@pytest.mark.postgres
@pytest.mark.usefixtures("owned")
def test_trouble_is_told_once_reminded_weekly_and_cleared(
    app: Flask, session: Session, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [watch_rules.MIN_FREE_BYTES - 1]
    monkeypatch.setattr(watch_queries, "free_bytes", lambda _settings: room[0])
    for _ in range(3):
        watch_service.look_at_disk(settings_of(app), now=clock.now)
    assert send(app, clock.now) == ["Queda poco espacio en el disco"]
    assert troubles(session) == {
        "disk": "Queda menos de 1 GB libre en el disco de la base de datos."
    }
    clock.advance(days=6, hours=23)
    watch_service.look_at_disk(settings_of(app), now=clock.now)
    assert len(send(app, clock.now)) == 1
    clock.advance(hours=1)
    watch_service.look_at_disk(settings_of(app), now=clock.now)
    room[0] += 1
    watch_service.look_at_disk(settings_of(app), now=clock.now)
    assert troubles(session) == {}
    assert len(send(app, clock.now)) == 1  # the reminder is withdrawn: it is well
    lines = session.scalars(
        select(JournalEntry).where(JournalEntry.object_kind == "watch")
    ).all()
    assert [(it.action, it.from_state, it.to_state) for it in lines] == [
        ("watch.found", "well", "trouble"),
        ("watch.cleared", "trouble", "well"),
    ]


def test_room_is_measured_where_the_data_lie(app: Flask, tmp_path: Path) -> None:
    nowhere = replace(settings_of(app), state_dir=tmp_path / "not" / "yet")
    assert watch_queries.free_bytes(nowhere) > 0


@pytest.mark.usefixtures("owned")
def test_damaged_file_is_found(
    app: Flask, session: Session, clock: FrozenClock
) -> None:
    watch_service.look_at_database(now=clock.now)
    assert troubles(session) == {}
    # An index that lacks a row of its table: what quick_check does not forgive.
    connection = session.connection()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET rootpage = 999999 WHERE name = 'orders'"
    )
    session.commit()
    session.close()
    with app.app_context():
        db.engine.dispose()
        found = watch_queries.damage(db.session())
    assert found == "SQLite encontró dañado el archivo de la base de datos."


@pytest.mark.usefixtures("owned")
def test_broken_invariant_stands_until_it_is_mended(
    app: Flask, session: Session, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [Broken(CHECKS[0], (7,))]
    monkeypatch.setattr(audit_service, "broken_invariants", lambda _session: faults)
    audit_service.verify(clock.now)
    assert "1 de las reglas del dinero" in troubles(session)["invariants"]
    faults.clear()
    audit_service.verify(clock.now)
    assert troubles(session) == {}


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (30, ""),
        (21, "vence el 15-12-2026"),
        (1, "vence el 25-11-2026"),
        (-1, "venció el 23-11-2026"),
    ],
)
def test_certificate_is_told_three_weeks_before_its_end(days: int, words: str) -> None:
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    said = watch_rules.certificate_problem(now + timedelta(days=days), now)
    assert (words in said) if words else said == ""


def test_credentials_that_are_refused_are_told_and_silence_is_not(
    app: Flask, session: Session, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"mercadopago": check_service.NO_ANSWER, "webpay": "Las rechaza: revise"}
    monkeypatch.setattr(check_service, "try_gateways", lambda *_a, **_k: said)
    monkeypatch.setattr(watch_service, "_look_at_certificate", lambda *_a: None)
    real = replace(settings_of(app), mode="production")

    def look() -> dict[str, str]:
        watch_service.look_outside(None, real, now=clock.now)  # type: ignore[arg-type]
        return troubles(session)

    assert look() == {"webpay_key": "Las rechaza: revise."}
    said["webpay"] = check_service.NO_ANSWER
    assert look() == {"webpay_key": "Las rechaza: revise."}
    said["webpay"] = check_service.ACCEPTED
    assert look() == {}
    watch_service.look_outside(None, settings_of(app), now=clock.now)  # type: ignore[arg-type]


@pytest.fixture
def tls(tmp_path: Path) -> tuple[int, Path, datetime]:
    """A server with a certificate of its own making: port, certificate, its end."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    ends = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with closing(listening):
            for _ in range(2):
                plain, _address = listening.accept()
                with closing(plain), suppress(OSError):
                    context.wrap_socket(plain, server_side=True).close()

    Thread(target=serve, daemon=True).start()
    return listening.getsockname()[1], file, ends


def test_end_of_a_certificate_is_read_from_the_server_that_shows_it(
    tls: tuple[int, Path, datetime],
) -> None:
    port, file, ends = tls
    trusting = ssl.create_default_context(cafile=str(file))
    assert watch_service.certificate_end("localhost", port, trusting) == ends
    with pytest.raises(ssl.SSLCertVerificationError):
        watch_service.certificate_end("localhost", port)
