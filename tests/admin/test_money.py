"""Money that did not find its place waits for the owner, and can be asked about."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, follow, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from portal.clock import utcnow
from portal.db import db, transaction
from portal.payments.models import Payment, Refund
from portal.payments.reconcile import reconcile_due

Put = Callable[..., int]
ASK = "/administrar/pagos/{}/preguntar"


def cards(owner: FlaskClient) -> dict[str, str]:
    """The text of each payment that waits, by the id of its card."""
    page = BeautifulSoup(owner.get("/administrar").text, "html.parser")
    found = page.select("article[id^=pago-]")
    return {str(card["id"]): card.get_text(" ", strip=True) for card in found}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("disposition", "words"),
    [
        ("surplus", ["Pago de más", "pagó dos veces", "Devuélvalo completo"]),
        ("late", ["Llegó tarde", "había vencido", "puede elegir en su enlace"]),
        ("mismatch", ["No coincide", "no calza", "devuélvalo completo"]),
    ],
)
def test_money_out_of_place_says_what_it_is_and_what_to_do(
    owner: FlaskClient, put_payment: Put, disposition: str, words: list[str]
) -> None:
    number = put_payment(disposition=disposition, buy_order="ITPABC")
    text = cards(owner)[f"pago-{number}"]
    for part in (*words, "Pedido 1001", "$19.990", "Webpay", "24-11-2026 10:00"):
        assert part in text
    assert "Orden de compra ITPABC" in text
    assert "portal de clientes de Transbank por su orden de compra" in text
    assert "Preguntar de nuevo al medio de pago" in text


def test_mismatch_shows_the_amount_that_was_charged(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(disposition="mismatch", evidence={"amount": 1_990})
    (text,) = cards(owner).values()
    assert "Monto cobrado $1.990" in text


def test_money_by_mercado_pago_is_found_by_its_number(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(gateway="mercadopago", gateway_payment_id="987654")
    (text,) = cards(owner).values()
    assert "Número de operación 987654" in text
    assert "cuenta de Mercado Pago por su número de operación" in text


def test_partly_refunded_money_still_waits(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(state="partly_refunded", refunded_amount=5_000)
    (text,) = cards(owner).values()
    assert "Ya devuelto $5.000" in text


def test_money_that_the_portal_gives_back_is_not_given_back_by_hand(
    app: Flask, owner: FlaskClient, put_payment: Put
) -> None:
    number = put_payment()
    assert "Devuélvalo completo" in cards(owner)[f"pago-{number}"]
    with app.app_context(), transaction() as session:
        session.add(
            Refund(
                payment_id=number,
                order_id=session.get_one(Payment, number).order_id,
                state="sent",
                source="customer",
                amount=19_990,
                idempotency_key="k",
                requested_at=utcnow(),
            )
        )
    text = cards(owner)[f"pago-{number}"]
    assert "No lo devuelva usted también" in text
    assert "Devuélvalo" not in text


@pytest.mark.parametrize("state", ["unknown", "committing"])
def test_attempt_without_an_answer_waits_after_an_hour(
    owner: FlaskClient, put_payment: Put, state: str
) -> None:
    put_payment(state=state, hours=0.9)
    assert cards(owner) == {}
    old = put_payment(state=state, hours=1)
    text = cards(owner)[f"pago-{old}"]
    assert "Sin respuesta" in text
    assert "si no aparece, no se cobró nada" in text
    assert "confirme la devolución" not in text


@pytest.mark.parametrize(
    "values",
    [
        {"disposition": "applied"},
        {"state": "refunded", "refunded_amount": 19_990},
        {"state": "charged_back"},
        # Nobody was sent to its form: no money can have come of it.
        {"state": "unknown", "redirected_at": None},
    ],
)
def test_what_is_in_its_place_is_not_listed(
    owner: FlaskClient, put_payment: Put, values: dict[str, object]
) -> None:
    put_payment(**values)
    assert "Todo el dinero está en su lugar" in owner.get("/administrar").text
    assert cards(owner) == {}


def test_webpay_is_not_asked_after_its_seven_days(
    owner: FlaskClient, put_payment: Put
) -> None:
    put_payment(hours=7 * 24)
    assert "Preguntar de nuevo" in next(iter(cards(owner).values()))
    put_payment(hours=7 * 24 + 1)
    oldest = next(iter(cards(owner).values()))
    assert "ya no contesta por este pago" in oldest
    assert "Preguntar de nuevo" not in oldest


def test_list_shows_the_oldest_and_says_that_there_are_more(
    owner: FlaskClient, put_payment: Put
) -> None:
    ids = [put_payment(hours=200 - number) for number in range(101)]
    assert list(cards(owner)) == [f"pago-{number}" for number in ids[:100]]
    assert "Hay más" in owner.get("/administrar").text


def test_page_shows_nobodys_data(owner: FlaskClient, put_payment: Put) -> None:
    put_payment(order={"name": "Marcela Marcador", "problem": "problema-marcado"})
    text = owner.get("/administrar").text
    assert "Marcador" not in text
    assert "problema-marcado" not in text


def test_queries_do_not_grow_with_the_list(
    app: Flask, owner: FlaskClient, put_payment: Put
) -> None:
    def count() -> int:
        statements: list[str] = []

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            statements.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        owner.get("/administrar")
        event.remove(engine, "before_cursor_execute", note)
        return len([each for each in statements if each.startswith("SELECT")])

    put_payment()
    one = count()
    for _ in range(20):
        put_payment()
    assert count() == one <= 24


# Asking again ----------------------------------------------------------


def lost(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, fault: str
) -> int:
    """A commit at Webpay whose answer never came: unknown."""
    sent, where = pay_by_webpay(shop, simulator, shop.order())
    simulator.fail("webpay_commit", fault)
    simulator.fail("webpay_status", "html_502")
    follow(client, where)
    assert shop.payment(sent.payment_id).state == "unknown"
    return sent.payment_id


def ask(owner: FlaskClient, payment_id: int) -> str:
    """Press the button and read the page where it leads."""
    answer = owner.post(ASK.format(payment_id))
    assert (answer.status_code, answer.location) == (303, "/administrar")
    page = BeautifulSoup(owner.get("/administrar").text, "html.parser")
    line = page.select_one(".banner[role=status]")
    assert line is not None
    return line.get_text(" ", strip=True)


def test_asking_again_finds_the_lost_payment(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    owner: FlaskClient,
    clock: FrozenClock,
) -> None:
    payment_id = lost(shop, simulator, client, "cut_after")
    clock.advance(hours=2)
    assert list(cards(owner)) == [f"pago-{payment_id}"]
    assert ask(owner, payment_id) == (
        "Webpay contestó: el pago del pedido 1001 está aprobado."
    )
    assert shop.payment(payment_id).disposition in ("applied", "late")
    # Said once.
    assert "contestó:" not in owner.get("/administrar").text


def test_gateway_that_knows_nothing_new_leaves_it_unknown(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    owner: FlaskClient,
    clock: FrozenClock,
) -> None:
    payment_id = lost(shop, simulator, client, "cut")
    clock.advance(minutes=1)
    assert "sigue igual" in ask(owner, payment_id)
    assert shop.payment(payment_id).state == "unknown"


def test_gateway_that_does_not_answer_changes_nothing(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    owner: FlaskClient,
    clock: FrozenClock,
) -> None:
    payment_id = lost(shop, simulator, client, "cut_after")
    clock.advance(hours=2)
    simulator.fail("webpay_status", "html_502")
    assert "Webpay no contestó" in ask(owner, payment_id)
    assert shop.payment(payment_id).state == "unknown"
    assert "está aprobado" in ask(owner, payment_id)


def test_second_payment_of_one_preference_leaves_once_it_is_refunded(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient, clock: FrozenClock
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    preference = preference_of(shop, sent)
    simulator.mp_pay(preference, "credit")
    second = simulator.mp_pay(preference, "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    further = shop.payments()[-1]
    assert (further.disposition, further.preference_id) == ("surplus", None)
    assert list(cards(owner)) == [f"pago-{further.id}"]
    simulator.mp_act(second, "refund")
    assert "fue devuelto" in ask(owner, further.id)
    assert cards(owner) == {}
    assert shop.payment(sent.payment_id).state == "approved"


@pytest.mark.parametrize("gateway", ["manual", "webpay"])
def test_what_cannot_be_asked_is_refused_in_words(
    owner: FlaskClient, put_payment: Put, gateway: str
) -> None:
    """Money by hand, and a payment whose key is gone."""
    answer = owner.post(ASK.format(put_payment(gateway=gateway)))
    assert answer.status_code == 422
    assert "no puede preguntar por este pago" in answer.text


def test_unknown_payment_is_404(owner: FlaskClient) -> None:
    assert owner.post(ASK.format(999)).status_code == 404
    assert owner.post(ASK.format(2**31)).status_code == 404


def test_asking_about_a_payment_in_order_changes_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, owner: FlaskClient
) -> None:
    sent, where = pay_by_webpay(shop, simulator, shop.order())
    follow(client, where)
    before = shop.counts()
    assert "sigue igual" in ask(owner, sent.payment_id)
    assert shop.counts() == before


def test_asking_ignores_the_pause(
    shop: Shop, session: Session, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    sent, _ = pay_by_webpay(shop, simulator, shop.order())
    with transaction() as writing:
        writing.execute(update(Payment).values(next_check_at=None))
    ask(owner, sent.payment_id)
    assert simulator.calls("webpay_status") == 1
