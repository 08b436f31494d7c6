"""The owner's first page: stopping the sales, the day, the health, the ways on."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import values_of
from shop_forms import stock
from sqlalchemy import select
from support_cases import add_attention, add_staff, log_in_as, person

from portal.db import db, transaction
from portal.journal.models import JournalEntry
from portal.mail.service import enqueue
from portal.orders.sale_rules import DEFAULT_STOP_MESSAGE
from portal.support import service as support_service
from portal.terms.rules import QUOTED
from portal.worker import service as worker_service

STOP, RESUME = "/administrar/ventas/detener", "/administrar/ventas/reanudar"
Put = Callable[..., int]


def read(client: FlaskClient, path: str = "/administrar") -> str:
    page = BeautifulSoup(client.get(path).text, "html.parser")
    return page.get_text(" ", strip=True)


def history(app: Flask) -> list[tuple[str, object, object, int | None]]:
    """The changed settings: name, before, after, and which member of staff."""
    # Its own context: what a request remembers must not outlive it here.
    with app.app_context():
        rows = db.session().scalars(
            select(JournalEntry)
            .where(JournalEntry.action == "setting.changed")
            .order_by(JournalEntry.id)
        )
        return [
            (row.data["name"], row.data["before"], row.data["after"], row.actor_id)
            for row in rows
        ]


@pytest.fixture
def stocked(app: Flask) -> None:
    stock(app)


@pytest.mark.postgres
@pytest.mark.usefixtures("stocked")
def test_sales_stop_with_a_message_at_once_and_resume(
    app: Flask, owner: FlaskClient, client: FlaskClient
) -> None:
    message = "Se cortó la luz <b>en la oficina</b>."
    answer = owner.post(STOP, data={"message": message})
    assert (answer.status_code, answer.location) == (303, "/administrar")
    assert message in read(client, "/")
    assert message in read(owner)
    assert "Las ventas están detenidas" in read(owner)
    assert owner.post(RESUME).status_code == 303
    assert message not in read(client, "/")
    assert "Detener todas las ventas" in read(owner)
    assert history(app) == [
        ("sales_stopped", None, True, 1),
        ("sales_stopped_message", None, message, 1),
        ("sales_stopped", True, False, 1),
    ]


@pytest.mark.usefixtures("stocked")
def test_second_tap_adds_no_history(app: Flask, owner: FlaskClient) -> None:
    for path in (STOP, STOP, RESUME, RESUME):
        owner.post(path, data={"message": "Ya volvemos."})
    assert len(history(app)) == 3


@pytest.mark.usefixtures("stocked")
def test_message_may_be_blank_or_changed_while_stopped(
    owner: FlaskClient, client: FlaskClient
) -> None:
    owner.post(STOP, data={"message": " "})
    assert DEFAULT_STOP_MESSAGE in read(client, "/")
    owner.post(STOP, data={"message": "Volvemos\r\n a las 15:00."})
    assert "Volvemos a las 15:00." in read(client, "/")


@pytest.mark.usefixtures("stocked")
def test_second_of_two_owners_reads_the_other_message_and_keeps_hers(
    app: Flask, owner: FlaskClient, client: FlaskClient
) -> None:
    shown = values_of(
        BeautifulSoup(owner.get("/administrar").text, "html.parser"), STOP
    )
    owner.post(STOP, data={**shown, "message": "Volvemos a las 15:00."})
    late = owner.post(STOP, data={**shown, "message": "Volvemos mañana."})
    assert late.status_code == 409
    assert "Ahora dice: «Volvemos a las 15:00.»" in late.text
    assert "Volvemos a las 15:00." in read(client, "/")
    again = values_of(BeautifulSoup(late.text, "html.parser"), STOP)
    assert again["message"] == "Volvemos mañana."
    assert owner.post(STOP, data=again).status_code == 303
    assert "Volvemos mañana." in read(client, "/")
    assert len(history(app)) == 3


def test_sale_switch_is_no_number_of_the_terms() -> None:
    assert QUOTED.isdisjoint({"sales_stopped", "sales_stopped_message"})


@pytest.mark.parametrize("message", ["a" * 201, "a\0b"])
def test_message_that_will_not_do_keeps_what_was_typed(
    app: Flask, owner: FlaskClient, message: str
) -> None:
    answer = owner.post(STOP, data={"message": message})
    assert answer.status_code == 422
    field = BeautifulSoup(answer.text, "html.parser").select_one("#message")
    assert field is not None
    assert field.text.strip()[0] == "a"
    assert field["aria-invalid"] == "true"
    assert history(app) == []


@pytest.mark.postgres
def test_day_counts_what_was_paid_since_midnight(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(disposition="applied", hours=1)
    put_payment(
        disposition="applied", hours=2, amount=9_990, order={"service_slug": "x"}
    )
    put_payment(
        disposition="applied",
        state="partly_refunded",
        refunded_amount=1_000,
        hours=12,
    )
    # Yesterday's last second; a surplus is no income.
    put_payment(disposition="applied", hours=12 + 1 / 3600)
    put_payment(disposition="surplus", hours=1)
    text = read(owner)
    assert "Pedidos pagados 3" in text
    assert "Ingreso, IVA incluido $49.970" in text
    assert "De eso, ya devuelto $1.000" in text


@pytest.mark.postgres
def test_day_without_sales_reads_zero(owner: FlaskClient) -> None:
    text = read(owner)
    assert "Hoy, martes 24 de noviembre" in text
    assert "Pedidos pagados 0" in text
    assert "Ingreso, IVA incluido $0" in text
    assert "ya devuelto" not in text


def test_desk_counts_who_waits_and_who_is_attended(
    app: Flask, owner: FlaskClient
) -> None:
    with app.app_context():
        with transaction() as session:
            early = TUESDAY_NOON - timedelta(minutes=20)
            ids = [
                add_attention(session, now=early + timedelta(minutes=number)).id
                for number in range(3)
            ]
            by = person(add_staff(session))
        support_service.take(ids[0], by=by, now=TUESDAY_NOON)
    text = read(owner)
    assert "Esperan atención 2 desde las 11:41" in text
    assert "Con un técnico 1" in text


def test_health_is_what_the_monitor_reads(
    app: Flask, owner: FlaskClient, client: FlaskClient, clock: FrozenClock
) -> None:
    stopped, stuck = "El trabajo de fondo está detenido", "Los correos están detenidos"
    assert stopped in read(owner)
    assert "Nunca ha dado señales" in read(owner)
    with app.app_context():
        worker_service.beat(clock.now)
        with transaction() as session:
            enqueue(session, kind="test.mail", now=clock.now)
    clock.advance(seconds=7)
    assert stopped not in read(owner)
    assert "Última señal hace 7 s" in read(owner)
    clock.advance(minutes=10)
    assert stopped in read(owner)
    with app.app_context():
        worker_service.beat(clock.now)
    assert stuck in read(owner)
    assert "El más antiguo, hace 10 min" in read(owner)
    assert client.get("/salud").json["status"] == "degraded"


def links(client: FlaskClient) -> set[str]:
    page = BeautifulSoup(client.get("/administrar").text, "html.parser")
    return {str(link["href"]) for link in page.select("main a[href]")}


def test_ways_on(app: Flask, owner: FlaskClient) -> None:
    known = {"/tablero", "/", "/administrar/terminos"}
    assert known <= links(owner)
    assert {"/demo", "/demo/correos"} <= links(owner)


def test_technician_is_told_that_it_is_not_theirs(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        number = add_staff(session).id
    technician = log_in_as(app, number)
    for path in (STOP, RESUME, "/administrar/pagos/1/preguntar"):
        assert technician.post(path).status_code == 403
    assert technician.get("/administrar").status_code == 403


def test_stranger_logs_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/administrar")
    assert answer.status_code == 303
    assert answer.location == "/ingresar?next=/administrar"
