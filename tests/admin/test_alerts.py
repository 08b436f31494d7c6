"""What is wrong now stands on the owner's page, each with its act; else it is empty."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of
from report_cases import put_chargeback, put_sale
from sqlalchemy import select, update
from support_cases import add_attention

from portal.admin.alerts_rules import Facts, alerts
from portal.audit import watch_queries, watch_service
from portal.audit.watch_rules import Finding
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.mail.service import enqueue
from portal.mail.words_rules import mail_words
from portal.orders.note_models import OrderNote
from portal.payments.models import Payment
from portal.worker import service as worker_service

EMPTY = "Ningún aviso"
QUIET = Facts(
    promises=(),
    no_answers=(),
    money=(),
    unresolved=(),
    refunds=(),
    chargebacks=(),
    mails=0,
    stuck=False,
    backups_stopped=False,
    worker="",
    findings=(),
)


def shown(owner: FlaskClient) -> dict[str, str]:
    """The alerts of the page: title -> where its act leads."""
    page = read(owner.get("/administrar"))
    section = page.select_one('section[aria-labelledby="avisos"]')
    assert section is not None
    found = {}
    for banner in section.select(".banner"):
        title, link = banner.select_one(".banner__title"), banner.select_one("a")
        assert title is not None
        found[title.text] = str(link["href"]) if link else ""
    assert (EMPTY in section.text) == (not found)
    return found


@pytest.fixture
def well(app: Flask, clock: FrozenClock) -> None:
    with app.app_context():
        worker_service.beat(clock.now)


@pytest.mark.usefixtures("well")
def test_page_of_a_healthy_portal_has_none(owner: FlaskClient) -> None:
    assert shown(owner) == {}


def test_worker_that_stopped_is_told(owner: FlaskClient) -> None:
    assert shown(owner) == {"El trabajo de fondo está detenido": ""}


@pytest.mark.postgres
@pytest.mark.usefixtures("well")
def test_customers_that_wait_too_long_are_told(app: Flask, owner: FlaskClient) -> None:
    early = TUESDAY_NOON - timedelta(minutes=20)
    with app.app_context(), transaction() as session:
        for values in (
            {"promise_at": TUESDAY_NOON},
            {"no_answer_at": TUESDAY_NOON},
            {"promise_at": early, "contacted_at": TUESDAY_NOON},
            {"promise_at": early, "state": "cancelled"},
        ):
            attention = add_attention(session, now=early)
            attention.promise_at = None
            for name, value in values.items():
                setattr(attention, name, value)
    assert shown(owner) == {
        "No llamamos a tiempo": "/tablero",
        "No le contestan al cliente": "/tablero",
    }
    assert "Pedido 1001." in text_of(owner.get("/administrar"))


@pytest.mark.usefixtures("well")
def test_money_out_of_place_is_told(
    owner: FlaskClient, put_payment: Callable[..., int]
) -> None:
    put_payment(disposition="late")
    put_payment(state="unknown", disposition=None)
    assert shown(owner) == {
        "Dinero fuera de lugar": "#dinero",
        "Pago sin respuesta": "#dinero",
    }


@pytest.mark.usefixtures("well")
def test_chargeback_stands_until_the_owner_leaves_a_note(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    with app.app_context(), transaction() as session:
        sale = put_sale(session, clock.now - timedelta(days=9))
        put_chargeback(session, sale, clock.now - timedelta(days=1))
    assert list(shown(owner).values()) == ["/administrar/pedidos/1001#notas"]
    path = "/administrar/pedidos/1001"
    answer = send(owner, path, f"{path}/nota", text="Respondido el <b>24-11</b>.")
    assert answer.status_code == 303
    assert shown(owner) == {}
    page = text_of(owner.get(path))
    assert "Respondido el <b>24-11</b>." in page
    assert "Dejó una nota" in page


def test_note_is_kept_beside_the_history_not_in_it(
    app: Flask, owner: FlaskClient, put_payment: Callable[..., int]
) -> None:
    put_payment()
    path = "/administrar/pedidos/1001"
    answer = send(owner, path, f"{path}/nota", text="Llamó la contadora.\r\nVuelve.")
    assert answer.location == path
    notes = inside(app, lambda session: session.scalars(select(OrderNote)).all())
    assert [(it.order_id, it.text) for it in notes] == [
        (1, "Llamó la contadora.\nVuelve.")
    ]
    lines = inside(
        app,
        lambda session: session.scalars(
            select(JournalEntry).where(JournalEntry.action == "order.noted")
        ).all(),
    )
    assert [(it.order_id, it.data, it.reason) for it in lines] == [(1, {}, None)]
    for typed, words in (
        (" ", "Escriba la nota."),
        ("a" * 1001, "a lo más 1000"),
        ("mal\0", "no se pueden usar"),
    ):
        refused = send(owner, path, f"{path}/nota", text=typed)
        assert refused.status_code == 422
        assert words in error_of(refused, "text-nota")
        area = read(refused).select_one("#text-nota")
        assert area is not None
        assert area.text.strip().startswith(typed.strip()[:3])


@pytest.fixture
def failing(app: Flask, clock: FrozenClock, put_payment: Callable[..., int]) -> None:
    put_payment(state="rejected", disposition=None)
    with app.app_context(), transaction() as session:
        enqueue(session, kind="order.confirmed", order_id=1, now=clock.now)
        enqueue(session, kind="link.resend", order_id=1, now=clock.now)
        session.flush()
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.kind == "order.confirmed")
            .values(
                tries=3,
                last_error="SMTPRecipientsRefused 550",
                next_at=clock.now + timedelta(hours=1),
            )
        )
        session.execute(update(Payment).values(disposition=None))


@pytest.mark.usefixtures("well", "failing")
def test_mail_that_does_not_go_out_is_tried_or_given_up(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    assert shown(owner) == {"Un correo no sale": "#correos"}
    page = text_of(owner.get("/administrar"))
    assert "Confirmación de la compra" in page
    assert "SMTPRecipientsRefused 550" in page

    def row() -> OutboxRow:
        return inside(app, lambda session: session.get_one(OutboxRow, 1))

    assert owner.post("/administrar/correos/1/intentar").status_code == 303
    assert row().next_at == clock.now
    assert owner.post("/administrar/correos/1/descartar").status_code == 303
    assert row().state == "withdrawn"
    assert shown(owner) == {}
    # It waits no more, and one that never failed is nobody's to stop.
    for number in (1, 2, 99):
        assert owner.post(f"/administrar/correos/{number}/descartar").status_code == 404
    assert "Dejó de enviar un correo" in text_of(owner.get("/administrar/pedidos/1001"))


@pytest.mark.usefixtures("well")
def test_machine_in_trouble_is_told_with_what_to_do(
    app: Flask,
    owner: FlaskClient,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with app.app_context():
        for kind in ("database", "certificate", "webpay_key"):
            watch_service.note(kind, "Algo pasa.", now=clock.now)
        watch_service.note("certificate", "", now=clock.now)
    monkeypatch.setattr(watch_queries, "free_bytes", lambda _settings: 0)
    assert shown(owner) == {
        "La base de datos está dañada": "",
        "Webpay rechaza sus credenciales": "/administrar/revision",
        "Queda poco espacio en el disco": "",
    }


def test_each_alert_names_the_orders_and_what_to_do() -> None:
    many = [str(number) for number in range(1001, 1009)]
    trouble = Finding("disk", "Queda poco.", TUESDAY_NOON)
    facts = Facts(
        promises=many,
        no_answers=many[:2],
        money=many[:1],
        unresolved=many[:3],
        refunds=many[:1],
        chargebacks=many[:2],
        mails=2,
        stuck=True,
        backups_stopped=True,
        worker="Nunca ha dado señales.",
        findings=[trouble],
    )
    found = alerts(facts)
    assert alerts(QUIET) == []
    assert len(found) == len({it.key for it in found}) == 11
    assert "1001, 1002, 1003, 1004, 1005 y 3 más." in found[0].text
    assert found[1].text.startswith("Pedidos 1001 y 1002.")
    assert all(it.text.endswith(".") and bool(it.href) == bool(it.act) for it in found)


def test_every_kind_of_mail_has_its_words(app: Flask) -> None:
    kinds = app.extensions["mail_renderers"]
    assert {mail_words(kind) for kind in kinds}.isdisjoint({"Correo"})
    assert mail_words("alert.refund") == "Aviso a la dueña"
