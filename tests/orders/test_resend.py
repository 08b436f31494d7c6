"""Whoever lost the link gets it by mail, and nobody learns who bought."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from conftest import SECRET_KEY, TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_order
from werkzeug.test import TestResponse

from portal.config import Settings
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.mail.service import send_due
from portal.orders.models import Contact
from portal.orders.queries import get, token_of
from portal.settings.service import change

NOW = TUESDAY_NOON
EMAIL = "maria@example.cl"


@pytest.fixture
def ask(client: FlaskClient) -> Callable[..., TestResponse]:
    return lambda email=EMAIL: client.post("/reenviar-enlace", data={"email": email})


Ask = Callable[..., TestResponse]


def put_order(**values: object) -> int:
    with transaction() as session:
        made = {"now": NOW, "key": SECRET_KEY, "terms_version": 1, **values}
        return add_order(session, **made).id


def rows(session: Session) -> list[OutboxRow]:
    session.rollback()
    return list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


@pytest.mark.postgres
def test_every_order_of_the_address_gets_its_link(
    session: Session, app: Flask, settings: Settings, ask: Ask
) -> None:
    ids = {put_order(), put_order(state="awaiting_payment")}
    assert ask().status_code == 200
    assert {(row.order_id, row.kind) for row in rows(session)} == {
        (order_id, "link.resend") for order_id in ids
    }
    send_due(app.extensions["mail_renderers"], settings, now=NOW)
    texts = [file.text for file in list_files(settings.mail_dir)]
    with transaction() as writing:
        found = writing.scalars(select(Contact.email)).all()
        assert set(found) == {EMAIL}
    assert len(texts) == 2
    assert all("http://localhost/atencion/" in text for text in texts)


def test_the_link_in_the_mail_is_the_order_s(
    session: Session, app: Flask, settings: Settings, ask: Ask
) -> None:
    order_id = put_order()
    ask()
    send_due(app.extensions["mail_renderers"], settings, now=NOW)
    session.rollback()
    token = token_of(get(session, order_id), settings.secret_keys)
    file = list_files(settings.mail_dir)[0]
    assert f"/atencion/{token}\n" in file.text
    # The outbox itself holds no token.
    assert token not in str([vars(row) for row in rows(session)])


def test_answer_is_the_same_whoever_asks(session: Session, ask: Ask) -> None:
    put_order()
    known, unknown = ask(), ask("nadie@example.cl")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.text == unknown.text
    assert EMAIL not in known.text


def test_both_ways_write_one_line_of_history_without_the_address(
    session: Session, ask: Ask
) -> None:
    put_order()
    ask()
    ask("nadie@example.cl")
    lines = session.scalars(
        select(JournalEntry).where(JournalEntry.action == "link.asked")
    ).all()
    assert len(lines) == 2
    assert "example" not in str([(line.data, line.reason) for line in lines])


@pytest.mark.postgres
def test_link_goes_out_once_an_hour_however_often_it_is_asked(
    session: Session, clock: FrozenClock, ask: Ask
) -> None:
    put_order()
    for _ in range(5):
        ask()
    assert len(rows(session)) == 1
    clock.advance(hours=1)
    ask(" MARIA@Example.cl ")
    assert len(rows(session)) == 2


def test_older_orders_and_blocked_persons_get_nothing(
    session: Session, ask: Ask
) -> None:
    put_order(now=NOW - timedelta(days=61))
    blocked = put_order()
    with transaction() as writing:
        contact = writing.query(Contact).order_by(Contact.id.desc()).first()
        assert contact is not None
        contact.blocked = True
    ask()
    assert rows(session) == []
    assert blocked


def test_no_more_than_the_newest_five(session: Session, ask: Ask) -> None:
    ids = [put_order() for _ in range(7)]
    ask()
    assert {row.order_id for row in rows(session)} == set(ids[-5:])


@pytest.mark.parametrize(
    "email",
    ["", "ana", "ana@", "a@b.cl\r\nBcc: x@y.cl", "a" * 200 + "@x.cl", "\0@x.cl"],
)
def test_what_is_no_address_is_told_and_kept(
    session: Session, ask: Ask, email: str
) -> None:
    response = ask(email)
    assert response.status_code == 422
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select_one("#email-error") is not None
    assert rows(session) == []


def test_form_works_without_scripts(client: FlaskClient) -> None:
    page = BeautifulSoup(client.get("/reenviar-enlace").text, "html.parser")
    form = page.select_one("form[method=post][action='/reenviar-enlace']")
    assert form is not None
    field = form.select_one("input[name=email]")
    assert field is not None
    assert (field["type"], field["autocomplete"]) == ("email", "email")
    assert form.select_one("input[name=csrf_token]") is not None


def test_one_address_of_the_network_cannot_ask_for_ever(
    session: Session, ask: Ask
) -> None:
    codes = [ask("nadie@example.cl").status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]


def test_mail_is_withdrawn_when_its_person_was_blocked_meanwhile(
    session: Session, app: Flask, settings: Settings, ask: Ask
) -> None:
    put_order()
    ask()
    with transaction() as writing:
        writing.query(Contact).one().blocked = True
    report = send_due(app.extensions["mail_renderers"], settings, now=NOW)
    assert (report.sent, report.withdrawn) == (0, 1)


def test_owner_reads_of_a_mail_that_does_not_go_out(
    session: Session, app: Flask, settings: Settings
) -> None:
    order_id = put_order()
    with transaction() as writing:
        writing.add(
            OutboxRow(
                order_id=order_id,
                kind="test.broken",
                created_at=NOW,
                next_at=NOW,
                tries=2,
            )
        )
    renderers = app.extensions["mail_renderers"]
    send_due(renderers, settings, now=NOW)
    assert list_files(settings.mail_dir) == []  # nobody to tell yet
    change({"business_email": "contacto@demo.cl"}, actor=SYSTEM, now=NOW)
    with transaction() as writing:
        alert = writing.query(OutboxRow).filter_by(kind="alert.mail").one()
        assert alert.state == "withdrawn"
        alert.state = "pending"
    send_due(renderers, settings, now=NOW)
    file = list_files(settings.mail_dir)[0]
    assert file.to == "contacto@demo.cl"
    assert f"Pedido: {1000 + order_id}" in file.text
