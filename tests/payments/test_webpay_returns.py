"""Webpay's returns: the four shapes, by GET and POST, in every state of a payment."""

import itertools
import threading

import pytest
from flask.testing import FlaskClient
from payment_cases import PAID_ONCE, Shop, follow, pay_by_webpay, reference_of
from simulator_client import SimulatorClient
from sqlalchemy import text

from portal.db import transaction
from portal.payments import states

URL = "/pago/webpay/retorno"
STATES = tuple(states.TRANSITIONS[states.WEBPAY])
UNKNOWN_TOKEN = "ab" * 32
SHAPES = ("normal", "aborted", "timeout", "form_error")


def _params(shape: str, token: str, buy_order: str, session_id: str) -> dict[str, str]:
    tbk = {"TBK_ID_SESION": session_id, "TBK_ORDEN_COMPRA": buy_order}
    return {
        "normal": {"token_ws": token},
        "aborted": {"TBK_TOKEN": token, **tbk},
        "timeout": tbk,
        "form_error": {"token_ws": token, "TBK_TOKEN": token, **tbk},
    }[shape]


def _send(client: FlaskClient, method: str, params: dict[str, str]):  # type: ignore[no-untyped-def]
    if method == "POST":
        return client.post(URL, data=params, csrf=False)  # type: ignore[call-arg]
    return client.get(URL, query_string=params)


def _put_into(shop: Shop, payment_id: int, state: str) -> None:
    """Force the row into a state, whatever the road to it."""
    disposition = "'surplus'" if state in states.SETTLED else "NULL"
    with transaction() as session:
        session.execute(
            text(
                f"UPDATE payments SET state = :state, disposition = {disposition}, "  # noqa: S608
                "version = version + 1 WHERE id = :id"
            ),
            {"state": state, "id": payment_id},
        )


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A return that finds a commit under way would wait 15 seconds for it."""
    monkeypatch.setattr("portal.payments.returns._WAIT_SECONDS", 0.0)


@pytest.mark.parametrize("state", STATES)
def test_wp_18_every_return_in_every_state_has_its_page_and_at_most_one_commit(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    no_waiting: None,
    state: str,
) -> None:
    for shape, method, known in itertools.product(
        SHAPES, ("GET", "POST"), (True, False)
    ):
        order = shop.order()
        sent, _ = pay_by_webpay(shop, simulator, order)
        payment = shop.payment(sent.payment_id)
        secret = reference_of(shop, sent)
        token = sent.token if known else UNKNOWN_TOKEN
        assert token
        params = _params(
            shape, token, payment.buy_order, secret if known else "itp" + "0" * 40
        )
        _put_into(shop, payment.id, state)
        answer = _send(client, method, params)
        cell = (shape, method, known)
        assert sent.token
        commits = simulator.calls("webpay_commit", sent.token)
        expected = 1 if (shape, known, state) == ("normal", True, "redirected") else 0
        assert commits == expected, cell
        assert answer.status_code == (303 if known else 404), cell
        if known:
            assert answer.headers["Location"] == shop.path(order), cell
        after = shop.payment(payment.id).state
        assert after == _expected_after(state, shape, known), cell


def _expected_after(state: str, shape: str, known: bool) -> str:
    if state != states.REDIRECTED or not known:
        return state
    return {
        "normal": states.APPROVED,
        "timeout": states.TIMED_OUT,
        "aborted": states.ABORTED,
        "form_error": states.ABORTED,
    }[shape]


_NAMES = ("token_ws", "TBK_TOKEN", "TBK_ID_SESION", "TBK_ORDEN_COMPRA")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_subset_of_parameters_is_answered_without_a_commit_of_strangers(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, method: str
) -> None:
    values = ("x", UNKNOWN_TOKEN, "../../v1.0/x?y=1", "é\u0000", "")
    for size in range(len(_NAMES) + 1):
        for names in itertools.combinations(_NAMES, size):
            for value in values:
                answer = _send(client, method, dict.fromkeys(names, value))
                assert answer.status_code in (400, 404), (names, value)
    assert simulator.calls("webpay_commit") == 0
    assert simulator.calls("webpay_status") == 0


def test_a_repeated_parameter_is_refused_and_commits_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    answer = client.get(f"{URL}?token_ws={sent.token}&token_ws={UNKNOWN_TOKEN}")
    assert answer.status_code == 400
    assert simulator.calls("webpay_commit") == 0
    assert shop.payment(sent.payment_id).state == "redirected"


def test_timeout_with_the_buy_order_alone_is_not_believed(
    shop: Shop, client: FlaskClient
) -> None:
    sent = shop.start(shop.order())
    buy_order = shop.payment(sent.payment_id).buy_order
    answer = client.get(
        URL, query_string={"TBK_ORDEN_COMPRA": buy_order, "TBK_ID_SESION": "guess"}
    )
    assert answer.status_code == 404
    assert shop.payment(sent.payment_id).state == "redirected"


def test_timeout_is_understood_with_the_other_spelling(
    shop: Shop, client: FlaskClient
) -> None:
    sent = shop.start(shop.order())
    buy_order = shop.payment(sent.payment_id).buy_order
    client.get(
        URL,
        query_string={
            "TBK_ORDEN_COMPRA": buy_order,
            "TBK_ID_SESSION": reference_of(shop, sent),
        },
    )
    assert shop.payment(sent.payment_id).state == "timed_out"


@pytest.mark.parametrize(
    ("code", "state", "says"),
    [
        ("visa", "approved", "Pago recibido"),
        ("rejected", "rejected", "no fue autorizado"),
        ("aborted", "aborted", "Usted anuló la compra"),
        ("timeout", "timed_out", "terminó"),
        ("form_error", "aborted", "se interrumpió"),
    ],
)
def test_the_page_after_each_return_says_what_became_of_the_money(
    shop: Shop,
    simulator: SimulatorClient,
    client: FlaskClient,
    code: str,
    state: str,
    says: str,
) -> None:
    order = shop.order()
    sent, where = pay_by_webpay(shop, simulator, order, code)
    answer = follow(client, where)
    assert answer.status_code == 303  # type: ignore[attr-defined]
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert says in page
    assert shop.payment(sent.payment_id).state == state
    if state != "approved":
        assert "No se hizo ningún cobro" in page
        assert "Pagar $19.990" in page


@pytest.mark.postgres
def test_returns_at_once_commit_once_and_show_the_same_page(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, where = pay_by_webpay(shop, simulator, order)
    simulator.fail("webpay_commit", "hold")
    locations: list[str] = []

    def come_back() -> None:
        with shop.app.test_client() as other:
            answer = follow(other, where)
            locations.append(answer.headers["Location"])  # type: ignore[attr-defined]

    threads = [threading.Thread(target=come_back) for _ in range(6)]
    for thread in threads:
        thread.start()
    simulator.wait_until_held()
    simulator.release()
    for thread in threads:
        thread.join()
    assert locations == [shop.path(order)] * 6
    assert sent.token
    assert simulator.calls("webpay_commit", sent.token) == 1
    assert shop.counts() == PAID_ONCE
