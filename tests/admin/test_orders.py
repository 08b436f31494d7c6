"""Orders found by anything, opened by hand, and their documents."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff

from portal.admin import orders_queries
from portal.audit.queries import broken_invariants
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.orders.document_models import OrderDocument
from portal.orders.models import Contact, Order
from portal.orders.queries import path_of
from portal.payments.models import Payment
from portal.payments.reconcile import reconcile_due
from portal.support.models import Attention, Errand
from portal.terms.queries import find_acceptance
from portal.web import settings_of

LIST, NEW = "/administrar/pedidos", "/administrar/pedidos/nuevo"
DOCUMENTS = "/administrar/documentos"
Put = Callable[..., int]


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


# Search ----------------------------------------------------------------


@pytest.fixture
def three(app: Flask) -> None:
    """Orders 1001 to 1003: the last is of yesterday and unpaid."""
    now = TUESDAY_NOON
    with app.app_context(), transaction() as session:
        first = add_order(session, now=now, name="Rosa 100% Pérez")
        session.get_one(Contact, first.contact_id).rut = "765432103"
        second = add_order(
            session,
            now=now,
            name="Bruno Díaz",
            phone="+56987651111",
            service_slug="reinstalacion",
            tax_name="Almacén Díaz SpA",
        )
        session.add(
            OrderDocument(
                order_id=second.id,
                kind="factura",
                folio="77",
                issued_on=now.date(),
                noted_at=now,
                noted_by_id=add_staff(session).id,
            )
        )
        add_order(
            session,
            now=now - timedelta(days=1),
            name="Carla_Soto",
            state="expired",
            paid_at=None,
        )
        session.add(
            Payment(
                order_id=first.id,
                gateway="mercadopago",
                state="approved",
                disposition="applied",
                amount=19_990,
                buy_order="ITPABCDEFGH12345678",
                gateway_payment_id="1234567890",
                seed="x",
                reference_hash="x",
                created_at=now,
            )
        )


def numbers(client: FlaskClient, **query: str) -> list[str]:
    page = read(client.get(LIST, query_string=query))
    return [cell.get_text() for cell in page.select("tbody td:first-child a")]


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["1003", "1002", "1001"]),
        ("1002", ["1002"]),
        ("#1002", ["1002"]),
        ("rosa", ["1001"]),
        ("100%", ["1001"]),
        ("a_s", ["1003"]),
        ("maria@", ["1003", "1002", "1001"]),
        ("9 8765 1111", ["1002"]),
        ("76.543.210-3", ["1001"]),
        ("itpabcdefgh12345678", ["1001"]),
        ("1234567890", ["1001"]),
        ("77", ["1002"]),
        ("0077", ["1002"]),
        ("almacén díaz", ["1002"]),
        ("no ABRE", ["1003", "1002", "1001"]),
        ("nada de esto", []),
        ("' OR 1=1 --", []),
    ],
)
def test_order_is_found_by_anything(
    owner: FlaskClient, three: None, text: str, found: list[str]
) -> None:
    assert numbers(owner, q=text) == found


def test_list_is_filtered_by_state_and_by_day(owner: FlaskClient, three: None) -> None:
    assert numbers(owner, estado="expired") == ["1003"]
    assert numbers(owner, estado="otro") == ["1003", "1002", "1001"]
    assert numbers(owner, servicio="reinstalacion") == ["1002"]
    assert numbers(owner, medio="mercadopago") == ["1001"]
    assert numbers(owner, medio="mercadopago", servicio="reinstalacion") == []
    assert numbers(owner, medio="otro") == ["1003", "1002", "1001"]
    assert numbers(owner, dia="2026-11-23") == ["1003"]
    assert numbers(owner, dia="23-11-2026", q="rosa") == []
    assert numbers(owner, dia="ayer") == ["1003", "1002", "1001"]
    assert numbers(owner, antes="3") == ["1002", "1001"]
    assert numbers(owner, antes="9" * 30) == ["1003", "1002", "1001"]
    refused = owner.get(LIST, query_string={"q": "a\x01b"})
    assert "caracteres" in text_of(refused)


def test_long_list_goes_on(app: Flask, owner: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        for number in range(52):
            add_order(session, now=TUESDAY_NOON, name=f"Cliente {number}")
    page = read(owner.get(LIST, query_string={"q": "cliente"}))
    more = next(a for a in page.select("a.btn") if "antiguos" in a.get_text())
    assert len(page.select("tbody tr")) == 50
    assert len(read(owner.get(str(more["href"]))).select("tbody tr")) == 2


@pytest.mark.postgres
def test_words_are_read_in_the_newest_orders_and_then_before(
    app: Flask, owner: FlaskClient, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two orders at a time: 1003 and 1002, then 1001."""
    monkeypatch.setattr(orders_queries, "READ", 2)
    for sought in ({"q": "rosa"}, {"medio": "mercadopago"}):
        page = read(owner.get(LIST, query_string=sought))
        assert not page.select("tbody tr")
        assert "Leídos los pedidos desde el 1002" in page.get_text()
        (more,) = (a for a in page.select("a.btn") if "Seguir" in a.get_text())
        last = read(owner.get(str(more["href"])))
        found = [cell.get_text() for cell in last.select("tbody td:first-child a")]
        assert found == ["1001"]
        assert "Leídos" not in last.get_text()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "text",
    [
        "1001",
        "Maria@Example.CL",
        "+56987654321",
        "76.543.210-3",
        "ITPABCDEFGH12345678",
        "1234567890",
    ],
)
def test_what_names_an_order_finds_it_however_old(
    owner: FlaskClient, three: None, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(orders_queries, "READ", 1)
    assert numbers(owner, q=text)[-1] == "1001"


def test_searching_is_noted_once_an_hour_without_what_was_sought(
    app: Flask, owner: FlaskClient, clock: FrozenClock, three: None
) -> None:
    wanted = select(JournalEntry).where(JournalEntry.action == "orders.searched")

    def lines() -> list[JournalEntry]:
        return inside(app, lambda session: list(session.scalars(wanted)))

    for _ in range(3):
        numbers(owner, q="rosa")
    (line,) = lines()
    assert (line.actor_id, line.object_id, line.data) == (1, 1, {})
    clock.advance(minutes=61)
    numbers(owner)
    assert len(lines()) == 2


# By hand ---------------------------------------------------------------

HAND = {
    "kind": "transfer",
    "amount": "15.000",
    "reason": "Transferencia del 24-11",
    "service": "soporte-online",
    "topic": "error-del-programa",
    "problem": "La caja no abre.",
    "name": "Rosa Pérez",
    "phone": "9 8765 4321",
    "email": "rosa@almacen.cl",
}
FREE = {**HAND, "kind": "free", "amount": ""}


def the_order(session: Session) -> Order:
    return session.scalars(select(Order)).one()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("form", "pesos", "word"), [(HAND, 15_000, "Transferencia"), (FREE, 0, "Sin costo")]
)
def test_order_by_hand_is_paid_marked_and_on_the_board(
    app: Flask,
    owner: FlaskClient,
    client: FlaskClient,
    form: dict[str, str],
    pesos: int,
    word: str,
) -> None:
    answer = send(owner, NEW, **form)
    assert (answer.status_code, answer.location) == (303, f"{LIST}/1001")
    order = inside(app, the_order)
    assert (order.state, order.price, order.service_slug) == (
        "paid",
        pesos,
        "soporte-online",
    )
    (payment,) = inside(app, lambda session: session.scalars(select(Payment)).all())
    assert (payment.gateway, payment.state, payment.disposition) == (
        "manual",
        "approved",
        "applied",
    )
    assert (payment.amount, payment.next_check_at) == (pesos, None)
    assert inside(app, broken_invariants) == []
    assert word in text_of(owner.get(LIST))
    assert word in text_of(owner.get(f"{LIST}/1001"))
    keys = settings_of(app).secret_keys
    page = text_of(client.get(inside(app, lambda s: path_of(the_order(s), keys))))
    assert word in page
    assert "Devolver $" not in page
    assert "Rosa Pérez" in text_of(owner.get("/tablero"))


def test_nobody_accepted_terms_and_the_history_says_who_and_why(
    app: Flask, owner: FlaskClient
) -> None:
    send(owner, NEW, **HAND)
    assert inside(app, lambda session: find_acceptance(session, 1)) is None
    rows = inside(
        app,
        lambda session: session.scalars(
            select(JournalEntry)
            .where(JournalEntry.order_id == 1)
            .order_by(JournalEntry.id)
        ).all(),
    )
    by_owner = [row for row in rows if row.actor_kind == "staff"]
    assert [row.action for row in by_owner][:4] == [
        "order.opened_by_hand",
        "payment.created",
        "payment.approved",
        "order.paid",
    ]
    assert {row.reason for row in by_owner[:3]} == {"Transferencia del 24-11"}
    mails = inside(app, lambda session: session.scalars(select(OutboxRow.kind)).all())
    assert "order.confirmed" in mails


def test_gateways_are_never_asked_about_it(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    send(owner, NEW, **HAND)
    gateways = app.extensions["portal_gateways"]
    with app.app_context():
        found = reconcile_due(gateways, now=clock.now + timedelta(days=2))
    assert (found.asked, found.unanswered) == (0, 0)


def test_the_same_form_twice_is_one_order(app: Flask, owner: FlaskClient) -> None:
    values = {**values_of(read(owner.get(NEW)), NEW), **HAND}
    for _ in range(2):
        assert owner.post(NEW, data=values).location == f"{LIST}/1001"
    assert inside(app, the_order).id == 1


def test_another_service_opens_an_errand_also_out_of_hours(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    clock.set(TUESDAY_NOON + timedelta(hours=14))
    visit = {"service": "asistencia-terreno", "address": "X 1", "commune": "nunoa"}
    assert send(owner, NEW, **{**HAND, **visit}).status_code == 303
    assert inside(app, lambda s: s.scalars(select(Errand.state)).all()) == ["open"]
    assert inside(app, the_order).commune == "Ñuñoa"
    assert send(owner, NEW, **HAND).status_code == 303
    states = inside(app, lambda s: s.scalars(select(Attention.state)).all())
    assert states == ["deferred"]


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"amount": "0"}, "amount", "mayor que cero"),
        ({"amount": ""}, "amount", "mayor que cero"),
        ({"amount": "-1"}, "amount", "pesos"),
        ({"amount": "10,5"}, "amount", "pesos"),
        ({"kind": "free", "amount": "1"}, "amount", "no lleva monto"),
        ({"kind": "regalo"}, "kind", "Elija"),
        ({"reason": " "}, "reason", "motivo"),
        ({"topic": ""}, "topic", "qué le pasa"),
        ({"topic": "virus"}, "topic", "lista"),
        ({"service": "otro"}, "service", "lista"),
        ({"phone": "1"}, "phone", "teléfono"),
        ({"email": "x"}, "email", "correo"),
        ({"service": "asistencia-terreno"}, "commune", "comuna"),
        ({"document": "factura"}, "tax_rut", "RUT"),
        ({"document": "factura", "tax_rut": "1-1"}, "tax_rut", "RUT"),
    ],
)
def test_wrong_order_by_hand_is_refused_and_kept(
    app: Flask, owner: FlaskClient, changes: dict[str, Any], name: str, words: str
) -> None:
    answer = send(owner, NEW, **{**HAND, **changes})
    assert answer.status_code == 422
    assert words in error_of(answer, name)
    assert (
        values_of(read(answer), NEW)["reason"].strip()
        == changes.get("reason", HAND["reason"]).strip()
    )
    assert inside(app, lambda s: s.scalars(select(Order)).all()) == []


# Documents -------------------------------------------------------------


@pytest.fixture
def paid(app: Flask, owner: FlaskClient) -> None:
    """1001 and 1002 by transfer, 1003 free."""
    for form in (HAND, HAND, FREE):
        send(owner, NEW, **form)


def missing(owner: FlaskClient, month: str = "") -> list[str]:
    page = read(owner.get(DOCUMENTS, query_string={"mes": month}))
    return [str(a["href"]).split("/")[3] for a in page.select("li.card a")]


def test_of_many_missing_documents_the_oldest_are_shown(
    owner: FlaskClient, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        return " ".join(read(owner.get(DOCUMENTS)).main.text.split())

    assert "Faltan 2 documentos." in told()
    assert "más antiguos" not in told()
    monkeypatch.setattr(orders_queries, "DOCUMENTS_SHOWN", 1)
    assert missing(owner) == ["1001"]
    assert "Faltan 2 documentos." in told()
    assert "Estos son los 1 más antiguos." in told()
    send(owner, f"{LIST}/1001/documento", folio="123", issued_on="2026-11-24")
    assert missing(owner) == ["1002"]
    assert "Falta 1 documento." in told()
    assert "más antiguos" not in told()


def test_folio_is_noted_and_leaves_the_list(
    app: Flask, owner: FlaskClient, paid: None
) -> None:
    assert missing(owner) == ["1001", "1002"]
    path = f"{LIST}/1001/documento"
    answer = send(owner, path, folio="00123", issued_on="2026-11-24")
    assert (answer.status_code, answer.location) == (303, f"{LIST}/1001")
    row = inside(app, lambda session: session.get(OrderDocument, 1))
    assert row
    assert (row.kind, row.folio, row.issued_on) == ("boleta", "123", date(2026, 11, 24))
    assert missing(owner) == ["1002"]
    assert missing(owner, "2026-10") == []
    assert missing(owner, "2099-01") == ["1002"]
    assert missing(owner, "x") == ["1002"]
    assert send(owner, path, folio="124").status_code == 303
    lines = inside(
        app,
        lambda session: session.scalars(
            select(JournalEntry.data).where(
                JournalEntry.action == "order.document_noted"
            )
        ).all(),
    )
    assert lines == [
        {"before": None, "after": ["boleta", "123", "2026-11-24"]},
        {
            "before": ["boleta", "123", "2026-11-24"],
            "after": ["boleta", "124", "2026-11-24"],
        },
    ]


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"folio": ""}, "folio", "Escriba el folio"),
        ({"folio": "A-12"}, "folio", "solo números"),
        ({"folio": "0"}, "folio", "solo números"),
        ({"folio": "500"}, "folio", "ya está en el pedido 1002"),
        ({"issued_on": "2026-11-25"}, "folio", "hasta hoy"),
        ({"issued_on": "2026-11-23"}, "folio", "desde el día del pedido"),
        ({"issued_on": "hoy"}, "issued_on", "24-12-2026"),
        ({"kind": "guía"}, "kind", "Elija"),
    ],
)
def test_wrong_document_is_refused(
    owner: FlaskClient, paid: None, changes: dict[str, str], name: str, words: str
) -> None:
    send(owner, f"{LIST}/1002/documento", folio="500")
    answer = send(owner, f"{LIST}/1001/documento", **{"folio": "1", **changes})
    assert answer.status_code == 422
    assert words in error_of(answer, name)


def test_unpaid_order_takes_no_document(owner: FlaskClient, three: None) -> None:
    answer = send(owner, f"{LIST}/1003/documento", folio="1")
    assert "sin pagar" in error_of(answer, "folio")
    assert owner.get(f"{LIST}/1999/documento").status_code == 404
