"""The owner gives money back, attends late money and says what no gateway tells."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import func, select
from support_cases import log_in_as

from portal.accounts.models import Staff
from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.db import db
from portal.journal.models import JournalEntry
from portal.journal.service import Actor
from portal.payments import refund_requests
from portal.payments.models import Refund
from portal.payments.reconcile import expire_due, reconcile_due
from portal.support.models import Attention

Put = Callable[..., int]
OWNER = Actor("staff", 1)


def soup(client: FlaskClient, path: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(path).text, "html.parser")


def read(client: FlaskClient, path: str) -> str:
    return soup(client, path).get_text(" ", strip=True)


def press(client: FlaskClient, page: BeautifulSoup, word: str, **typed: str) -> Any:
    """Send the form whose button says `word`, as a browser without scripts does."""
    button = next(b for b in page.select("button") if word in b.get_text())
    form = button.find_parent("form")
    assert isinstance(form, Tag)
    data = {
        str(each["name"]): str(each.get("value", ""))
        for each in form.select("input[name]")
        if each.get("type") != "radio" or each.has_attr("checked")
    }
    return client.post(str(form["action"]), data={**data, **typed})


def rows(app: Flask) -> list[tuple[str, int, str]]:
    with app.app_context():
        found = db.session().scalars(select(Refund).order_by(Refund.id))
        return [(row.state, row.amount, row.reason) for row in found]


@pytest.fixture
def paid(shop: Shop, simulator: SimulatorClient) -> int:
    """A support order paid by Webpay, credit: number 1001, payment 1."""
    sent, _ = pay_by_webpay(shop, simulator, shop.order())
    shop.webpay_return(sent)
    return sent.payment_id


@pytest.fixture
def late(shop: Shop, simulator: SimulatorClient, clock: FrozenClock) -> int:
    """Money that came when its order had expired."""
    sent = shop.start(shop.order(), "mercadopago")
    clock.advance(minutes=60)
    reconcile_due(shop.gateways, now=utcnow())
    expire_due(now=utcnow())
    clock.advance(minutes=-60)
    simulator.mp_pay(preference_of(shop, sent), "close")
    clock.advance(minutes=61)
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert shop.payment(sent.payment_id).disposition == "late"
    return sent.payment_id


def surplus(shop: Shop, simulator: SimulatorClient) -> int:
    """A second approval on one preference."""
    sent = shop.start(shop.order(), "mercadopago")
    preference = preference_of(shop, sent)
    simulator.mp_pay(preference, "credit")
    simulator.mp_pay(preference, "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    number = shop.payments()[-1].id
    assert shop.payment(number).disposition == "surplus"
    return number


# The list ---------------------------------------------------------------


def test_one_tap_gives_a_surplus_back(
    app: Flask, shop: Shop, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    number = surplus(shop, simulator)
    answer = press(owner, soup(owner, "/administrar"), "Devolver $19.990")
    assert (answer.status_code, answer.location) == (303, "/administrar")
    text = read(owner, "/administrar")
    assert "Devolvió $19.990. El medio de pago lo confirmó." in text
    assert "Todo el dinero está en su lugar" in text
    assert shop.payment(number).state == "refunded"
    assert rows(app) == [
        ("confirmed", 19_990, "Pago de más: el pedido ya estaba pagado")
    ]
    with app.app_context():
        assert broken_invariants(db.session()) == []


@pytest.mark.postgres
def test_double_tap_is_one_refund(
    app: Flask, shop: Shop, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    number = surplus(shop, simulator)
    with app.app_context():
        staff = db.session().scalars(select(Staff.id)).one()
    clients = [log_in_as(app, staff) for _ in range(2)]
    codes: list[int] = []
    barrier = threading.Barrier(2)

    def tap(client: FlaskClient) -> None:
        barrier.wait()
        answer = client.post(
            f"/administrar/pagos/{number}/devolver",
            data={"amount": "5.000", "reason": "Acuerdo"},
        )
        codes.append(answer.status_code)

    threads = [threading.Thread(target=tap, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [303, 409]
    assert len(rows(app)) == 1
    assert simulator.calls("mp_refund") == 1


def test_second_tap_reads_that_it_was_asked_for(
    app: Flask, owner: FlaskClient, paid: int, simulator: SimulatorClient
) -> None:
    data = {"amount": "5000", "reason": "Acuerdo"}
    path = f"/administrar/pagos/{paid}/devolver"
    assert owner.post(path, data=data).status_code == 303
    again = owner.post(path, data=data)
    assert again.status_code == 409
    assert "ya se pidió" in again.text
    assert simulator.calls("webpay_refund") == 1


def test_late_money_is_attended_with_one_tap(
    shop: Shop, owner: FlaskClient, late: int
) -> None:
    page = soup(owner, "/administrar")
    answer = press(owner, page, "Atender")
    assert (answer.status_code, answer.location) == (303, "/administrar")
    assert shop.payment(late).disposition == "applied"
    assert shop.session.scalars(select(func.count(Attention.id))).one() == 1
    assert press(owner, page, "Atender").status_code == 303
    assert shop.session.scalars(select(func.count(Attention.id))).one() == 1


def test_late_money_that_goes_back_is_not_attended(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient, late: int
) -> None:
    page = soup(owner, "/administrar")
    refund_requests.request_by_owner(
        late, 19_990, reason="x", actor=OWNER, now=utcnow()
    )
    answer = press(owner, page, "Atender")
    assert answer.status_code == 409
    assert "ya está en curso" in answer.text


def test_only_late_money_can_be_attended(owner: FlaskClient, put_payment: Put) -> None:
    number = put_payment(disposition="surplus")
    answer = owner.post(f"/administrar/pagos/{number}/atender")
    assert answer.status_code == 422
    assert "Este pago no espera" in answer.text


def test_mismatch_goes_back_as_it_was_charged(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(disposition="mismatch", evidence={"amount": 1_990})
    assert "Devolver $1.990" in read(owner, "/administrar")


def test_money_that_no_gateway_takes_back_says_so(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(hours=24 * 91)
    text = read(owner, "/administrar")
    assert "Pasaron los 90 días" in text
    assert "Devolver $" not in text


# The order's page -------------------------------------------------------


def test_page_tells_the_story_and_opening_it_is_noted_once_an_hour(
    app: Flask, owner: FlaskClient, paid: int, clock: FrozenClock
) -> None:
    def seen() -> list[tuple[str, int | None]]:
        with app.app_context():
            lines = db.session().scalars(
                select(JournalEntry).where(JournalEntry.action == "order.seen")
            )
            return [(line.actor_kind, line.actor_id) for line in lines]

    text = read(owner, "/administrar/pedidos/1001")
    for part in (
        "María Soto Díaz",
        "Pedido hecho",
        "Empezó a pagar",
        "Confirmando → Aprobado",
        "Espera el pago → Pagado",
        "Atención abierta",
        "Medio de pago",
        "Cliente",
        "Orden de compra",
    ):
        assert part in text
    assert len(seen()) == 1
    clock.advance(minutes=59)
    assert "Elena Abrió esta página" in read(owner, "/administrar/pedidos/1001")
    assert len(seen()) == 1
    clock.advance(minutes=2)
    owner.get("/administrar/pedidos/1001")
    assert len(seen()) == 2


def test_number_without_an_order_is_not_found(owner: FlaskClient, paid: int) -> None:
    assert owner.get("/administrar/pedidos/1002").status_code == 404


def test_part_of_a_payment_goes_back_with_a_reason(
    app: Flask, shop: Shop, owner: FlaskClient, paid: int
) -> None:
    page = soup(owner, "/administrar/pedidos/1001")
    assert "Hasta $19.990, en todo o en parte." in page.get_text(" ", strip=True)
    answer = press(owner, page, "Devolver", amount="$5.000", reason="Quedó a medias")
    assert answer.location == "/administrar/pedidos/1001"
    text = read(owner, "/administrar/pedidos/1001")
    assert "Devolvió $5.000" in text
    assert "Hasta $14.990" in text
    assert "Quedó a medias" in text
    assert rows(app) == [("confirmed", 5_000, "Quedó a medias")]
    assert shop.session.scalars(select(Attention.state)).one() == "waiting"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount": "veinte", "reason": "Acuerdo"}, "Escriba el monto en pesos"),
        ({"amount": "0", "reason": "Acuerdo"}, "mayor que cero"),
        ({"amount": "19991", "reason": "Acuerdo"}, "no pasar de lo que queda"),
        ({"amount": "5000", "reason": " "}, "Escriba el motivo"),
        ({"amount": "5000", "reason": "x" * 301}, "a lo más 300"),
        ({"amount": "5000", "reason": "a\0b"}, "no se pueden usar"),
    ],
)
def test_what_will_not_do_is_said_and_kept(
    app: Flask, owner: FlaskClient, paid: int, typed: dict[str, str], words: str
) -> None:
    answer = owner.post(f"/administrar/pagos/{paid}/devolver", data=typed)
    assert answer.status_code == 422
    assert words in answer.text
    page = BeautifulSoup(answer.text, "html.parser")
    field = page.select_one(f"#amount-devolver-{paid}")
    assert field is not None
    assert field["value"] == typed["amount"]
    assert rows(app) == []


def test_debit_says_beforehand_that_it_goes_back_only_in_full(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    sent, _ = pay_by_webpay(shop, simulator, shop.order(), "redcompra")
    shop.webpay_return(sent)
    text = read(owner, "/administrar/pedidos/1001")
    assert "Solo completa, $19.990. Las ventas con débito" in text
    answer = owner.post(
        f"/administrar/pagos/{sent.payment_id}/devolver",
        data={"amount": "5000", "reason": "x"},
    )
    assert answer.status_code == 422
    assert "solo completas" in answer.text


def test_ids_of_the_page_are_unique(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    surplus(shop, simulator)
    page = soup(owner, "/administrar/pedidos/1001")
    ids = [each["id"] for each in page.select("[id]")]
    assert len(ids) == len(set(ids))


# Refunds that need the owner --------------------------------------------


@pytest.fixture
def refused(paid: int, simulator: SimulatorClient, owner: FlaskClient) -> int:
    """A refund that Webpay said no to."""
    simulator.fail("webpay_refund", "not_done")
    answer = owner.post(
        f"/administrar/pagos/{paid}/devolver",
        data={"amount": "19990", "reason": "Acuerdo"},
    )
    assert answer.status_code == 303
    return paid


@pytest.mark.parametrize("path", ["/administrar", "/administrar/pedidos/1001"])
def test_a_refused_refund_is_tried_again(
    app: Flask, owner: FlaskClient, refused: int, path: str
) -> None:
    page = soup(owner, path)
    assert "El medio de pago no la aceptó" in page.get_text(" ", strip=True)
    answer = press(owner, page, "Intentar de nuevo")
    assert (answer.status_code, answer.location) == (303, path)
    assert [row[0] for row in rows(app)] == ["confirmed"]
    late = press(owner, page, "Intentar de nuevo")
    assert late.status_code == 409
    assert "Eso ya cambió" in late.text


@pytest.mark.parametrize("path", ["/administrar", "/administrar/pedidos/1001"])
def test_a_refused_refund_was_paid_by_transfer(
    app: Flask, shop: Shop, owner: FlaskClient, refused: int, path: str
) -> None:
    page = soup(owner, path)
    assert press(owner, page, "La pagué", reason=" ").status_code == 422
    answer = press(owner, page, "La pagué", reason="Banco Estado, 24-11")
    assert (answer.status_code, answer.location) == (303, path)
    assert [row[0] for row in rows(app)] == ["paid_by_hand"]
    assert shop.payment(refused).state == "refunded"
    assert "Banco Estado, 24-11" in read(owner, "/administrar/pedidos/1001")
    assert press(owner, page, "La pagué", reason="x").status_code == 409


def test_a_refund_in_flight_says_since_when(
    simulator: SimulatorClient, owner: FlaskClient, paid: int
) -> None:
    simulator.fail("webpay_refund", "cut")
    answer = owner.post(
        f"/administrar/pagos/{paid}/devolver",
        data={"amount": "19990", "reason": "Acuerdo"},
    )
    assert answer.status_code == 303
    text = read(owner, "/administrar")
    assert "Enviada, sin confirmar" in text
    assert "En curso desde 24-11-2026 12:00" in text
    assert "Devolver dinero" not in read(owner, "/administrar/pedidos/1001")


# The owner's word -------------------------------------------------------


def test_what_webpay_no_longer_tells_is_entered(
    shop: Shop, owner: FlaskClient, paid: int, clock: FrozenClock
) -> None:
    clock.advance(days=8)
    owner = log_in_as(shop.app, 1)
    page = soup(owner, "/administrar/pedidos/1001")
    answer = press(owner, page, "Anotar", amount="19.990", reason="Portal, 30-11")
    assert answer.status_code == 303
    assert shop.payment(paid).state == "refunded"
    text = read(owner, "/administrar/pedidos/1001")
    assert "Quedó anotado" in text
    assert "Elena" in text
    assert "Portal, 30-11" in text


def test_chargeback_is_entered_once(shop: Shop, owner: FlaskClient, paid: int) -> None:
    path = f"/administrar/pagos/{paid}/anotar"
    data = {"kind": "chargeback", "amount": "19990", "reason": "Carta del banco"}
    assert owner.post(path, data={**data, "kind": "x"}).status_code == 422
    assert owner.post(path, data=data).status_code == 303
    assert shop.payment(paid).state == "charged_back"
    again = owner.post(path, data=data)
    assert again.status_code == 409
    assert "ya figura" in again.text


def test_attempt_that_nobody_can_tell_of_was_not_paid(
    app: Flask, owner: FlaskClient, put_payment: Put, shop: Shop
) -> None:
    young = put_payment(state="unknown", hours=7 * 24 - 1, order=UNPAID)
    assert "No se pagó" not in read(owner, "/administrar")
    path = "/administrar/pagos/{}/no-pagado"
    early = owner.post(path.format(young), data={"reason": "x"})
    assert early.status_code == 422
    assert "Todavía no" in early.text
    old = put_payment(state="unknown", hours=7 * 24 + 1, order=UNPAID)
    shop.session.rollback()  # the test's own, in whose context the requests run
    page = soup(owner, "/administrar")
    assert press(owner, page, "No se pagó", reason=" ").status_code == 422
    answer = press(owner, page, "No se pagó", reason="Portal: no aparece")
    assert (answer.status_code, answer.location) == (303, "/administrar")
    assert shop.payment(old).state == "rejected"
    again = owner.post(path.format(old), data={"reason": "x"})
    assert again.status_code == 409
    assert "ya tiene respuesta" in again.text


UNPAID = {"state": "awaiting_payment"}
