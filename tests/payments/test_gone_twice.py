"""Money that leaves in more than one way is counted whole, and the owner is told."""

import pytest
from conftest import FrozenClock
from payment_cases import Shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import select
from support_cases import add_staff

from portal.accounts.rules import Person
from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.db import transaction
from portal.errors import StaleStateError
from portal.journal.models import JournalEntry
from portal.journal.service import Actor
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.payments import refund_requests, refunds
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment, Refund
from portal.payments.reconcile import reconcile_due
from portal.payments.service import settle
from portal.support import service as support
from portal.support.models import Attention

OWNER = Actor("staff", 1)


def _paid(shop: Shop, simulator: SimulatorClient) -> tuple[Order, int, int]:
    """An order paid at Mercado Pago, its row's id, and the gateway's id."""
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    payment = shop.payment(sent.payment_id)
    return order, payment.id, int(payment.gateway_payment_id or 0)


def _given_by_hand(
    shop: Shop, simulator: SimulatorClient, payment_id: int, pesos: int
) -> None:
    """The gateway refuses; the owner makes a transfer and says so."""
    simulator.fail("mp_refund", "refused")
    refund_id = refund_requests.request_by_owner(
        payment_id, pesos, reason="Acuerdo", actor=OWNER, now=utcnow()
    )
    refunds.send(refund_id, shop.gateways, now=utcnow())
    refunds.pay_by_hand(refund_id, reason="Transferencia", actor=OWNER, now=utcnow())


def _days(shop: Shop, clock: FrozenClock, count: int = 3) -> None:
    for _ in range(count):
        clock.advance(days=1, minutes=1)
        reconcile_due(shop.gateways, now=utcnow())
    shop.session.rollback()


def _told(shop: Shop, kind: str) -> int:
    return len(
        shop.session.scalars(select(OutboxRow).where(OutboxRow.kind == kind)).all()
    )


def _lines(shop: Shop, action: str) -> int:
    wanted = select(JournalEntry).where(JournalEntry.action == action)
    return len(shop.session.scalars(wanted).all())


def _attention(shop: Shop) -> Attention:
    shop.session.rollback()
    return shop.session.scalars(select(Attention)).one()


def test_money_given_by_hand_that_goes_back_at_the_gateway_too_is_told_once(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, payment_id, gateway_id = _paid(shop, simulator)
    _given_by_hand(shop, simulator, payment_id, 19_990)
    assert shop.state(order) == "refunded"
    _days(shop, clock, 2)
    simulator.mp_act(gateway_id, "refund")
    _days(shop, clock)
    assert (shop.payment(payment_id).state, _told(shop, "alert.given_twice")) == (
        "refunded",
        1,
    )
    assert shop.payment(payment_id).refunded_amount == 19_990
    assert _lines(shop, "payment.given_twice") == 1
    assert broken_invariants(shop.session) == []


def test_a_chargeback_of_money_given_by_hand_is_told_once(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, payment_id, gateway_id = _paid(shop, simulator)
    _given_by_hand(shop, simulator, payment_id, 19_990)
    simulator.mp_act(gateway_id, "chargeback")
    _days(shop, clock)
    assert (shop.state(order), _told(shop, "alert.chargeback")) == ("refunded", 1)
    assert _lines(shop, "payment.taken_twice") == 1


def test_money_given_by_hand_alone_tells_nobody(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _, payment_id, _ = _paid(shop, simulator)
    _given_by_hand(shop, simulator, payment_id, 19_990)
    _days(shop, clock)
    assert _told(shop, "alert.given_twice") + _told(shop, "alert.chargeback") == 0


def test_pesos_by_hand_and_pesos_at_the_gateway_add_up(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, payment_id, gateway_id = _paid(shop, simulator)
    _given_by_hand(shop, simulator, payment_id, 5_000)
    simulator.mp_act(gateway_id, "refund", amount=4_000)
    _days(shop, clock)
    assert shop.payment(payment_id).refunded_amount == 9_000
    simulator.mp_act(gateway_id, "refund", amount=10_990)
    _days(shop, clock)
    assert shop.payment(payment_id).state == shop.state(order) == "refunded"
    assert _told(shop, "alert.given_twice") == 0


@pytest.mark.parametrize("act", ["chargeback", "refund"])
def test_money_that_leaves_while_the_clock_runs_leaves_the_clock(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock, act: str
) -> None:
    _, _, gateway_id = _paid(shop, simulator)
    with transaction() as session:
        ana = add_staff(session, "Ana")
        by = Person(ana.id, ana.name, ana.role)
    number = _attention(shop).id
    support.take(number, by=by, now=utcnow())
    support.start(number, by=by, now=utcnow())
    simulator.mp_act(gateway_id, act)
    clock.advance(minutes=40)
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert _attention(shop).state == "running"
    assert broken_invariants(shop.session) == []


def test_a_chargeback_takes_who_still_waits_out_of_the_queue(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, _, gateway_id = _paid(shop, simulator)
    simulator.mp_act(gateway_id, "chargeback")
    _days(shop, clock, 2)
    assert shop.state(order) == "charged_back"
    assert _attention(shop).state == "cancelled"


def test_nobody_returns_to_the_queue_with_the_money_given_back_another_way(
    shop: Shop, simulator: SimulatorClient
) -> None:
    """Two requests refused, the second paid by hand: the first opens no door."""
    order, payment_id, _ = _paid(shop, simulator)
    simulator.fail("mp_refund", "refused")
    refused = refund_requests.request_by_customer(order.id, now=utcnow())
    refunds.send(refused, shop.gateways, now=utcnow())
    _given_by_hand(shop, simulator, payment_id, 19_990)
    with pytest.raises(StaleStateError):
        refund_requests.return_to_queue(order.id, now=utcnow())
    assert _attention(shop).state == "cancelled"
    assert shop.session.get_one(Refund, refused).dropped_at is None


def test_nobody_returns_to_the_queue_while_another_refund_is_on_its_way(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order, payment_id, _ = _paid(shop, simulator)
    simulator.fail("mp_refund", "refused")
    refused = refund_requests.request_by_customer(order.id, now=utcnow())
    refunds.send(refused, shop.gateways, now=utcnow())
    refund_requests.request_by_owner(
        payment_id, 19_990, reason="Otra vez", actor=OWNER, now=utcnow()
    )
    with pytest.raises(StaleStateError):
        refund_requests.return_to_queue(order.id, now=utcnow())


def _last_further(shop: Shop) -> Payment:
    shop.session.rollback()
    return shop.payments()[-1]


def test_a_form_paid_again_after_its_money_went_back_is_found(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    preference = preference_of(shop, sent)
    first = simulator.mp_pay(preference, "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    simulator.mp_act(first, "refund")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert shop.state(order) == "refunded"
    simulator.mp_pay(preference, "close")
    clock.advance(hours=1)
    reconcile_due(shop.gateways, now=utcnow())
    further = _last_further(shop)
    assert (further.state, further.disposition) == ("approved", "surplus")


def test_a_further_payment_is_asked_about_when_the_first_is_over(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    """Its chargeback is told only under the first one's reference."""
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    preference = preference_of(shop, sent)
    first = simulator.mp_pay(preference, "credit")
    second = simulator.mp_pay(preference, "close")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    simulator.mp_act(first, "refund")
    _days(shop, clock)
    simulator.mp_act(second, "chargeback")
    _days(shop, clock)
    assert _last_further(shop).state == "charged_back"
    # Nothing can change any more: nobody is asked again.
    assert {p.next_check_at for p in shop.payments()} == {None}


def test_a_further_payment_told_by_its_notification_alone_is_asked_about_too(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    """The first one went back and nobody asked about it any more."""
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    preference = preference_of(shop, sent)
    first = simulator.mp_pay(preference, "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    second = simulator.mp_pay(preference, "close")
    simulator.mp_act(first, "refund")
    evidence = shop.gateways.mercadopago.payment
    _told_of(shop, sent.payment_id, evidence(str(first)))
    simulator.fail("mp_search", "stale", times=3)
    _days(shop, clock)
    assert shop.payment(sent.payment_id).next_check_at is None
    _told_of(shop, sent.payment_id, evidence(str(second)))
    simulator.mp_act(second, "chargeback")
    _days(shop, clock)
    assert _last_further(shop).state == "charged_back"


def _told_of(shop: Shop, payment_id: int, evidence: Evidence | None) -> None:
    assert evidence is not None
    keys, live = shop.gateways.keys, shop.gateways.live
    settle(payment_id, evidence, keys=keys, live=live, now=utcnow())


def test_webpay_money_given_by_hand_counts_beside_what_webpay_tells(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order, "visa")
    shop.webpay_return(sent)
    simulator.fail("webpay_refund", "not_done")
    payment_id = sent.payment_id
    refund_id = refund_requests.request_by_owner(
        payment_id, 5_000, reason="Acuerdo", actor=OWNER, now=utcnow()
    )
    refunds.send(refund_id, shop.gateways, now=utcnow())
    refunds.pay_by_hand(refund_id, reason="Transferencia", actor=OWNER, now=utcnow())
    _days(shop, clock)
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_amount) == ("partly_refunded", 5_000)
