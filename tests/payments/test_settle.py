"""`settle` over real gateways' answers: paid once, whatever repeats."""

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from payment_cases import (
    PAID_ONCE,
    Shop,
    pay_by_webpay,
    preference_of,
    reference_of,
)
from simulator_client import SimulatorClient
from sqlalchemy import select

from portal.clock import utcnow
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.journal.service import CUSTOMER
from portal.orders.queries import get
from portal.orders.service import cancel
from portal.payments import returns
from portal.payments.gateways.base import Evidence, Question
from portal.payments.models import Payment
from portal.payments.reconcile import reconcile_due
from portal.payments.service import (
    AFTER_APPROVAL,
    first_check_after_approval,
    settle,
)
from portal.support.models import Attention


@pytest.mark.postgres
def test_webpay_approval_pays_the_order_and_opens_one_attention(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    assert shop.counts() == {
        "attentions": 0,
        "errands": 0,
        "mails": 0,
        "approved": 0,
        "paid": 0,
    }
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    payment = shop.payment(sent.payment_id)
    assert (payment.state, payment.disposition) == ("approved", "applied")
    assert shop.state(order) == "paid"
    assert shop.counts() == PAID_ONCE
    attention = shop.session.query(Attention).one()
    assert attention.state == "waiting"
    assert attention.promise_at is not None


def test_wp_31_repeating_the_return_commits_once(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    for _ in range(5):
        shop.webpay_return(sent)
    assert simulator.calls("webpay_commit", sent.token) == 1
    assert shop.counts() == PAID_ONCE


def test_settle_twice_keeps_one_attention(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    assert sent.token
    evidence = shop.gateways.webpay.status(sent.token)
    again = settle(sent.payment_id, evidence, keys=shop.keys, live=None, now=utcnow())
    assert not again.changed
    assert shop.counts() == PAID_ONCE


def test_webpay_rejection_leaves_the_order_payable(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order, "rejected")
    shop.webpay_return(sent)
    assert shop.payment(sent.payment_id).state == "rejected"
    assert shop.state(order) == "awaiting_payment"
    again = shop.start(order)
    assert again.payment_id != sent.payment_id


def test_second_gateway_approving_is_surplus_and_opens_nothing(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    by_webpay = shop.start(order, "webpay")
    by_mercadopago = shop.start(order, "mercadopago")
    assert by_webpay.token
    simulator.webpay_outcome(by_webpay.token, "visa")
    shop.webpay_return(by_webpay)
    simulator.mp_pay(preference_of(shop, by_mercadopago), "credit")
    reference = reference_of(shop, by_mercadopago)
    returns.mercadopago_returned(reference, "", gateways=shop.gateways, now=utcnow())
    assert shop.payment(by_mercadopago.payment_id).disposition == "surplus"
    counts = shop.counts()
    assert (counts["attentions"], counts["paid"], counts["approved"]) == (1, 1, 2)
    assert counts["mails"] == 2  # the confirmation, and the owner's alert


def test_webpay_is_not_committed_when_the_order_is_already_paid(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    by_webpay = shop.start(order, "webpay")
    by_mercadopago = shop.start(order, "mercadopago")
    assert by_webpay.token
    simulator.webpay_outcome(by_webpay.token, "visa")
    simulator.mp_pay(preference_of(shop, by_mercadopago), "credit")
    reference = reference_of(shop, by_mercadopago)
    returns.mercadopago_returned(reference, "", gateways=shop.gateways, now=utcnow())
    shop.webpay_return(by_webpay)
    assert simulator.calls("webpay_commit", by_webpay.token) == 0
    assert shop.payment(by_webpay.payment_id).state == "aborted"
    assert shop.counts()["attentions"] == 1


def test_two_payments_on_one_preference_are_applied_and_surplus(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    preference = preference_of(shop, sent)
    ids = simulator.mp_outcome(preference, "twice").payment_ids
    assert len(ids) == 2
    reference, approved_at = reference_of(shop, sent), clock.now
    clock.advance(seconds=40)
    for evidence in shop.gateways.mercadopago.look_up(
        Question(token=None, reference=reference)
    ):
        settle(sent.payment_id, evidence, keys=shop.keys, live=None, now=utcnow())
        # Told again, it is the same row and nothing new.
        again = settle(
            sent.payment_id, evidence, keys=shop.keys, live=None, now=utcnow()
        )
        assert (again.state, again.changed) == ("approved", False)
    first, further = shop.payments()
    assert [p.disposition for p in (first, further)] == ["applied", "surplus"]
    assert shop.counts()["attentions"] == 1
    assert {p.gateway_payment_id for p in (first, further)} == {str(n) for n in ids}
    assert (further.amount, further.account) == (first.amount, first.account)
    assert further.buy_order != first.buy_order
    # A second tab may pay the same form: asked once it is dead.
    assert first.next_check_at == first.form_until + timedelta(minutes=1)
    assert further.redirected_at == first.redirected_at
    # The gateway's instants, not those of hearing of them.
    assert {p.approved_at for p in (first, further)} == {approved_at}
    assert further.next_check_at is None
    assert further.detail == "accredited"
    assert further.evidence["gateway_payment_id"] == further.gateway_payment_id
    (line,) = _lines(shop, further.id)
    assert (line.actor_kind, line.action) == ("gateway", "payment.approved")
    assert (line.from_state, line.to_state) == (None, "approved")
    assert (line.order_id, line.data) == (
        order.id,
        {"disposition": "surplus", "gateway_payment_id": further.gateway_payment_id},
    )


@pytest.mark.parametrize(
    ("gateway", "form_left", "minutes"),
    [
        ("mercadopago", 5, 6),
        ("mercadopago", 0, 24 * 60),
        ("mercadopago", -5, 24 * 60),
        ("mercadopago", None, 24 * 60),
        ("webpay", 5, 24 * 60),
    ],
)
def test_money_is_asked_about_when_its_form_is_dead_then_daily(
    gateway: str, form_left: int | None, minutes: int
) -> None:
    until = None if form_left is None else TUESDAY_NOON + timedelta(minutes=form_left)
    payment = Payment(gateway=gateway, form_until=until)
    check = first_check_after_approval(payment, TUESDAY_NOON)
    assert check - TUESDAY_NOON == timedelta(minutes=minutes)


def _lines(shop: Shop, payment_id: int) -> list[JournalEntry]:
    found = select(JournalEntry).where(
        JournalEntry.object_kind == "payment", JournalEntry.object_id == payment_id
    )
    return list(shop.session.scalars(found.order_by(JournalEntry.id)))


def test_an_approval_and_a_refund_write_all_of_this(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    payment = shop.payment(sent.payment_id)
    assert payment.gateway_payment_id == payment.buy_order
    assert (payment.lease_until, payment.checks) == (None, 0)
    assert payment.next_check_at == utcnow() + timedelta(days=1)
    assert payment.detail == "AUTHORIZED:0"
    line = _lines(shop, payment.id)[-1]
    assert (line.actor_kind, line.action) == ("gateway", "payment.approved")
    assert (line.from_state, line.to_state, line.reason) == (
        "committing",
        "approved",
        None,
    )
    assert line.data == {
        "detail": "AUTHORIZED:0",
        "gateway_payment_id": None,
        "disposition": "applied",
        "refunded_amount": None,
    }
    clock.advance(hours=1)
    said = Evidence.kept(
        payment.evidence, word="partly_refunded", refunded_amount=4_000, detail="x"
    )
    for given in (4_000, 3_000):  # pesos that went back do not come again
        word = replace(said, refunded_amount=given)
        settle(payment.id, word, keys=shop.keys, live=None, now=utcnow())
    payment = shop.payment(sent.payment_id)
    assert (payment.state, payment.refunded_amount) == ("partly_refunded", 4_000)
    assert _lines(shop, payment.id)[-1].data["refunded_amount"] == 4_000
    settle(
        payment.id,
        replace(said, word="refunded", refunded_amount=0),
        keys=shop.keys,
        live=None,
        now=utcnow(),
    )
    payment = shop.payment(sent.payment_id)
    assert (payment.state, payment.refunded_amount) == ("refunded", payment.amount)
    line = _lines(shop, payment.id)[-1]
    assert (line.from_state, line.to_state) == ("partly_refunded", "refunded")
    assert line.data["refunded_amount"] == payment.amount
    assert shop.state(order) == "refunded"
    assert shop.session.scalars(select(Attention.state)).one() == "cancelled"
    reason = select(JournalEntry.reason).where(JournalEntry.to_state == "cancelled")
    assert shop.session.scalars(reason).one() == "Pago devuelto"
    days = {name: after.days for name, after in AFTER_APPROVAL.items()}
    assert days == {"webpay": 7, "mercadopago": 180}


def test_a_pending_payment_is_known_by_its_id_before_it_is_money(
    shop: Shop, simulator: SimulatorClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    preference = preference_of(shop, sent)
    (mp_id,) = simulator.mp_outcome(preference, "pending_contingency").payment_ids
    question = Question(token=None, reference=reference_of(shop, sent))
    (evidence,) = shop.gateways.mercadopago.look_up(question)
    done = settle(sent.payment_id, evidence, keys=shop.keys, live=None, now=utcnow())
    assert (done.state, done.disposition, done.changed) == ("pending", None, True)
    payment = shop.payment(sent.payment_id)
    assert payment.gateway_payment_id == str(mp_id)
    assert shop.counts()["attentions"] == 0
    # Another try of the same form is a row of its own only when both are money.
    for word, other, state in (
        ("approved", "999", "approved"),
        ("rejected", "998", "approved"),
    ):
        said = replace(evidence, word=word, gateway_payment_id=other)
        done = settle(sent.payment_id, said, keys=shop.keys, live=None, now=utcnow())
        assert (done.payment_id, done.state) == (sent.payment_id, state)
        assert len(shop.payments()) == 1
    assert shop.payments()[0].gateway_payment_id == "999"


@pytest.mark.parametrize("code", ["other_amount", "other_currency"])
def test_approval_that_differs_is_a_mismatch_and_does_not_pay(
    shop: Shop, simulator: SimulatorClient, code: str
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), code)
    reference = reference_of(shop, sent)
    returns.mercadopago_returned(reference, "", gateways=shop.gateways, now=utcnow())
    payment = shop.payment(sent.payment_id)
    assert (payment.state, payment.disposition) == ("approved", "mismatch")
    assert shop.state(order) == "awaiting_payment"
    assert shop.counts()["attentions"] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 19_989},
        {"amount": None},
        {"amount_is_whole": False},
        {"currency": "ARS"},
        {"reference": "itp-of-another"},
        {"account": "999"},
        {"account": None},
    ],
)
def test_each_disagreement_of_mercado_pago_is_a_mismatch(
    shop: Shop, changed: dict[str, object]
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment = shop.payment(sent.payment_id)
    evidence = Evidence(
        **{  # type: ignore[arg-type]
            "word": "approved",
            "gateway_payment_id": "77",
            "amount": payment.amount,
            "currency": "CLP",
            "reference": reference_of(shop, sent),
            "account": payment.account,
            "live": False,
            **changed,
        }
    )
    done = settle(sent.payment_id, evidence, keys=shop.keys, live=None, now=utcnow())
    assert done.disposition == "mismatch"
    assert shop.state(order) == "awaiting_payment"


def test_a_test_payment_is_a_mismatch_in_production(shop: Shop) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment = shop.payment(sent.payment_id)
    evidence = Evidence(
        word="approved",
        gateway_payment_id="77",
        amount=payment.amount,
        currency="CLP",
        reference=reference_of(shop, sent),
        account=payment.account,
        live=False,
    )
    done = settle(sent.payment_id, evidence, keys=shop.keys, live=True, now=utcnow())
    assert done.disposition == "mismatch"
    assert shop.state(order) == "awaiting_payment"


def test_approved_never_goes_back(shop: Shop, simulator: SimulatorClient) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    for word in ("rejected", "pending", "open"):
        done = settle(
            sent.payment_id,
            Evidence(word=word),
            keys=shop.keys,
            live=None,
            now=utcnow(),
        )
        assert not done.changed
    returns.webpay_not_paid(sent.payment_id, "form_error", now=utcnow())
    assert shop.payment(sent.payment_id).state == "approved"
    assert shop.state(order) == "paid"


def test_webpay_is_not_committed_when_the_order_was_replaced(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    with transaction() as session:
        cancel(
            session,
            get(session, order.id),
            actor=CUSTOMER,
            reason="Reemplazado",
            now=utcnow(),
        )
    shop.webpay_return(sent)
    assert sent.token
    assert simulator.calls("webpay_commit", sent.token) == 0
    assert shop.payment(sent.payment_id).state == "aborted"


def test_a_commit_that_never_left_is_sent_again(
    shop: Shop, simulator: SimulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    options = shop.gateways.webpay._transaction.options
    real, addresses = options.base_url, ["http://127.0.0.1:9"]
    monkeypatch.setattr(
        type(options),
        "base_url",
        property(
            lambda _self: addresses.pop() if addresses else real, lambda _self, _v: None
        ),
        raising=False,
    )
    shop.webpay_return(sent)
    assert shop.counts() == PAID_ONCE


def test_good_money_after_a_mismatch_on_one_preference_pays_the_order(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    reference = reference_of(shop, sent)
    for code in ("other_amount", "credit", "other_currency"):
        simulator.mp_pay(preference_of(shop, sent), code)
        returns.mercadopago_returned(
            reference, "", gateways=shop.gateways, now=utcnow()
        )
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    found = [p.disposition for p in shop.payments()]
    assert found == ["mismatch", "applied", "mismatch"]
    assert shop.state(order) == "paid"
    assert shop.counts()["attentions"] == 1
