"""What the owner reads about money that did not simply pay its order."""

import secrets

import pytest
from conftest import TUESDAY_NOON
from flask import Flask
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff

from portal.config import Settings
from portal.db import transaction
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.mail.service import SendReport, enqueue, send_due
from portal.payments.models import Payment

NOW = TUESDAY_NOON


def put_payment(disposition: str, *, owner: bool = True) -> int:
    with transaction() as session:
        if owner:
            add_staff(session, "Elena", "owner")
        order = add_order(session, now=NOW)
        payment = Payment(
            order_id=order.id,
            gateway="webpay",
            state="approved",
            disposition=disposition,
            amount=19_990,
            buy_order=secrets.token_hex(8),
            seed=secrets.token_hex(16),
            reference_hash=secrets.token_hex(32),
            gateway_payment_id="123456",
            created_at=NOW,
            approved_at=NOW,
        )
        session.add(payment)
        session.flush()
        enqueue(
            session,
            kind="alert.payment",
            order_id=order.id,
            key=f"{disposition}-{payment.id}",
            now=NOW,
        )
        return payment.id


@pytest.mark.parametrize(
    ("disposition", "words"),
    [
        ("surplus", "ya estaba pagado"),
        ("late", "ya no esperaba pago"),
        ("mismatch", "no coincide"),
    ],
)
def test_owner_reads_what_happened_to_the_money(
    session: Session, app: Flask, settings: Settings, disposition: str, words: str
) -> None:
    put_payment(disposition)
    report = send_due(app.extensions["mail_renderers"], settings, now=NOW)
    assert report == SendReport(sent=1)
    file = list_files(settings.mail_dir)[0]
    assert file.to.startswith("elena")
    for text in (
        words,
        "Pedido: 1001",
        "$19.990",
        "Webpay",
        "123456",
        "24-11-2026 12:00",
        f"{settings.public_url}/administrar",
    ):
        assert text in file.text


def test_alert_is_withdrawn_once_the_payment_counts(
    session: Session, app: Flask, settings: Settings
) -> None:
    payment_id = put_payment("late")
    with transaction() as writing:
        writing.get_one(Payment, payment_id).disposition = "applied"
    report = send_due(app.extensions["mail_renderers"], settings, now=NOW)
    assert report == SendReport(withdrawn=1)


def test_alert_about_money_waits_for_an_owner(
    session: Session, app: Flask, settings: Settings
) -> None:
    put_payment("surplus", owner=False)
    report = send_due(app.extensions["mail_renderers"], settings, now=NOW)
    assert report == SendReport(failed=1)
    session.rollback()
    assert session.query(OutboxRow).one().state == "pending"


def test_foreign_payment_and_lost_key_are_told(
    session: Session, app: Flask, settings: Settings
) -> None:
    with transaction() as writing:
        add_staff(writing, "Elena", "owner")
        enqueue(writing, kind="alert.foreign_payment", key="987654", now=NOW)
        enqueue(writing, kind="alert.lost_key", key="2026-11-24", now=NOW)
    send_due(app.extensions["mail_renderers"], settings, now=NOW)
    told = " ".join(file.text for file in list_files(settings.mail_dir))
    assert "987654" in told
    assert "volver a poner" in told
