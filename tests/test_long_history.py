"""What is done each day reads no more when the history before it is longer.

SQLite counts the steps of its machine: some ten for each row that it looks at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from report_cases import fill_month
from shop_forms import stock
from sqlalchemy import event, text
from support_cases import add_attention, add_staff, log_in_as, person

from portal.admin import orders_queries
from portal.db import db, transaction
from portal.orders.models import Contact, Order
from portal.orders.queries import path_of
from portal.payments import queries as payments
from portal.payments.states import GATEWAYS
from portal.reports.rules import Month
from portal.support import service
from portal.support.models import Attention
from portal.web import settings_of
from portal.worker.metrics_queries import promises_missed
from portal.worker.service import make_jobs

SHORT, LONGER = Month(2026, 9), (Month(2026, 6), Month(2026, 7))
ORDERS, MORE, STEP = 120, 480, 10
# The history is five times as long; what reads it all takes five times the steps.
MOST = 1.3
LIST = "/administrar/pedidos"
WIPED_CODES = """
    INSERT INTO remote_codes (attention_id, times, consented_at, at, wiped_at)
    SELECT id, 1, queued_at, queued_at, changed_at FROM attentions
    WHERE state = 'closed'
"""
GIVEN_BACK = """
    UPDATE payments SET state = 'refunded', refunded_amount = amount
    WHERE disposition <> 'applied'
"""
# Prometheus asks how many there ever were.
COUNTS_ALL = "promises missed"
Thing = Callable[[], object]


@dataclass(frozen=True)
class Day:
    """What people and the worker do each day, by name, and who counts it."""

    things: dict[str, Thing]
    steps: "Steps"


@pytest.fixture
def day(app: Flask, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> Day:
    """The day over a short history."""
    stock(app)
    monkeypatch.setattr(orders_queries, "READ", 40)
    clock.set(TUESDAY_NOON)
    fill_month(app, SHORT, ORDERS)
    with app.app_context(), transaction() as session:
        owner, technician = add_staff(session, "Elena", "owner"), add_staff(session)
        key = settings_of(app).secret_keys[0]
        made = [add_attention(session, now=TUESDAY_NOON, key=key) for _ in range(3)]
        order = session.get_one(Order, made[0].order_id)
        session.get_one(Contact, order.contact_id).rut = "123456785"
        card, number, link = made[0].id, order.number, path_of(order, (key,))
        owner_id, by, other = owner.id, person(technician), made[1].id

    def write() -> None:
        with transaction() as session:
            session.get_one(Attention, other).version += 1

    inside(app, lambda: service.take(card, by=by, now=TUESDAY_NOON))()
    client = log_in_as(app, owner_id)
    pages = {
        "home": "/",
        "customer": link,
        "board": "/tablero",
        "board's poll": "/tablero/tarjetas",
        "card's history": f"/tablero/{card}/historial",
        "owner": "/administrar",
        "orders": LIST,
        "orders of a day": f"{LIST}?dia=2026-11-24",
        "orders of a medium": f"{LIST}?medio=manual&servicio=remoto",
        "search: number": f"{LIST}?q={number}",
        "search: mail": f"{LIST}?q=maria@example.cl",
        "search: phone": f"{LIST}?q=%2B56987654321",
        "search: RUT": f"{LIST}?q=12.345.678-5",
        "search: a word": f"{LIST}?q=zzyzx",
        "order": f"{LIST}/{number}",
        "person": f"/administrar/datos/personas/{number}",
        "who looked": "/administrar/datos/consultas",
        "documents missing": "/administrar/documentos?mes=2026-09",
        "month": "/informes/2026-09",
        "health": "/salud",
    }
    asked = {name: asking(client, path) for name, path in pages.items()}
    steps = Steps(app, inside(app, write))
    return Day(asked | reading(app) | working(app), steps)


def asking(client: FlaskClient, path: str) -> Thing:
    def ask() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status)

    return ask


def reading(app: Flask) -> dict[str, Thing]:
    """What the worker asks every few seconds before it calls a gateway."""

    def due(gateway: str) -> Thing:
        return lambda: payments.due(db.session(), TUESDAY_NOON, 50, gateway)

    found: dict[str, Thing] = {f"due at {each}": due(each) for each in GATEWAYS}
    found |= {
        "due": lambda: payments.due(db.session(), TUESDAY_NOON, 50),
        "open preferences": lambda: payments.open_preferences(db.session(), 50),
        "refunds": lambda: payments.due_refunds(
            db.session(), TUESDAY_NOON, 50, "webpay"
        ),
        "pending": lambda: payments.pending_of_paid_orders(db.session(), 50),
        "past their life": lambda: payments.unpaid_past(db.session(), TUESDAY_NOON, 50),
    }
    found[COUNTS_ALL] = lambda: promises_missed(db.session())
    return {name: inside(app, thing) for name, thing in found.items()}


def working(app: Flask) -> dict[str, Thing]:
    """A round of what the worker does at the desk."""
    parts = ("portal_settings", "mail_renderers", "portal_gateways")
    jobs = make_jobs(*(app.extensions[part] for part in parts))
    return {
        f"job: {job.name}": inside(app, lambda run=job.run: run(TUESDAY_NOON))
        for job in jobs
        if job.lane == "desk"
    }


def inside(app: Flask, thing: Thing) -> Thing:
    def run() -> None:
        with app.app_context():
            thing()
            db.session.remove()

    return run


class Steps:
    """Counts what SQLite does for one thing, when everything was asked before."""

    def __init__(self, app: Flask, write: Thing) -> None:
        self.app, self.write, self.taken = app, write, 0

    def count(self) -> int:
        self.taken += STEP
        return 0

    def listen(self, _c: object, cursor: Any, *_: object) -> None:
        cursor.connection.set_progress_handler(self.count, STEP)

    def of(self, thing: Thing) -> int:
        with self.app.app_context():
            engine = db.engine
        thing()
        # Nothing that was read may be kept: somebody has written meanwhile.
        self.write()
        event.listen(engine, "before_cursor_execute", self.listen)
        self.taken = 0
        try:
            thing()
            return self.taken
        finally:
            event.remove(engine, "before_cursor_execute", self.listen)


def lengthen(app: Flask) -> None:
    """Months more; their codes are wiped, and what came twice was given back."""
    for month in LONGER:
        fill_month(app, month, MORE // len(LONGER), f"longer {month}")
    with app.app_context(), transaction() as session:
        session.execute(text(WIPED_CODES))
        session.execute(text(GIVEN_BACK))


def test_nothing_of_the_day_reads_more_in_a_longer_history(
    app: Flask, day: Day
) -> None:
    before = {name: day.steps.of(thing) for name, thing in day.things.items()}
    lengthen(app)
    after = {name: day.steps.of(thing) for name, thing in day.things.items()}
    grown = {
        name: (few, after[name])
        for name, few in before.items()
        if after[name] > few * MOST + 100 and name != COUNTS_ALL
    }
    assert grown == {}


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ("ix_orders_contact_id", "card's history"),
        ("ix_contacts_email_folded", "person"),
        ("ix_orders_tax_rut", "search: RUT"),
        ("ix_attentions_state_changed", "board"),
        ("ix_attentions_missed", COUNTS_ALL),
        ("ix_errands_changed", "board's poll"),
        ("ix_remote_codes_held", "job: wipe remote codes"),
        ("ix_payments_out_of_place", "owner"),
        ("ix_payments_due_at_gateway", "due at webpay"),
        ("ix_payments_open_preferences", "open preferences"),
        ("ix_journal_entries_views", "who looked"),
    ],
)
def test_thing_of_the_day_without_its_index_reads_more(
    app: Flask, day: Day, index: str, name: str
) -> None:
    lengthen(app)
    with_it = day.steps.of(day.things[name])
    with app.app_context(), transaction() as session:
        session.execute(text(f"DROP INDEX {index}"))
    assert day.steps.of(day.things[name]) > with_it * MOST + 100
