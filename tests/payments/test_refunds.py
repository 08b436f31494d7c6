"""Money given back: asked once, done once, told as it is; and the work it ends."""

import threading
from datetime import timedelta

import pytest
from conftest import FrozenClock
from flask.testing import FlaskClient
from payment_cases import Shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import select
from support_cases import add_staff

from portal.accounts.rules import Person
from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.db import transaction
from portal.errors import ConflictError, RefusedError, StaleStateError
from portal.journal.service import SYSTEM, Actor, change_state
from portal.orders.models import Order
from portal.payments import late_money, refund_requests, refund_rules, refunds, states
from portal.payments.models import Payment, Refund
from portal.payments.reconcile import expire_due, reconcile_due
from portal.support import service as support
from portal.support.cancel_service import AlreadyStartedError
from portal.support.models import Attention

OWNER = Actor("staff", 1)


def _paid_by_webpay(
    shop: Shop, simulator: SimulatorClient, code: str = "visa"
) -> Order:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order, code)
    shop.webpay_return(sent)
    return order


def _paid_by_mercadopago(shop: Shop, simulator: SimulatorClient) -> Order:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    return order


def _refund(shop: Shop) -> Refund:
    shop.session.rollback()
    return shop.session.scalars(select(Refund).order_by(Refund.id.desc())).first()  # type: ignore[return-value]


def _attention(shop: Shop) -> Attention:
    shop.session.rollback()
    return shop.session.scalars(select(Attention)).one()


def _ana() -> Person:
    with transaction() as session:
        staff = add_staff(session, "Ana")
        return Person(staff.id, staff.name, staff.role)


def _withdraw(shop: Shop, client: FlaskClient, order: Order) -> int:
    return client.post(f"{shop.path(order)}/devolucion").status_code


@pytest.mark.postgres
@pytest.mark.parametrize("gateway", ["webpay", "mercadopago"])
def test_mp_29_and_wp_32_one_tap_gives_everything_back_and_cancels_the_attention(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, gateway: str
) -> None:
    pay = _paid_by_webpay if gateway == "webpay" else _paid_by_mercadopago
    order = pay(shop, simulator)
    assert "Devolver $19.990" in client.get(shop.path(order)).get_data(as_text=True)
    assert _withdraw(shop, client, order) == 303
    refund = _refund(shop)
    assert (refund.state, refund.amount, refund.source) == (
        "confirmed",
        19_990,
        "customer",
    )
    assert _attention(shop).state == "cancelled"
    assert shop.state(order) == "refunded"
    (payment,) = shop.payments()
    assert (payment.state, payment.refunded_amount) == ("refunded", 19_990)
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Le devolvimos su dinero" in page
    assert "Devolver $" not in page
    shop.session.rollback()
    assert broken_invariants(shop.session) == []


def test_asking_twice_is_one_refund(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = _paid_by_webpay(shop, simulator)
    assert _withdraw(shop, client, order) == 303
    assert _withdraw(shop, client, order) in (303, 422)
    assert simulator.calls("webpay_refund") == 1
    assert len(shop.session.scalars(select(Refund)).all()) == 1


def test_once_it_has_begun_the_tap_is_refused_and_nothing_changes(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = _paid_by_webpay(shop, simulator)
    ana = _ana()
    attention_id = _attention(shop).id
    support.take(attention_id, by=ana, now=utcnow())
    support.start(attention_id, by=ana, now=utcnow())
    answer = client.post(f"{shop.path(order)}/devolucion")
    assert answer.status_code == 409
    assert "ya comenzó" in answer.get_data(as_text=True)
    assert _attention(shop).state == "running"
    assert shop.state(order) == "paid"
    assert simulator.calls("webpay_refund") == 0


@pytest.mark.postgres
def test_withdrawal_and_start_at_once_have_one_winner(
    shop: Shop, simulator: SimulatorClient
) -> None:
    ana = _ana()
    for _ in range(10):
        order = _paid_by_webpay(shop, simulator)
        shop.session.rollback()
        attention = shop.session.scalars(
            select(Attention).where(Attention.order_id == order.id)
        ).one()
        order_id, attention_id = order.id, attention.id
        shop.session.rollback()
        support.take(attention_id, by=ana, now=utcnow())
        won: list[str] = []
        barrier = threading.Barrier(2)

        def withdraw(
            order_id: int = order_id,
            won: list[str] = won,
            barrier: threading.Barrier = barrier,
        ) -> None:
            with shop.app.app_context():
                barrier.wait()
                try:
                    refund_requests.request_by_customer(order_id, now=utcnow())
                    won.append("refund")
                except AlreadyStartedError:
                    pass

        def start(
            attention_id: int = attention_id,
            won: list[str] = won,
            barrier: threading.Barrier = barrier,
        ) -> None:
            with shop.app.app_context():
                barrier.wait()
                try:
                    support.start(attention_id, by=ana, now=utcnow())
                    won.append("start")
                except ConflictError:
                    pass

        threads = [threading.Thread(target=act) for act in (withdraw, start)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        shop.session.rollback()
        state = shop.session.get_one(Attention, attention_id).state
        assert state == {"refund": "cancelled", "start": "running"}[won[0]]


@pytest.mark.parametrize(
    "fault", ["cut_after", "html_502_after", "broken_json_after", "empty_after"]
)
def test_a_refund_whose_answer_is_lost_is_never_called_done_and_never_done_twice(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    clock: FrozenClock,
    fault: str,
) -> None:
    order = _paid_by_webpay(shop, simulator)
    simulator.fail("webpay_refund", fault)
    assert _withdraw(shop, client, order) == 303
    assert _refund(shop).state == "sent"
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "aún no la confirma" in page
    assert "Le devolvimos" not in page
    clock.advance(minutes=1)
    refunds.follow_due(shop.gateways, now=utcnow())
    assert _refund(shop).state == "confirmed"
    assert simulator.calls("webpay_refund") == 1
    assert shop.state(order) == "refunded"


@pytest.mark.parametrize("fault", ["cut", "html_502", "error_500"])
@pytest.mark.parametrize("gateway", ["webpay", "mercadopago"])
def test_a_refund_that_did_not_arrive_is_sent_again(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    clock: FrozenClock,
    gateway: str,
    fault: str,
) -> None:
    pay = _paid_by_webpay if gateway == "webpay" else _paid_by_mercadopago
    order = pay(shop, simulator)
    simulator.fail("webpay_refund" if gateway == "webpay" else "mp_refund", fault)
    _withdraw(shop, client, order)
    assert _refund(shop).state == "sent"
    clock.advance(minutes=1)
    refunds.follow_due(shop.gateways, now=utcnow())
    assert _refund(shop).state == "confirmed"
    assert shop.payments()[0].refunded_amount == 19_990


def test_a_refund_that_arrived_untold_is_not_sent_again(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, clock: FrozenClock
) -> None:
    order = _paid_by_mercadopago(shop, simulator)
    simulator.fail("mp_refund", "cut_after")
    simulator.fail("mp_payment", "html_502", times=1)
    _withdraw(shop, client, order)
    clock.advance(minutes=1)
    refunds.follow_due(shop.gateways, now=utcnow())
    calls = [call["operation"] for call in simulator.call_log()]
    assert calls.count("mp_refund") == 1
    given = sum(
        int(p["transaction_amount_refunded"]) for p in simulator.ledger()["payments"]
    )
    assert given == 19_990


def test_a_try_that_did_not_arrive_is_repeated_under_the_same_key(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, clock: FrozenClock
) -> None:
    order = _paid_by_mercadopago(shop, simulator)
    simulator.fail("mp_refund", "error_500", times=2)
    _withdraw(shop, client, order)
    for _ in range(3):
        clock.advance(hours=1)
        refunds.follow_due(shop.gateways, now=utcnow())
    keys = [
        call["headers"].get("x-idempotency-key")
        for call in simulator.call_log()
        if call["operation"] == "mp_refund"
    ]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert _refund(shop).state == "confirmed"


def test_a_refused_refund_alerts_the_owner_and_lets_the_customer_choose(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = _paid_by_webpay(shop, simulator)
    place = _attention(shop).queued_at
    simulator.fail("webpay_refund", "not_done")
    _withdraw(shop, client, order)
    assert _refund(shop).state == "rejected"
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Prefiero que me atiendan" in page
    answer = client.post(f"{shop.path(order)}/elegir", data={"choice": "fila"})
    assert answer.status_code == 303
    attention = _attention(shop)
    assert (attention.state, attention.queued_at) == ("waiting", place)
    again = client.post(f"{shop.path(order)}/elegir", data={"choice": "fila"})
    assert again.status_code == 409
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "antes de las" in page
    shop.session.rollback()
    assert broken_invariants(shop.session) == []


def test_the_owner_tries_again_or_pays_by_hand(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = _paid_by_webpay(shop, simulator)
    simulator.fail("webpay_refund", "not_done", times=2)
    _withdraw(shop, client, order)
    refund_id = _refund(shop).id
    refunds.retry(refund_id, actor=OWNER, now=utcnow())
    refunds.send(refund_id, shop.gateways, now=utcnow())
    assert _refund(shop).state == "rejected"
    with pytest.raises(RefusedError):
        refunds.pay_by_hand(refund_id, reason=" ", actor=OWNER, now=utcnow())
    refunds.pay_by_hand(refund_id, reason="Transferencia", actor=OWNER, now=utcnow())
    assert _refund(shop).state == "paid_by_hand"
    assert shop.state(order) == "refunded"
    with pytest.raises(StaleStateError):
        refunds.pay_by_hand(refund_id, reason="Otra vez", actor=OWNER, now=utcnow())
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Le devolvimos su dinero" in page


def test_wp_33_partial_refunds_by_the_owner_leave_the_attention(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = _paid_by_webpay(shop, simulator)
    payment_id = shop.payments()[0].id
    for amount, state in ((5_000, "partly_refunded"), (14_990, "refunded")):
        refund_id = refund_requests.request_by_owner(
            payment_id, amount, reason="Quedó a medias", actor=OWNER, now=utcnow()
        )
        refunds.send(refund_id, shop.gateways, now=utcnow())
        assert _refund(shop).state == "confirmed"
        assert shop.payments()[0].state == state
    assert shop.state(order) == "refunded"
    assert len(shop.session.scalars(select(Refund)).all()) == 2


@pytest.mark.parametrize("code", ["redcompra", "prepaid", "instalments"])
def test_debit_prepaid_and_instalments_go_back_only_in_full(
    shop: Shop, simulator: SimulatorClient, code: str
) -> None:
    _paid_by_webpay(shop, simulator, code)
    payment_id = shop.payments()[0].id
    with pytest.raises(RefusedError, match="solo completas"):
        refund_requests.request_by_owner(
            payment_id, 5_000, reason="x", actor=OWNER, now=utcnow()
        )
    refund_id = refund_requests.request_by_owner(
        payment_id, 19_990, reason="x", actor=OWNER, now=utcnow()
    )
    refunds.send(refund_id, shop.gateways, now=utcnow())
    assert _refund(shop).state == "confirmed"


@pytest.mark.parametrize("amount", [0, -1, 19_991])
def test_an_impossible_amount_is_refused(
    shop: Shop, simulator: SimulatorClient, amount: int
) -> None:
    _paid_by_webpay(shop, simulator)
    with pytest.raises(RefusedError):
        refund_requests.request_by_owner(
            shop.payments()[0].id, amount, reason="x", actor=OWNER, now=utcnow()
        )


def test_only_one_refund_of_a_payment_is_in_flight(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _paid_by_webpay(shop, simulator)
    payment_id = shop.payments()[0].id
    refund_requests.request_by_owner(
        payment_id, 5_000, reason="x", actor=OWNER, now=utcnow()
    )
    # Another sum for another reason: not the second tap, which is refused apart.
    with pytest.raises(refund_requests.RefundUnderWayError):
        refund_requests.request_by_owner(
            payment_id, 3_000, reason="y", actor=OWNER, now=utcnow()
        )


def test_a_partial_refund_at_the_panel_is_noticed_once(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _paid_by_mercadopago(shop, simulator)
    payment_id = int(shop.payments()[0].gateway_payment_id or 0)
    simulator.mp_act(payment_id, "refund", amount=4_000)
    for _ in range(3):
        clock.advance(days=1, minutes=1)
        reconcile_due(shop.gateways, now=utcnow())
    rows = shop.session.scalars(select(Refund)).all()
    assert [(r.source, r.amount, r.state) for r in rows] == [
        ("gateway", 4_000, "confirmed")
    ]


def test_a_full_refund_at_the_panel_cancels_who_waits(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = _paid_by_mercadopago(shop, simulator)
    payment_id = int(shop.payments()[0].gateway_payment_id or 0)
    simulator.mp_act(payment_id, "refund")
    clock.advance(days=2)
    reconcile_due(shop.gateways, now=utcnow())
    assert shop.state(order) == "refunded"
    assert _attention(shop).state == "cancelled"


def _late(shop: Shop, simulator: SimulatorClient, clock: FrozenClock) -> Order:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "close")
    with transaction() as session:
        change_state(
            session,
            session.get_one(Payment, sent.payment_id),
            "timed_out",
            machine=states.TRANSITIONS["mercadopago"],
            at=utcnow(),
            actor=SYSTEM,
            action="payment.timed_out",
            order_id=order.id,
        )
    clock.advance(minutes=31)
    expire_due(now=utcnow())
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert shop.payment(sent.payment_id).disposition == "late"
    return order


@pytest.mark.postgres
def test_late_money_is_honoured_once_at_the_customers_choice(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock, client: FlaskClient
) -> None:
    order = _late(shop, simulator, clock)
    for _ in range(2):
        answer = client.post(f"{shop.path(order)}/elegir", data={"choice": "atender"})
        assert answer.status_code == 303
    assert shop.state(order) == "paid"
    assert _attention(shop).state == "waiting"
    shop.session.rollback()
    assert broken_invariants(shop.session) == []


def test_late_money_goes_back_at_the_customers_choice(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock, client: FlaskClient
) -> None:
    order = _late(shop, simulator, clock)
    assert _withdraw(shop, client, order) == 303
    assert _refund(shop).state == "confirmed"
    assert shop.state(order) == "expired"
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Le devolvimos su dinero" in page
    with pytest.raises(RefusedError):
        late_money.honour(order.id, actor=OWNER, now=utcnow())


def test_refund_after_the_gateways_term_is_refused_by_rule(clock: FrozenClock) -> None:
    facts = {
        "state": "approved",
        "paid": 100,
        "refunded": 0,
        "amount": 100,
        "payment_type": "VN",
        "approved_at": utcnow(),
    }
    for gateway, days in (("webpay", 90), ("mercadopago", 180)):
        inside = utcnow() + timedelta(days=days)
        outside = inside + timedelta(seconds=1)
        assert refund_rules.problem(gateway=gateway, now=inside, **facts) is None  # type: ignore[arg-type]
        assert refund_rules.problem(gateway=gateway, now=outside, **facts)  # type: ignore[arg-type]


def test_covered_counts_whole_refunds_oldest_first() -> None:
    assert refund_rules.covered([], 10) == 0
    assert refund_rules.covered([5, 5], 4) == 0
    assert refund_rules.covered([5, 5], 5) == 1
    assert refund_rules.covered([5, 5], 9) == 1
    assert refund_rules.covered([5, 5], 10) == 2


@pytest.mark.parametrize("choice", ["", "x", "atender", "fila", "ahora", "apertura"])
def test_a_choice_that_does_not_apply_changes_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, choice: str
) -> None:
    order = shop.order()
    answer = client.post(f"{shop.path(order)}/elegir", data={"choice": choice})
    assert answer.status_code in (409, 422)
    assert _withdraw(shop, client, order) == 422
    assert shop.state(order) == "awaiting_payment"
