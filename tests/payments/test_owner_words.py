"""What the owner enters because no gateway tells it any more."""

import pytest
from conftest import FrozenClock
from payment_cases import Shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import select, text

from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.db import transaction
from portal.errors import ConflictError, RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import Actor, change_state
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.payments import owner_words, refund_requests, refund_rules, refunds, states
from portal.payments.models import Payment, Refund
from portal.payments.reconcile import ask_one, expire_due, reconcile_due
from portal.support.models import Attention

OWNER = Actor("staff", 1)
PANEL = "Vista en el portal de Transbank"


def paid(shop: Shop, simulator: SimulatorClient) -> tuple[Order, int]:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    return order, sent.payment_id


def enter(payment_id: int, kind: str, amount: int, reason: str = PANEL) -> None:
    owner_words.enter(
        payment_id, kind, amount, reason=reason, actor=OWNER, now=utcnow()
    )


def refunds_of(shop: Shop) -> list[tuple[str, str, int, str]]:
    shop.session.rollback()
    rows = shop.session.scalars(select(Refund).order_by(Refund.id))
    return [(row.state, row.source, row.amount, row.reason) for row in rows]


def last_line(shop: Shop, action: str) -> JournalEntry:
    return shop.session.scalars(
        select(JournalEntry)
        .where(JournalEntry.action == action)
        .order_by(JournalEntry.id.desc())
    ).first()  # type: ignore[return-value]


@pytest.mark.postgres
def test_a_refund_made_at_the_portal_of_transbank_ends_the_order(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, payment_id = paid(shop, simulator)
    clock.advance(days=8)
    enter(payment_id, "refund", 5_000)
    enter(payment_id, "refund", 14_990)
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_amount) == ("refunded", 19_990)
    assert shop.state(order) == "refunded"
    assert shop.session.scalars(select(Attention.state)).one() == "cancelled"
    assert refunds_of(shop) == [
        ("confirmed", "owner", 5_000, PANEL),
        ("confirmed", "owner", 14_990, PANEL),
    ]
    line = last_line(shop, "payment.refunded")
    assert (line.actor_kind, line.actor_id, line.reason) == ("staff", 1, PANEL)
    assert line.data["detail"] == "by_owner"
    # The receipt still tells how it was paid.
    assert payment.evidence is not None
    assert payment.evidence["card_last4"]
    assert broken_invariants(shop.session) == []


def test_a_chargeback_ends_the_order_and_gives_nothing_back(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order, payment_id = paid(shop, simulator)
    enter(payment_id, "chargeback", 19_990)
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_amount) == ("charged_back", 0)
    assert shop.state(order) == "charged_back"
    assert refunds_of(shop) == []
    # Who wrote it knows of it: no mail.
    kinds = shop.session.scalars(select(OutboxRow.kind)).all()
    assert "alert.chargeback" not in kinds
    with pytest.raises(ConflictError):
        enter(payment_id, "chargeback", 19_990)


def test_it_confirms_the_refund_that_is_in_flight(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _, payment_id = paid(shop, simulator)
    simulator.fail("webpay_refund", "cut_after")
    number = refund_requests.request_by_owner(
        payment_id, 5_000, reason="Acuerdo", actor=OWNER, now=utcnow()
    )
    refunds.send(number, shop.gateways, now=utcnow())
    enter(payment_id, "refund", 5_000)
    assert refunds_of(shop) == [("confirmed", "owner", 5_000, "Acuerdo")]


@pytest.mark.parametrize("amount", [0, -1, 19_991])
def test_pesos_that_are_not_there_are_refused(
    shop: Shop, simulator: SimulatorClient, amount: int
) -> None:
    _, payment_id = paid(shop, simulator)
    with pytest.raises(RefusedError):
        enter(payment_id, "refund", amount)
    with pytest.raises(RefusedError, match="dónde y cuándo"):
        enter(payment_id, "refund", 1_000, reason=" ")
    assert shop.payment(payment_id).state == "approved"


def test_a_refused_refund_is_noted_on_itself(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _, payment_id = paid(shop, simulator)
    simulator.fail("webpay_refund", "not_done")
    number = refund_requests.request_by_owner(
        payment_id, 19_990, reason="Acuerdo", actor=OWNER, now=utcnow()
    )
    refunds.send(number, shop.gateways, now=utcnow())
    with pytest.raises(RefusedError, match="anótela en ella"):
        enter(payment_id, "refund", 19_990)


# Attempts without an answer ---------------------------------------------


def lost(shop: Shop, simulator: SimulatorClient) -> tuple[Order, int]:
    """A commit whose answer never came and that nobody can tell of."""
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    simulator.fail("webpay_commit", "cut")
    simulator.fail("webpay_status", "html_502", times=100)
    shop.webpay_return(sent)
    assert shop.payment(sent.payment_id).state == "unknown"
    return order, sent.payment_id


def alerts(shop: Shop) -> list[str]:
    shop.session.rollback()
    kind = OutboxRow.kind == "alert.unresolved"
    return list(shop.session.scalars(select(OutboxRow.key).where(kind)))


@pytest.mark.postgres
def test_after_the_window_the_owner_says_that_it_was_not_paid(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order, payment_id = lost(shop, simulator)
    with pytest.raises(RefusedError, match="sigue preguntando"):
        owner_words.reject_unknown(payment_id, reason="x", actor=OWNER, now=utcnow())
    clock.advance(days=7, minutes=1)
    assert expire_due(now=utcnow()) == 0
    with pytest.raises(RefusedError, match="dónde y cuándo"):
        owner_words.reject_unknown(payment_id, reason=" ", actor=OWNER, now=utcnow())
    owner_words.reject_unknown(payment_id, reason=PANEL, actor=OWNER, now=utcnow())
    assert shop.payment(payment_id).state == "rejected"
    line = last_line(shop, "payment.rejected")
    assert (line.actor_kind, line.from_state, line.reason) == (
        "staff",
        "unknown",
        PANEL,
    )
    assert expire_due(now=utcnow()) == 1
    assert shop.state(order) == "expired"
    with pytest.raises(ConflictError):
        owner_words.reject_unknown(payment_id, reason=PANEL, actor=OWNER, now=utcnow())
    assert broken_invariants(shop.session) == []


def test_a_payment_that_lives_is_not_rejected(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _, payment_id = paid(shop, simulator)
    clock.advance(days=40)
    with pytest.raises(ConflictError):
        owner_words.reject_unknown(payment_id, reason="x", actor=OWNER, now=utcnow())


def test_the_end_of_the_window_alerts_the_owner_once(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _, payment_id = lost(shop, simulator)
    while shop.payment(payment_id).next_check_at is not None:
        assert alerts(shop) == []
        clock.advance(hours=6, minutes=1)
        reconcile_due(shop.gateways, now=utcnow())
    assert alerts(shop) == [str(payment_id)]
    ask_one(payment_id, shop.gateways, utcnow())
    assert alerts(shop) == [str(payment_id)]


def test_a_pending_payment_of_mercado_pago_is_left_over_after_a_month(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    mp_id = simulator.mp_pay(preference_of(shop, sent), "pending_contingency")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert shop.payment(sent.payment_id).state == "pending"
    clock.advance(days=30, minutes=1)
    reconcile_due(shop.gateways, now=utcnow())
    assert alerts(shop) == [str(sent.payment_id)]
    owner_words.reject_unknown(sent.payment_id, reason="x", actor=OWNER, now=utcnow())
    payment = shop.payment(sent.payment_id)
    assert payment.state == "rejected"
    # It is still found in the gateway's panel.
    assert payment.gateway_payment_id == str(mp_id)


# A key that is gone -----------------------------------------------------


def lose_the_key(payment_id: int) -> None:
    """As after a SECRET_KEY that nobody kept: neither token nor reference open."""
    with transaction() as session:
        payment = session.get_one(Payment, payment_id)
        payment.seed = "0" * 32
        payment.token_sealed = "not-of-any-key"


def test_a_payment_whose_key_is_gone_does_not_stop_the_round(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    gone, _ = pay_by_webpay(shop, simulator, shop.order())
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "credit")
    lose_the_key(gone.payment_id)
    clock.advance(minutes=1)
    found = reconcile_due(shop.gateways, now=utcnow())
    assert (found.asked, found.unanswered) == (2, 1)
    assert shop.state(order) == "paid"
    postponed = shop.payment(gone.payment_id).next_check_at
    assert postponed is not None
    assert postponed > utcnow()
    # However often it is met, the owner reads of it once a day.
    clock.advance(minutes=1)
    assert reconcile_due(shop.gateways, now=utcnow()).unanswered == 1
    told = "SELECT COUNT(*) FROM outbox WHERE kind = 'alert.lost_key'"
    assert shop.session.scalar(text(told)) == 1


def test_a_commit_whose_key_is_gone_becomes_unknown(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    sent, _ = pay_by_webpay(shop, simulator, shop.order())
    with transaction() as session:
        change_state(
            session,
            session.get_one(Payment, sent.payment_id),
            "committing",
            machine=states.TRANSITIONS["webpay"],
            at=utcnow(),
            actor=OWNER,
            action="payment.committing",
            order_id=1,
            lease_until=utcnow(),
        )
    lose_the_key(sent.payment_id)
    clock.advance(minutes=1)
    reconcile_due(shop.gateways, now=utcnow())
    assert shop.payment(sent.payment_id).state == "unknown"


# Refunds that status no longer tells of ---------------------------------


def ask_refund(shop: Shop, payment_id: int, amount: int = 19_990) -> int:
    number = refund_requests.request_by_owner(
        payment_id, amount, reason="Acuerdo", actor=OWNER, now=utcnow()
    )
    refunds.send(number, shop.gateways, now=utcnow())
    return number


@pytest.mark.parametrize(("amount", "state"), [(19_990, "refunded"), (5_000, None)])
def test_webpays_own_answer_settles_a_refund_after_the_seven_days(
    shop: Shop,
    simulator: SimulatorClient,
    clock: FrozenClock,
    amount: int,
    state: str | None,
) -> None:
    _, payment_id = paid(shop, simulator)
    clock.advance(days=8)
    ask_refund(shop, payment_id, amount)
    assert refunds_of(shop)[0][0] == "confirmed"
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_amount) == (
        state or "partly_refunded",
        amount,
    )
    assert simulator.calls("webpay_refund") == 1
    assert broken_invariants(shop.session) == []


def test_an_answer_that_status_told_first_counts_once(
    shop: Shop, simulator: SimulatorClient
) -> None:
    """The reconciler reads the refund at the gateway before its answer is written."""
    _, payment_id = paid(shop, simulator)
    refund = shop.gateways.webpay.refund

    def slow(token: str, amount: int) -> None:
        refund(token, amount)
        ask_one(payment_id, shop.gateways, utcnow())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.gateways.webpay, "refund", slow)
        ask_refund(shop, payment_id, 5_000)
    assert shop.payment(payment_id).refunded_amount == 5_000
    assert refunds_of(shop) == [("confirmed", "owner", 5_000, "Acuerdo")]


def test_a_refund_that_nobody_can_read_ends_with_the_owner_and_is_sent_once(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _, payment_id = paid(shop, simulator)
    clock.advance(days=8)
    simulator.fail("webpay_refund", "cut_after")
    number = ask_refund(shop, payment_id)
    for _ in range(refund_rules.MAX_TRIES):
        assert refunds_of(shop)[0][0] == "sent"
        clock.advance(hours=7)
        refunds.follow_due(shop.gateways, now=utcnow())
    assert refunds_of(shop)[0][0] == "rejected"
    assert simulator.calls("webpay_refund") == 1
    shop.session.rollback()
    detail = shop.session.get_one(Refund, number).detail
    assert "portal de Transbank" in refund_rules.rejection_words(detail)
    refunds.pay_by_hand(number, reason=PANEL, actor=OWNER, now=utcnow())
    assert shop.payment(payment_id).state == "refunded"


def test_a_refund_whose_key_is_gone_is_not_tried_for_ever(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _, payment_id = paid(shop, simulator)
    lose_the_key(payment_id)
    number = ask_refund(shop, payment_id)
    refunds.follow_due(shop.gateways, now=utcnow())
    shop.session.rollback()
    refund = shop.session.get_one(Refund, number)
    assert (refund.state, refund.detail) == ("rejected", "no_key")
    assert simulator.calls("webpay_refund") == 0


# Rejected ones ----------------------------------------------------------


def test_a_second_tap_is_no_second_refund(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    _, payment_id = paid(shop, simulator)
    ask_refund(shop, payment_id, 5_000)
    clock.advance(seconds=5)
    with pytest.raises(refund_requests.RefundUnderWayError):
        ask_refund(shop, payment_id, 5_000)
    assert len(refunds_of(shop)) == 1
    clock.advance(minutes=2)
    ask_refund(shop, payment_id, 5_000)
    assert shop.payment(payment_id).refunded_amount == 10_000


def test_a_rejected_refund_is_not_mended_while_another_is_under_way(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _, payment_id = paid(shop, simulator)
    simulator.fail("webpay_refund", "not_done")
    number = ask_refund(shop, payment_id)
    refund_requests.request_by_owner(
        payment_id, 5_000, reason="Otra", actor=OWNER, now=utcnow()
    )
    for act in (
        lambda: refunds.retry(number, actor=OWNER, now=utcnow()),
        lambda: refunds.pay_by_hand(number, reason="x", actor=OWNER, now=utcnow()),
    ):
        with pytest.raises(refund_requests.RefundUnderWayError):
            act()


def test_a_rejected_refund_is_not_paid_on_top_of_the_money_that_went_back(
    shop: Shop, simulator: SimulatorClient
) -> None:
    _, payment_id = paid(shop, simulator)
    simulator.fail("webpay_refund", "not_done")
    number = ask_refund(shop, payment_id)
    ask_refund(shop, payment_id, 19_989)
    with pytest.raises(RefusedError, match="ya se devolvió"):
        refunds.pay_by_hand(number, reason="x", actor=OWNER, now=utcnow())


def test_money_of_another_amount_goes_back_as_it_was_charged(
    shop: Shop, simulator: SimulatorClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "other_amount")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    payment = shop.payment(sent.payment_id)
    assert payment.disposition == "mismatch"
    assert payment.charged != payment.amount
    charged = payment.charged
    ask_refund(shop, sent.payment_id, charged)
    assert refunds_of(shop) == [("confirmed", "owner", charged, "Acuerdo")]
    assert shop.payment(sent.payment_id).state == "refunded"
