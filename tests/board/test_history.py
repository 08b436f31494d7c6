"""`/tablero/<id>/historial`: what we did before for the customer of a card."""

from datetime import timedelta

import pytest
from conftest import FrozenClock
from flask import Flask
from sqlalchemy import select
from support_cases import add_attention, add_order, person

from portal.accounts.models import Staff
from portal.db import db, transaction
from portal.journal.models import JournalEntry
from portal.orders.models import Contact, Order
from portal.support import history_service, service
from portal.support.history_service import READ
from portal.support.models import Attention


@pytest.fixture
def attention(app: Flask, clock: FrozenClock) -> int:
    with app.app_context(), transaction() as session:
        return add_attention(session, now=clock.now, phone="+56987654321").id


def earlier(
    app: Flask, clock: FrozenClock, phone: str, email: str, **contact: object
) -> int:
    """A paid order of some days ago, closed with a note; its attention's id."""
    ago = clock.now - timedelta(days=3)
    with app.app_context(), transaction() as session:
        made = add_attention(session, now=ago, problem="La caja de antes", phone=phone)
        row = session.get_one(Order, made.order_id)
        person_row = session.get_one(Contact, row.contact_id)
        person_row.email = email
        for name, value in contact.items():
            setattr(person_row, name, value)
        return made.id


def notes_of_reading(app: Flask) -> list[tuple[int | None, int | None]]:
    with app.app_context():
        rows = db.session().scalars(
            select(JournalEntry).where(JournalEntry.action == READ)
        )
        return [(row.actor_id, row.order_id) for row in rows]


@pytest.mark.parametrize(
    ("phone", "email"),
    [("+56987654321", "otra@example.cl"), ("+56911112222", "MARIA@example.cl")],
)
def test_same_phone_or_mail_is_the_same_customer(
    app, enter, attention, clock, phone, email
) -> None:
    before = earlier(app, clock, phone, email)
    client, who = enter()
    with app.app_context():
        service.take(before, by=who, now=clock.now)
        service.start(before, by=who, now=clock.now)
        service.add_note(before, "Nota interna de antes", by=who, now=clock.now)
        service.add_entry(before, "hecho", "Índices nuevos", by=who, now=clock.now)
    page = client.get(f"/tablero/{attention}/historial").text
    for text in ("La caja de antes", "Nota interna de antes", "Índices nuevos", "Ana"):
        assert text in page


def test_stranger_is_not_in_the_history(app, enter, attention, clock) -> None:
    earlier(app, clock, "+56911112222", "otra@example.cl")
    client, _ = enter()
    assert "La caja de antes" not in client.get(f"/tablero/{attention}/historial").text


def test_same_rut_is_the_same_customer(app, enter, attention, clock) -> None:
    earlier(app, clock, "+56911112222", "otra@example.cl", rut="765432103")
    with app.app_context(), transaction() as session:
        order = session.get_one(Order, session.get_one(Attention, attention).order_id)
        session.get_one(Contact, order.contact_id).rut = "765432103"
    client, _ = enter()
    assert "La caja de antes" in client.get(f"/tablero/{attention}/historial").text


@pytest.mark.parametrize("field", ["blocked", "pseudonymised_at"])
def test_blocked_and_pseudonymised_persons_are_left_out(
    app, enter, attention, clock, field
) -> None:
    value = True if field == "blocked" else clock.now
    before = earlier(app, clock, "+56987654321", "x@example.cl", **{field: value})
    client, _ = enter()
    assert "La caja de antes" not in client.get(f"/tablero/{attention}/historial").text
    own = client.get(f"/tablero/{before}/historial").text
    assert "La caja de antes" not in own
    assert "x@example.cl" not in own
    assert "bloqueados" in own


def test_unpaid_orders_are_no_history(app, enter, attention, clock) -> None:
    with app.app_context(), transaction() as session:
        values = {"state": "expired", "paid_at": None, "problem": "Nunca pagado"}
        add_order(session, now=clock.now, **values)
    client, _ = enter()
    assert "Nunca pagado" not in client.get(f"/tablero/{attention}/historial").text


def test_reading_is_noted_once_a_person_and_hour(app, enter, attention, clock) -> None:
    (ana, ana_id), (luis, luis_id) = enter("Ana"), enter("Luis")
    clock.advance(minutes=1)
    for _ in range(3):
        assert ana.get(f"/tablero/{attention}/historial").status_code == 200
    luis.get(f"/tablero/{attention}/historial")
    assert sorted(notes_of_reading(app)) == [(ana_id.id, 1), (luis_id.id, 1)]
    clock.advance(hours=1)
    ana.get(f"/tablero/{attention}/historial")
    assert len(notes_of_reading(app)) == 3


def test_reading_keeps_no_personal_data(app, attention, clock) -> None:
    with app.app_context():
        with transaction() as session:
            staff = Staff(
                name="Ana",
                email="a@example.cl",
                role="technician",
                password_hash="x",
                created_at=clock.now,
            )
            session.add(staff)
            session.flush()
            who = person(staff)
        history_service.note_reading(1, by=who, now=clock.now)
        row = (
            db.session()
            .scalars(select(JournalEntry).where(JournalEntry.action == READ))
            .one()
        )
        assert (row.data, row.reason) == ({}, None)


def test_card_leads_to_its_history(enter, attention) -> None:
    client, _ = enter()
    assert f'href="/tablero/{attention}/historial"' in client.get("/tablero").text
    assert client.get("/tablero/999/historial").status_code == 404
