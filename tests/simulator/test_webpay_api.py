"""Webpay Plus's API of the simulator, driven by the real SDK."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
import requests
from simulator_client import SimulatorClient
from transbank.common.integration_type import IntegrationType
from transbank.common.options import WebpayOptions
from transbank.common.request_service import RequestService
from transbank.error.transbank_error import TransbankError
from transbank.webpay.webpay_plus.transaction import Transaction

from portal.config import Settings
from portal.simulator import webpay_rules as rules

RETURN_URL = "http://127.0.0.1:9/pago/webpay/retorno"


@pytest.fixture
def webpay(simulator: SimulatorClient, settings: Settings) -> Iterator[Transaction]:
    options = WebpayOptions(
        settings.webpay_commerce_code,
        settings.webpay_api_key,
        IntegrationType.TEST,
        timeout=(3, 15),
    )
    base = f"{simulator.base_url}/webpay"
    with mock.patch.object(RequestService, "host", return_value=base):
        yield Transaction(options)


def new(webpay: Transaction, order: str = "p-1", amount: int = 19_990) -> str:
    return webpay.create(order, "session", amount, RETURN_URL)["token"]


def paid(webpay, simulator, code: str = "visa", order: str = "p-1") -> str:
    token = new(webpay, order)
    simulator.webpay_outcome(token, code)
    webpay.commit(token)
    return token


def refusal(call, *arguments: object) -> tuple[str, int]:
    with pytest.raises(TransbankError) as caught:
        call(*arguments)
    return caught.value.message, caught.value.code


def test_create_answers_token_and_form(webpay, simulator):
    answer = webpay.create("p-1", "session", 19_990, RETURN_URL)
    assert set(answer["token"]) <= set("0123456789abcdef")
    assert len(answer["token"]) == 64
    assert answer["url"].startswith(simulator.base_url)
    assert answer["url"].endswith("/webpay/webpayserver/initTransaction")


def test_wrong_key_is_refused_with_401(webpay):
    webpay.options._api_key = "x"
    assert refusal(new, webpay) == ("Not Authorized", 401)


@pytest.mark.parametrize("amount", [0, -5, "1.5", 10000.0, "", "x", None, "１"])
def test_amount_must_be_whole_and_positive(webpay, amount):
    assert refusal(new, webpay, "p-1", amount)[1] == 422


@pytest.mark.parametrize("change", [{"buy_order": "ñ"}, {"return_url": "ftp://x"}])
def test_fields_out_of_form_are_refused(webpay, change):
    fields = {
        "buy_order": "p-1",
        "session_id": "s",
        "amount": 1,
        "return_url": RETURN_URL,
    }
    with pytest.raises(TransbankError, match="422"):
        webpay.create(**(fields | change))


def test_lengths_are_checked_by_the_server_too():
    body = {
        "buy_order": "x" * 27,
        "session_id": "s",
        "amount": 1,
        "return_url": "http://x",
    }
    assert rules.creation_problem(body) == "Invalid value for parameter: buy_order"
    assert rules.creation_problem(body | {"buy_order": "x" * 26}) is None


def test_buy_order_is_unique(webpay):
    new(webpay)
    assert refusal(new, webpay) == ("Transaction already exists", 422)


@pytest.mark.parametrize("code", sorted(rules.APPROVALS))
def test_each_approval_commits_as_the_sheet_shows(webpay, simulator, code):
    token = new(webpay)
    browser = simulator.webpay_outcome(token, code)
    assert (browser.method, browser.params) == ("GET", {"token_ws": token})
    answer = webpay.commit(token)
    bank = rules.APPROVALS[code]
    assert (answer["status"], answer["response_code"]) == ("AUTHORIZED", 0)
    assert (answer["amount"], answer["buy_order"]) == (19_990, "p-1")
    assert answer["session_id"] == "session"
    assert answer["payment_type_code"] == bank.payment_type
    assert answer["card_detail"] == {"card_number": bank.card}
    assert len(answer["authorization_code"]) == 6
    assert answer["installments_number"] == bank.instalments
    assert webpay.status(token) == answer


def test_instalments_may_come_without_their_amount(webpay, simulator):
    token = new(webpay)
    simulator.webpay_outcome(token, "instalments_null")
    assert webpay.commit(token)["installments_amount"] is None


@pytest.mark.parametrize("code", sorted(rules.REJECTIONS))
def test_each_rejection_is_a_200(webpay, simulator, code):
    token = new(webpay)
    simulator.webpay_outcome(token, code)
    answer = webpay.commit(token)
    assert answer["status"] == "FAILED"
    assert answer["response_code"] == rules.REJECTIONS[code].response_code < 0
    assert "authorization_code" not in answer
    assert simulator.ledger()["webpay"][0]["approved"] is False


def test_second_commit_is_refused(webpay, simulator):
    token = paid(webpay, simulator)
    text, code = refusal(webpay.commit, token)
    assert (text, code) == (
        "Transaction has an invalid finished state: authorized",
        422,
    )
    assert webpay.status(token)["status"] == "AUTHORIZED"
    assert simulator.calls("webpay_commit", token) == 2


def test_commit_before_the_form_is_too_early(webpay):
    assert refusal(webpay.commit, new(webpay)) == (rules.TOO_EARLY, 422)


@pytest.mark.parametrize("code", ["aborted", "timeout", "form_error"])
def test_commit_of_a_left_form_is_refused(webpay, simulator, code):
    token = new(webpay)
    simulator.webpay_outcome(token, code)
    text, _code = refusal(webpay.commit, token)
    assert text == "Transaction has an invalid finished state: aborted"
    assert webpay.status(token)["status"] == "INITIALIZED"


def test_leaving_brings_the_parameters_of_each_case(webpay, simulator):
    orders = {"aborted": "p-1", "timeout": "p-2", "form_error": "p-3"}
    tokens = {code: new(webpay, order) for code, order in orders.items()}
    left = {code: simulator.webpay_outcome(tokens[code], code) for code in orders}
    assert set(left["aborted"].params) == {
        "TBK_TOKEN",
        "TBK_ID_SESION",
        "TBK_ORDEN_COMPRA",
    }
    assert left["timeout"].params == {
        "TBK_ID_SESION": "session",
        "TBK_ORDEN_COMPRA": "p-2",
    }
    assert left["form_error"].method == "POST"
    assert left["form_error"].params["token_ws"] == tokens["form_error"]
    assert len(left["form_error"].params) == 4


def test_a_recovered_tab_does_not_change_what_was_paid(webpay, simulator):
    token = paid(webpay, simulator)
    simulator.webpay_outcome(token, "form_error")
    assert webpay.status(token)["status"] == "AUTHORIZED"


def test_two_commits_at_once_one_is_locked_out(webpay, simulator):
    token = new(webpay)
    simulator.webpay_outcome(token, "visa")
    simulator.fail("webpay_commit", "hold")
    answers: list[dict] = []
    first = threading.Thread(target=lambda: answers.append(webpay.commit(token)))
    first.start()
    simulator.wait_until_held()
    assert refusal(webpay.commit, token) == (rules.LOCKED, 422)
    simulator.release()
    first.join()
    assert answers[0]["status"] == "AUTHORIZED"


def test_unconfirmed_approval_is_reversed(webpay, simulator, clock):
    token = new(webpay)
    simulator.webpay_outcome(token, "visa")
    assert webpay.status(token)["status"] == "INITIALIZED"
    clock.set(clock.now + rules.COMMIT_DEADLINE + timedelta(seconds=10))
    assert webpay.status(token)["status"] == "REVERSED"
    assert refusal(webpay.commit, token)[1] == 422
    assert simulator.ledger()["webpay"][0]["approved"] is False


def test_status_answers_for_seven_days(webpay, simulator, clock):
    token = paid(webpay, simulator)
    clock.advance(days=7, minutes=-1)
    assert webpay.status(token)["status"] == "AUTHORIZED"
    clock.advance(minutes=2)
    assert refusal(webpay.status, token) == (rules.TOO_OLD, 422)


def test_form_left_open_ends_in_its_timeout(webpay, simulator, clock):
    token = new(webpay)
    clock.set(clock.now + rules.FORM_LIFE + timedelta(minutes=1))
    browser = simulator.webpay_outcome(token, "visa")
    assert "token_ws" not in browser.params


def test_total_refund_in_three_hours_is_a_reversal(webpay, simulator):
    token = paid(webpay, simulator)
    assert webpay.refund(token, 19_990) == {"type": "REVERSED"}
    status = webpay.status(token)
    assert (status["status"], status["balance"]) == ("REVERSED", 0)
    assert refusal(webpay.refund, token, 19_990)[1] == 422


def test_partial_refunds_nullify_until_nothing_is_left(webpay, simulator):
    token = paid(webpay, simulator)
    answer = webpay.refund(token, 9_990)
    assert (answer["type"], answer["response_code"]) == ("NULLIFIED", 0)
    assert (answer["nullified_amount"], answer["balance"]) == (9_990, 10_000)
    assert webpay.status(token)["status"] == "PARTIALLY_NULLIFIED"
    assert webpay.status(token)["balance"] == 10_000
    assert refusal(webpay.refund, token, 10_001)[1] == 422
    webpay.refund(token, 10_000)
    assert webpay.status(token)["status"] == "NULLIFIED"
    assert simulator.ledger()["webpay"][0]["refunded"] == 19_990


def test_total_refund_after_three_hours_is_a_nullification(webpay, simulator, clock):
    token = paid(webpay, simulator)
    clock.set(clock.now + timedelta(hours=3, minutes=1))
    assert webpay.refund(token, 19_990)["type"] == "NULLIFIED"


def test_refund_after_ninety_days_is_refused(webpay, simulator, clock):
    token = paid(webpay, simulator)
    clock.set(clock.now + timedelta(days=91))
    assert refusal(webpay.refund, token, 19_990)[1] == 422


@pytest.mark.parametrize(
    "code", ["redcompra", "prepaid", "instalments", "interest_free_3"]
)
def test_debit_and_instalments_are_refunded_whole_only(webpay, simulator, code):
    token = paid(webpay, simulator, code)
    assert refusal(webpay.refund, token, 1_000)[1] == 422
    assert webpay.refund(token, 19_990) == {"type": "REVERSED"}


def test_refund_of_what_was_not_paid_is_refused(webpay, simulator):
    token = new(webpay)
    assert refusal(webpay.refund, token, 19_990)[1] == 422


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("other_amount", "amount"),
        ("other_order", "buy_order"),
        ("other_session", "session_id"),
    ],
)
def test_mismatches_differ_in_one_field(webpay, simulator, code, field):
    token = new(webpay)
    simulator.webpay_outcome(token, code)
    answer = webpay.commit(token)
    sent = {"amount": 19_990, "buy_order": "p-1", "session_id": "session"}
    assert {name for name in sent if answer[name] != sent[name]} == {field}


def test_abo_has_code_zero_but_no_authorization(webpay, simulator):
    token = new(webpay)
    simulator.webpay_outcome(token, "abo")
    assert refusal(webpay.commit, token)[1] == 422
    status = webpay.status(token)
    assert (status["response_code"], status["vci"]) == (0, "ABO")
    assert status["status"] != "AUTHORIZED"


def test_closed_tab_never_returns_but_can_be_committed(webpay, simulator):
    token = new(webpay)
    assert simulator.webpay_outcome(token, "close").method == "NONE"
    assert webpay.commit(token)["status"] == "AUTHORIZED"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_return_method_can_be_forced(webpay, simulator, method):
    token = new(webpay)
    assert simulator.webpay_outcome(token, "visa", method).method == method


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error_500", TransbankError),
        ("html_502", ValueError),
        ("broken_json", ValueError),
        ("cut", requests.exceptions.ChunkedEncodingError),
        ("unauthorized", TransbankError),
        ("refused", TransbankError),
        ("rate_limited", TransbankError),
    ],
)
def test_faults_before_leave_the_transaction_as_it_was(webpay, simulator, kind, error):
    token = new(webpay)
    simulator.webpay_outcome(token, "visa")
    simulator.fail("webpay_commit", kind)
    with pytest.raises(error):
        webpay.commit(token)
    assert webpay.commit(token)["status"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error_500_after", TransbankError),
        ("html_502_after", ValueError),
        ("cut_after", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_faults_after_hide_a_commit_that_was_done(webpay, simulator, kind, error):
    token = new(webpay)
    simulator.webpay_outcome(token, "visa")
    simulator.fail("webpay_commit", kind)
    with pytest.raises(error):
        webpay.commit(token)
    assert webpay.status(token)["status"] == "AUTHORIZED"


def test_empty_body_reaches_the_caller_as_an_integer(webpay, simulator):
    token = new(webpay)
    simulator.fail("webpay_status", "empty")
    assert webpay.status(token) == 200


def test_refund_not_done_is_a_200_with_a_code(webpay, simulator):
    token = paid(webpay, simulator)
    simulator.fail("webpay_refund", "not_done")
    assert webpay.refund(token, 19_990)["response_code"] == 304
    assert webpay.status(token)["status"] == "AUTHORIZED"


def test_held_commit_times_out_though_it_was_done(webpay, simulator):
    token = new(webpay)
    simulator.webpay_outcome(token, "visa")
    simulator.fail("webpay_commit", "hold_after")
    webpay.options.timeout = (3, 0.3)
    with pytest.raises(requests.exceptions.ReadTimeout):
        webpay.commit(token)
    assert webpay.status(token)["status"] == "AUTHORIZED"
