"""Cuadratura: what the gateways and the portal say of a month."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, open_shop, preference_of
from report_cases import put_payment, put_sale
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session

from portal import clock as portal_clock
from portal.db import transaction
from portal.orders.models import Order
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment, Refund
from portal.payments.reconcile import ask_one
from portal.reports import match_rules as rules
from portal.reports.match_rules import Known

PAGE = "/informes/2026-11/cuadratura"
AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def known(**values: Any) -> Known:
    base = {
        "payment_id": 1,
        "number": 1001,
        "gateway": "mercadopago",
        "state": "approved",
        "disposition": "applied",
        "charged": 10_000,
        "refunded": 0,
        "gateway_number": "77",
        "asked_at": AT,
        "word": "approved",
        "said": 10_000,
        "refund_pending": False,
    }
    return Known(**{**base, **values})


def told(word: str = "approved", amount: int = 10_000, **values: Any) -> Evidence:
    return Evidence(word=word, gateway_payment_id="77", amount=amount, **values)


@pytest.mark.parametrize(
    ("theirs", "ours", "kinds"),
    [
        ([told()], [known()], []),
        ([told()], [], [rules.THERE_NOT_HERE]),
        (
            [told()],
            [known(state="timed_out", disposition=None)],
            [rules.THERE_NOT_HERE],
        ),
        ([], [known()], [rules.HERE_NOT_THERE]),
        ([], [known(in_month=False)], []),
        ([told(amount=9_000)], [known()], [rules.OTHER_AMOUNT]),
        ([told("refunded", refunded_amount=10_000)], [known()], [rules.OTHER_STATE]),
        ([told("charged_back")], [known()], [rules.OTHER_STATE]),
        ([told("rejected")], [known(state="rejected", disposition=None)], []),
        ([told("rejected")], [known()], [rules.OTHER_STATE]),
    ],
)
def test_search_tells_apart(
    theirs: list[Evidence], ours: list[Known], kinds: list[str]
) -> None:
    assert [it.kind for it in rules.compare(theirs, ours)] == kinds


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({}, []),
        ({"disposition": "surplus"}, ["Pago de más"]),
        ({"disposition": "surplus", "state": "refunded", "refunded": 10_000}, []),
        ({"said": 9_000}, [rules.OTHER_AMOUNT]),
        ({"refund_pending": True}, [rules.PENDING_REFUND]),
        ({"state": "unknown", "disposition": None, "word": None}, [rules.NO_ANSWER]),
    ],
)
def test_own_knowledge_tells_what_is_unsettled(
    values: dict[str, Any], kinds: list[str]
) -> None:
    assert [it.kind for it in rules.own_differences([known(**values)])] == kinds


@pytest.mark.postgres
def test_clean_month_shows_nothing(app: Flask, owner: FlaskClient) -> None:
    with app.app_context(), transaction() as writing:
        put_sale(writing, AT, payment={"last_checked_at": AT})
    text = owner.get(PAGE).text
    assert "Todo cuadra" in text
    assert "Webpay: 1 pago" in text
    assert "20-11-2026 12:00" in text


@pytest.mark.postgres
def test_each_unsettled_payment_has_its_row_and_its_acts(
    app: Flask, owner: FlaskClient
) -> None:
    with app.app_context(), transaction() as writing:
        sale = put_sale(writing, AT)
        order = writing.get_one(Order, sale.order_id)
        extra = put_payment(writing, order, AT, disposition="surplus")
        writing.add(
            Refund(
                payment_id=extra.id,
                order_id=order.id,
                state="sent",
                source="owner",
                amount=19_990,
                idempotency_key="k",
                requested_at=AT,
            )
        )
        number, payment_id = order.number, extra.id
    text = owner.get(PAGE).text
    assert "Pago de más" in text
    assert "Devolución pendiente" in text
    assert f"/administrar/pedidos/{number}" in text
    assert f"/administrar/pagos/{payment_id}/preguntar" in text


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    return open_shop(app, session, portal_clock.utcnow())


def test_search_finds_what_was_paid_there_and_not_told(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "credit")
    text = owner.post(PAGE).text
    assert "Pagado allá y no aquí" in text
    ask_one(sent.payment_id, shop.gateways, portal_clock.utcnow())
    text = owner.post(PAGE).text
    assert "Mercado Pago tiene 1 pago" in text
    assert "dicen lo mismo" in text


def test_search_finds_what_is_here_and_not_there(
    app: Flask, shop: Shop, owner: FlaskClient
) -> None:
    with app.app_context(), transaction() as writing:
        put_sale(
            writing, AT, gateway="mercadopago", payment={"gateway_payment_id": "424242"}
        )
    assert "Pagado aquí y no allá" in owner.post(PAGE).text


def test_search_reads_every_page(
    shop: Shop, simulator: SimulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.payments.gateways.mercadopago._PAGE", 2)
    for _ in range(5):
        sent = shop.start(shop.order(), "mercadopago")
        simulator.mp_pay(preference_of(shop, sent), "credit")
    now = portal_clock.utcnow()
    found = shop.gateways.mercadopago.search_period(now.replace(day=1), now)
    assert len({each.gateway_payment_id for each in found}) == 5


def test_silent_gateway_is_said_and_nothing_is_called_different(
    shop: Shop, simulator: SimulatorClient, owner: FlaskClient, session: Session
) -> None:
    simulator.fail("mp_search", "error_500")
    answer = owner.post(PAGE)
    assert "no contestó la búsqueda" in answer.text
    assert "Pagado" not in answer.text
    assert session.query(Payment).count() == 0
