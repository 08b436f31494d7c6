"""What neither return nor notification told is found by asking."""

from datetime import timedelta

import pytest
from conftest import FrozenClock
from flask.testing import FlaskClient
from payment_cases import PAID_ONCE, Shop, follow, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import select, update

from portal.clock import utcnow
from portal.db import transaction
from portal.mail.models import OutboxRow
from portal.payments import states
from portal.payments.attempts import (
    BeingVerifiedError,
    GatewayDownError,
    NotPayableError,
)
from portal.payments.models import Payment
from portal.payments.reconcile import expire_due, reconcile_due
from portal.web import settings_of
from portal.worker.rules import Job, lanes
from portal.worker.service import make_jobs


def _round(shop: Shop) -> list[tuple[int, str]]:
    return reconcile_due(shop.gateways, now=utcnow()).changed


@pytest.mark.postgres
def test_a_customer_who_never_comes_back_from_mercado_pago_is_found_in_two_minutes(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "close")
    waited = timedelta(0)
    while shop.state(order) != "paid":
        clock.advance(seconds=20)
        waited += timedelta(seconds=20)
        _round(shop)
        assert waited <= timedelta(minutes=2)
    assert shop.counts() == PAID_ONCE


@pytest.mark.parametrize(
    "fault",
    ["error_500", "html_502", "empty", "broken_json", "cut"],
)
@pytest.mark.parametrize("when", ["", "_after"])
def test_a_commit_without_a_usable_answer_ends_as_what_webpay_says(
    shop: Shop,
    simulator: SimulatorClient,
    clock: FrozenClock,
    client: FlaskClient,
    fault: str,
    when: str,
) -> None:
    order = shop.order()
    sent, where = pay_by_webpay(shop, simulator, order)
    simulator.fail("webpay_commit", fault + when)
    simulator.fail("webpay_status", "html_502")
    follow(client, where)
    assert shop.payment(sent.payment_id).state == "unknown"
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Estamos verificando" in page
    assert "No pague de nuevo" in page
    assert "Pagar $" not in page
    with pytest.raises(BeingVerifiedError):
        shop.start(order, "mercadopago")
    clock.advance(minutes=1)
    _round(shop)
    if when:
        assert shop.counts() == PAID_ONCE
    else:
        # Never committed: Webpay gives it back, and nobody may call it failed yet.
        assert shop.payment(sent.payment_id).state == "unknown"


def test_a_commit_whose_answer_is_lost_is_settled_at_once_by_status(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    _, where = pay_by_webpay(shop, simulator, order)
    simulator.fail("webpay_commit", "cut_after")
    follow(client, where)
    assert shop.counts() == PAID_ONCE


def test_a_crash_between_commit_and_our_row_is_found_by_status(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    assert sent.token
    with transaction() as session:
        session.execute(
            update(Payment).values(
                state="committing",
                lease_until=utcnow() + timedelta(seconds=40),
                next_check_at=utcnow() + timedelta(seconds=40),
            )
        )
    shop.gateways.webpay.commit(sent.token)
    clock.advance(seconds=41)
    _round(shop)
    assert shop.counts() == PAID_ONCE
    assert simulator.calls("webpay_commit", sent.token) == 1


def test_the_reconciler_never_commits(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    for _ in range(30):
        clock.advance(minutes=10)
        _round(shop)
    assert simulator.calls("webpay_commit") == 0
    assert simulator.calls("webpay_status") > 0
    assert shop.payment(sent.payment_id).state == "timed_out"


def test_an_abandoned_form_times_out_and_then_the_order_expires(
    shop: Shop, clock: FrozenClock
) -> None:
    order = shop.order()
    sent = shop.start(order)
    clock.advance(minutes=11)
    _round(shop)
    assert shop.payment(sent.payment_id).state == "redirected"
    clock.advance(minutes=2)
    _round(shop)
    assert shop.payment(sent.payment_id).state == "timed_out"
    assert expire_due(now=utcnow()) == 0
    clock.advance(minutes=17)
    assert expire_due(now=utcnow()) == 1
    assert expire_due(now=utcnow()) == 0
    assert shop.state(order) == "expired"
    with pytest.raises(NotPayableError):
        shop.start(order)


def test_an_order_does_not_expire_while_its_payment_is_being_verified(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    outcome = simulator.mp_outcome(preference_of(shop, sent), "pending_review_manual")
    follow(client, outcome.browser)
    clock.advance(hours=30)
    assert expire_due(now=utcnow()) == 0
    simulator.mp_act(outcome.payment_ids[0], "approve")
    reconcile_due(shop.gateways, now=utcnow())
    assert shop.state(order) == "paid"


def test_money_after_expiry_is_late_and_alerted_and_opens_nothing(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "close")
    with transaction() as session:  # the search stayed silent until after the end
        session.execute(
            update(Payment).values(state="timed_out", next_check_at=utcnow())
        )
    clock.advance(minutes=31)
    assert expire_due(now=utcnow()) == 1
    _round(shop)
    payment = shop.payment(sent.payment_id)
    assert payment.gateway_payment_id == str(payment_id)
    assert payment.disposition == "late"
    assert shop.state(order) == "expired"
    assert shop.counts()["attentions"] == 0
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Su dinero está a salvo" in page


@pytest.mark.parametrize(
    "fault", ["error_500", "html_502", "broken_json", "cut", "empty"]
)
@pytest.mark.parametrize(
    ("gateway", "operation"),
    [("webpay", "webpay_create"), ("mercadopago", "mp_preference")],
)
def test_a_gateway_that_does_not_open_keeps_the_order_and_offers_both_again(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    gateway: str,
    operation: str,
    fault: str,
) -> None:
    order = shop.order()
    simulator.fail(operation, fault)
    answer = client.post(f"{shop.path(order)}/pagar", data={"gateway": gateway})
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "No se hizo ningún cobro" in page
    assert page.count("Pagar $19.990") == 2
    assert shop.start(order, gateway).url


def test_an_unreachable_gateway_is_failed_because_nothing_left(shop: Shop) -> None:
    order = shop.order()
    shop.gateways.webpay._transaction.options.base_url = "http://127.0.0.1:9"
    with pytest.raises(GatewayDownError):
        shop.start(order)
    assert [p.state for p in shop.payments()] == ["failed"]


def test_refunds_and_chargebacks_made_at_the_gateway_are_noticed(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    orders = [shop.order(), shop.order()]
    for order, act in zip(orders, ("refund", "chargeback"), strict=True):
        sent = shop.start(order, "mercadopago")
        payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
        reconcile_due(shop.gateways, now=utcnow(), everything=True)
        assert shop.state(order) == "paid"
        simulator.mp_act(payment_id, act)
    clock.advance(days=2)
    _round(shop)
    assert [shop.state(order) for order in orders] == ["refunded", "charged_back"]
    _round(shop)
    wanted = select(OutboxRow.order_id).where(OutboxRow.kind == "alert.chargeback")
    assert shop.session.scalars(wanted).all() == [2]


def test_a_silent_gateway_is_asked_with_growing_pauses(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    shop.start(shop.order())
    for _ in range(24 * 60):
        clock.advance(minutes=1)
        _round(shop)
    assert 10 <= simulator.calls("webpay_status") <= 20
    clock.advance(days=8)
    _round(shop)
    assert shop.payments()[0].next_check_at is None


def test_money_given_back_before_we_saw_it_opens_nothing(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_act(simulator.mp_pay(preference_of(shop, sent), "close"), "refund")
    clock.advance(minutes=1)
    _round(shop)
    payment = shop.payment(sent.payment_id)
    assert (payment.state, payment.disposition) == ("refunded", "late")
    assert shop.counts()["attentions"] == 0
    assert shop.state(order) == "awaiting_payment"


@pytest.mark.parametrize("gateway", states.GATEWAYS)
def test_every_road_of_a_word_is_made_of_moves_of_the_machine(gateway: str) -> None:
    machine = states.TRANSITIONS[gateway]
    for state in machine:
        for word in ("approved", "pending", "rejected", *states.SETTLED, "open"):
            at = state
            for step in states.path(gateway, state, word):
                assert step in machine[at], (state, word)
                at = step
            if state in states.SETTLED:
                assert at in states.SETTLED


def test_a_gateway_that_hangs_never_holds_up_the_questions_to_the_other(
    shop: Shop,
    simulator: SimulatorClient,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.start(shop.order())
    order = shop.order()
    simulator.mp_pay(preference_of(shop, shop.start(order, "mercadopago")), "close")
    clock.advance(minutes=1)

    def hangs(_question: object) -> list[object]:
        raise AssertionError("asked in the lane of the other gateway")

    monkeypatch.setattr(shop.gateways.webpay, "look_up", hangs)
    jobs = make_jobs(settings_of(shop.app), {}, shop.gateways)
    by_lane = {lane[0].lane: lane for lane in lanes(jobs)}

    def run(lane: tuple[Job, ...]) -> None:
        for job in lane:
            job.run(utcnow())

    run(by_lane["mercadopago"])
    assert shop.state(order) == "paid"
    with pytest.raises(AssertionError, match="asked in the lane"):
        run(by_lane["webpay"])
