"""Words of gateways, payers and the clock at the same time: one of them wins."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from payment_cases import (
    PAID_ONCE,
    Shop,
    follow,
    pay_by_webpay,
    preference_of,
    reference_of,
)
from simulator_client import SimulatorClient
from sqlalchemy import text

from portal.clock import utcnow
from portal.errors import PortalError
from portal.payments import attempts
from portal.payments.gateways.base import Evidence, Question
from portal.payments.service import settle

MEET_SECONDS = 0.5


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let so many settlements reach their locks at the same moment.

    SQLite lets one in at a time: there the others arrive when it is done.
    """

    def prepare(parties: int) -> None:
        from portal.orders import queries

        read, barrier = queries.get, threading.Barrier(parties, timeout=MEET_SECONDS)

        def meet(session, order_id, *, lock=False):  # type: ignore[no-untyped-def]
            if lock:
                with suppress(threading.BrokenBarrierError):
                    barrier.wait()
            return read(session, order_id, lock=lock)

        monkeypatch.setattr("portal.payments.service.order_queries.get", meet)

    return prepare


def at_once(shop: Shop, *acts: Callable[[], object]) -> list[object]:
    """Do all acts at the same time; what each returned or raised, in their order."""
    start = threading.Barrier(len(acts), timeout=30)
    results: list[object] = [None] * len(acts)

    def play(place: int, act: Callable[[], object]) -> None:
        with shop.app.app_context():
            start.wait()
            try:
                results[place] = act()
            except PortalError as error:
                results[place] = error

    threads = [
        threading.Thread(target=play, args=(place, act))
        for place, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _settling(shop: Shop, payment_id: int, evidence: Evidence) -> Callable[[], object]:
    return lambda: settle(payment_id, evidence, keys=shop.keys, live=None, now=utcnow())


def _approved_by_webpay(
    shop: Shop, simulator: SimulatorClient, sent: attempts.Sent
) -> Evidence:
    assert sent.token
    simulator.webpay_outcome(sent.token, "visa")
    return shop.gateways.webpay.commit(sent.token)


@pytest.mark.postgres
def test_one_approval_told_by_three_at_once_pays_once(
    shop: Shop,
    simulator: SimulatorClient,
    meeting: Callable[[int], None],
) -> None:
    sent = shop.start(shop.order())
    evidence = _approved_by_webpay(shop, simulator, sent)
    meeting(3)
    act = _settling(shop, sent.payment_id, evidence)
    results = at_once(shop, act, act, act)
    assert [getattr(one, "state", one) for one in results] == ["approved"] * 3
    assert sorted(bool(getattr(one, "changed", None)) for one in results) == [
        False,
        False,
        True,
    ]
    assert shop.counts() == PAID_ONCE


@pytest.mark.postgres
def test_both_gateways_approving_at_once_are_applied_and_surplus(
    shop: Shop, simulator: SimulatorClient, meeting: Callable[[int], None]
) -> None:
    order = shop.order()
    webpay, mercadopago = shop.start(order), shop.start(order, "mercadopago")
    first = _approved_by_webpay(shop, simulator, webpay)
    simulator.mp_pay(preference_of(shop, mercadopago), "credit")
    question = Question(token=None, reference=reference_of(shop, mercadopago))
    (second,) = shop.gateways.mercadopago.look_up(question)
    meeting(2)
    at_once(
        shop,
        _settling(shop, webpay.payment_id, first),
        _settling(shop, mercadopago.payment_id, second),
    )
    found = sorted(str(payment.disposition) for payment in shop.payments())
    assert found == ["applied", "surplus"]
    assert (shop.counts()["attentions"], shop.counts()["paid"]) == (1, 1)


@pytest.mark.postgres
def test_eight_taps_on_pay_at_once_are_one_attempt(
    shop: Shop, simulator: SimulatorClient
) -> None:
    number, gateways = shop.order().id, shop.gateways

    def tap() -> object:
        return attempts.start(number, "webpay", gateways=gateways, now=utcnow())

    results = at_once(shop, *[tap] * 8)
    assert len(set(results)) == 1
    assert simulator.calls("webpay_create") == 1


def test_a_paid_order_opens_no_other_attempt(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    for gateway in ("webpay", "mercadopago"):
        with pytest.raises(attempts.NotPayableError):
            shop.start(order, gateway)
    assert len(shop.payments()) == 1


@pytest.mark.parametrize("state", ["committing", "unknown"])
def test_while_money_is_being_verified_no_other_attempt_opens(
    shop: Shop, state: str
) -> None:
    order = shop.order()
    shop.start(order)
    shop.session.execute(text(f"UPDATE payments SET state = '{state}'"))  # noqa: S608
    shop.session.commit()
    with pytest.raises(attempts.BeingVerifiedError):
        shop.start(order, "mercadopago")
    assert len(shop.payments()) == 1


def test_a_second_return_waits_for_the_first_and_reads_its_result(
    shop: Shop, simulator: SimulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.order()
    path = shop.path(order)
    _, where = pay_by_webpay(shop, simulator, order)
    simulator.fail("webpay_commit", "hold")
    first = threading.Thread(target=lambda: follow(shop.app.test_client(), where))
    first.start()
    simulator.wait_until_held()
    waited: list[float] = []

    def let_it_go(seconds: float) -> None:
        """The second return waits: only now may the commit end."""
        waited.append(seconds)
        simulator.release()
        first.join()

    monkeypatch.setattr("portal.payments.returns.sleep", let_it_go)
    client = shop.app.test_client()
    answer = follow(client, where)
    page = client.get(path).get_data(as_text=True)
    simulator.release()
    first.join()
    assert answer.headers["Location"] == path  # type: ignore[attr-defined]
    assert waited == [0.1]
    assert "Pago recibido" in page
