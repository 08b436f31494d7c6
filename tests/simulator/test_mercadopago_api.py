"""Mercado Pago's API of the simulator, driven by the real SDK."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mercadopago
import pytest
import requests
from mercadopago.config import RequestOptions
from mercadopago.errors.exceptions import MPServerError
from mercadopago.http import HttpClient
from mercadopago.webhook import WebhookSignatureValidator
from simulator_client import SimulatorClient

from portal.config import Settings
from portal.simulator import mercadopago_rules as rules

BACK = "http://localhost/pago/mercadopago/retorno"


class BaseUrlClient(HttpClient):
    """Sends the SDK's calls to the simulator."""

    def __init__(self, base_url: str) -> None:
        self.base = base_url

    def request(self, method: str, url: str, **arguments: Any) -> Any:
        path = url.removeprefix("https://api.mercadopago.com")
        return super().request(method, self.base + path, **arguments)


def options(key: str | None = None, timeout: float = 10.0) -> RequestOptions:
    headers = {"x-idempotency-key": key} if key else None
    return RequestOptions(
        custom_headers=headers, connection_timeout=timeout, retry_on=[]
    )


@pytest.fixture
def sdk(simulator: SimulatorClient, settings: Settings) -> mercadopago.SDK:
    return mercadopago.SDK(
        settings.mercadopago_access_token,
        http_client=BaseUrlClient(settings.mercadopago_api_url),
        request_options=options(),
    )


@pytest.fixture
def inbox() -> Iterator["Inbox"]:
    inbox = Inbox()
    yield inbox
    inbox.server.shutdown()
    inbox.server.server_close()


class Inbox:
    """Receives notifications and answers `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[str, dict[str, str]]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): text for name, text in self.headers.items()}
                inbox.received.append((self.path, headers))
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/aviso?source=x"
        threading.Thread(
            target=self.server.serve_forever, args=(0.01,), daemon=True
        ).start()


def body(**changes: Any) -> dict[str, Any]:
    item = {"id": "s", "title": "Soporte", "quantity": 1, "unit_price": 19_990}
    return {
        "items": [item | {"currency_id": "CLP"}],
        "external_reference": "ref-1",
        "back_urls": {"success": BACK, "pending": BACK, "failure": BACK},
        "auto_return": "approved",
        **changes,
    }


def item(**changes: Any) -> dict[str, Any]:
    return body(items=[body()["items"][0] | changes])


def new(sdk: mercadopago.SDK, **changes: Any) -> str:
    answer = sdk.preference().create(body(**changes))
    assert answer["status"] == 201, answer
    return answer["response"]["id"]


def payment_of(sdk: mercadopago.SDK, payment_id: int) -> dict[str, Any]:
    return sdk.payment().get(payment_id)["response"]


def test_preference_answers_a_pay_page(sdk, simulator):
    answer = sdk.preference().create(body())
    assert answer["status"] == 201
    assert answer["response"]["init_point"].startswith(
        f"{simulator.base_url}/mercadopago/checkout/v1/redirect?pref_id="
    )
    assert answer["response"]["external_reference"] == "ref-1"
    found = sdk.preference().get(answer["response"]["id"])
    assert found["response"] == answer["response"]


def test_wrong_token_is_401(sdk, settings):
    client = BaseUrlClient(settings.mercadopago_api_url)
    other = mercadopago.SDK("x", http_client=client, request_options=options())
    assert other.preference().create(body())["status"] == 401
    assert other.payment_methods().list_all()["status"] == 401


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (body(items=[]), "invalid_items"),
        (body(items=None), "invalid_items"),
        (item(unit_price=19_990.5), "invalid_items"),
        (item(unit_price=19_990.0), "invalid_items"),
        (item(unit_price="19990"), "invalid_items"),
        (item(unit_price=0), "invalid_items"),
        (item(unit_price=True), "invalid_items"),
        (item(quantity=0), "invalid_items"),
        (item(title=" "), "invalid_items"),
        (item(currency_id="USD"), "invalid_items"),
        (body(back_urls={}), "invalid_auto_return"),
        (body(back_urls={"failure": BACK}), "invalid_auto_return"),
        (body(back_urls={"success": "x"}), "invalid_back_urls"),
        (body(back_urls=[1]), "invalid_back_urls"),
        (body(external_reference="x" * 257), "bad_request"),
        (body(expiration_date_to="2026-11-24"), "bad_request"),
        (body(payment_methods=[1]), "bad_request"),
        (body(payment_methods={"excluded_payment_types": [1]}), "bad_request"),
        (
            body(payment_methods={"excluded_payment_types": [{"id": "account_money"}]}),
            "bad_request",
        ),
    ],
)
def test_preference_refused_as_the_real_one(sdk, refused, error):
    answer = sdk.preference().create(refused)
    assert (answer["status"], answer["response"]["error"]) == (400, error)


def test_same_key_gives_the_same_preference(sdk, simulator):
    first = sdk.preference().create(body(), options("key-1"))
    again = sdk.preference().create(body(), options("key-1"))
    other = sdk.preference().create(body(), options("key-2"))
    assert first["response"] == again["response"] != other["response"]
    assert len(simulator.ledger()["preferences"]) == 2
    assert simulator.calls("mp_preference", "ref-1") == 3
    headers = simulator.call_log()[0]["headers"]
    assert headers["x-idempotency-key"] == "key-1"
    assert headers["x-product-id"]


def test_expired_preference_cannot_be_paid(sdk, simulator, clock):
    preference = new(sdk)
    now = rules.moment(clock.now)
    change = {"expires": True, "expiration_date_to": now}
    assert sdk.preference().update(preference, change)["status"] == 200
    with pytest.raises(requests.HTTPError, match="409"):
        simulator.mp_pay(preference, "credit")
    assert simulator.ledger()["payments"] == []


@pytest.mark.parametrize("code", sorted(rules.APPROVALS))
def test_each_approval(sdk, simulator, settings, code):
    preference = new(sdk, metadata={"a": 1})
    outcome = simulator.mp_outcome(preference, code)
    payment = payment_of(sdk, outcome.payment_ids[0])
    expected = rules.APPROVALS[code]
    assert (payment["status"], payment["status_detail"]) == ("approved", "accredited")
    assert payment["payment_type_id"] == expected.payment_type
    assert payment["card"].get("last_four_digits", "") == expected.card
    assert payment["installments"] == expected.instalments
    assert payment["transaction_amount"] == 19_990
    assert payment["transaction_amount_refunded"] == 0
    assert (payment["currency_id"], payment["external_reference"]) == ("CLP", "ref-1")
    assert payment["live_mode"] is False
    me = sdk.user().get()["response"]
    assert me == {"id": payment["collector_id"], "site_id": "MLC"}
    assert payment["date_approved"].endswith("-04:00")
    assert outcome.browser.params["payment_id"] == str(payment["id"])
    assert outcome.browser.url == BACK


@pytest.mark.parametrize("code", sorted(rules.REJECTIONS))
def test_each_rejection(sdk, simulator, code):
    outcome = simulator.mp_outcome(new(sdk), code)
    payment = payment_of(sdk, outcome.payment_ids[0])
    assert (payment["status"], payment["status_detail"]) == ("rejected", code)
    assert payment["date_approved"] is None
    assert outcome.browser.params["status"] == "rejected"


@pytest.mark.parametrize("code", sorted(rules.PENDING))
def test_pending_then_approved_later(sdk, simulator, code):
    payment_id = simulator.mp_pay(new(sdk), code)
    before = payment_of(sdk, payment_id)
    assert before["status"] in ("pending", "in_process", "authorized")
    assert before["status_detail"] == code
    simulator.mp_act(payment_id, "approve")
    assert payment_of(sdk, payment_id)["status"] == "approved"


def test_leaving_without_paying_brings_literal_nulls(sdk, simulator):
    outcome = simulator.mp_outcome(new(sdk), "leave")
    assert outcome.payment_ids == ()
    assert outcome.browser.params["payment_id"] == "null"
    assert outcome.browser.params["status"] == "null"
    assert outcome.browser.params["external_reference"] == "ref-1"


def test_one_preference_may_be_paid_twice(sdk, simulator):
    outcome = simulator.mp_outcome(new(sdk), "twice")
    assert len(set(outcome.payment_ids)) == 2
    found = sdk.payment().search({"external_reference": "ref-1"})["response"]
    assert {p["id"] for p in found["results"]} == set(outcome.payment_ids)


def test_closed_tab_never_returns(sdk, simulator):
    assert simulator.mp_outcome(new(sdk), "close").browser.method == "NONE"


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("other_amount", "transaction_amount"),
        ("other_currency", "currency_id"),
        ("other_reference", "external_reference"),
        ("other_collector", "collector_id"),
        ("other_mode", "live_mode"),
    ],
)
def test_mismatches_differ_in_one_field(sdk, simulator, code, field):
    preference = new(sdk)
    right = payment_of(sdk, simulator.mp_pay(preference, "credit"))
    wrong = payment_of(sdk, simulator.mp_pay(preference, code))
    names = {
        "transaction_amount",
        "currency_id",
        "external_reference",
        "collector_id",
        "live_mode",
        "status",
    }
    assert {name for name in names if right[name] != wrong[name]} == {field}


def test_unknown_ids_are_404(sdk, simulator):
    assert sdk.payment().get("123456")["status"] == 404
    assert sdk.payment().get("../x")["status"] == 404
    assert sdk.preference().get("x")["status"] == 404
    assert sdk.refund().list_all("1")["status"] == 404
    assert sdk.chargeback().get("1")["status"] == 404
    assert sdk.merchant_order().get("1")["status"] == 404


def test_search_pages_and_ranges(sdk, simulator, clock):
    preference = new(sdk)
    ids = []
    for _number in range(3):
        ids.append(simulator.mp_pay(preference, "credit"))
        clock.advance(minutes=10)
    new_reference = new(sdk, external_reference="ref-2")
    simulator.mp_pay(new_reference, "credit")
    search = sdk.payment().search
    page = search({"external_reference": "ref-1", "limit": 2, "offset": 0})["response"]
    assert page["paging"] == {"total": 3, "limit": 2, "offset": 0}
    assert [p["id"] for p in page["results"]] == [ids[2], ids[1]]
    rest = search({"external_reference": "ref-1", "limit": 2, "offset": 2})["response"]
    assert [p["id"] for p in rest["results"]] == [ids[0]]
    asked = {
        "range": "date_created",
        "begin_date": rules.moment(clock.now - timedelta(minutes=25)),
        "end_date": rules.moment(clock.now - timedelta(minutes=5)),
        "sort": "date_created",
        "criteria": "asc",
    }
    found = search(asked)["response"]["results"]
    assert [p["id"] for p in found] == ids[1:]
    assert search({"begin_date": "yesterday"})["status"] == 400
    assert search({"limit": "x"})["status"] == 400
    assert search({"external_reference": "no"})["response"]["results"] == []


def test_empty_refund_gives_everything_back(sdk, simulator):
    payment_id = simulator.mp_pay(new(sdk), "credit")
    answer = sdk.refund().create(payment_id)
    assert (answer["status"], answer["response"]["amount"]) == (201, 19_990)
    payment = payment_of(sdk, payment_id)
    assert (payment["status"], payment["transaction_amount_refunded"]) == (
        "refunded",
        19_990,
    )
    assert sdk.refund().create(payment_id)["status"] == 400


def test_partial_refund_keeps_it_approved(sdk, simulator):
    payment_id = simulator.mp_pay(new(sdk), "credit")
    answer = sdk.refund().create(payment_id, {"amount": 5_000}, options("r-1"))
    again = sdk.refund().create(payment_id, {"amount": 5_000}, options("r-1"))
    assert answer["response"] == again["response"]
    payment = payment_of(sdk, payment_id)
    assert payment["status"] == "approved"
    assert payment["status_detail"] == "partially_refunded"
    assert payment["transaction_amount_refunded"] == 5_000
    assert sdk.refund().list_all(payment_id)["response"] == payment["refunds"]
    one = sdk.refund().get(payment_id, answer["response"]["id"])["response"]
    assert one == answer["response"]
    too_much = {"amount": 14_991}
    assert sdk.refund().create(payment_id, too_much, options("r-2"))["status"] == 400
    assert sdk.refund().create(payment_id, {"amount": 0.5})["status"] == 400


def test_refund_after_180_days_is_refused(sdk, simulator, clock):
    payment_id = simulator.mp_pay(new(sdk), "credit")
    clock.advance(days=181)
    assert sdk.refund().create(payment_id)["status"] == 400


def test_only_what_is_pending_can_be_cancelled(sdk, simulator):
    preference = new(sdk)
    pending = simulator.mp_pay(preference, "pending_contingency")
    approved = simulator.mp_pay(preference, "credit")
    cancel = {"status": "cancelled"}
    assert sdk.payment().update(pending, cancel)["response"]["status"] == "cancelled"
    assert sdk.payment().update(approved, cancel)["status"] == 400


def test_panel_refund_mediation_and_chargeback(sdk, simulator):
    payment_id = simulator.mp_pay(new(sdk), "credit")
    simulator.mp_act(payment_id, "refund", amount=1_000)
    assert payment_of(sdk, payment_id)["transaction_amount_refunded"] == 1_000
    simulator.mp_act(payment_id, "mediation")
    assert payment_of(sdk, payment_id)["status"] == "in_mediation"
    charged = simulator.mp_act(payment_id, "chargeback")
    assert payment_of(sdk, payment_id)["status"] == "charged_back"
    case = sdk.chargeback().get(charged["chargeback_id"])["response"]
    assert case["payments"] == [payment_id]
    with pytest.raises(requests.HTTPError, match="409"):
        simulator.mp_act(payment_id, "approve")


def test_merchant_order_and_lists(sdk, simulator):
    preference = new(sdk)
    payment = payment_of(sdk, simulator.mp_pay(preference, "debit"))
    order = sdk.merchant_order().get(payment["order"]["id"])["response"]
    assert (order["paid_amount"], order["order_status"]) == (19_990, "paid")
    assert [p["id"] for p in order["payments"]] == [payment["id"]]
    types = sdk.identification_type().list_all()["response"]
    assert [entry["id"] for entry in types] == ["RUT", "Otro"]
    assert sdk.payment_methods().list_all()["status"] == 200


def test_signature_of_the_published_vector():
    signed = rules.signature(
        "v1-test-secret-not-a-real-key",
        "123456",
        "bb56a2f1-6aae-46ac-982e-9dcd3581d08e",
        "1742505638683",
    )
    assert signed.endswith(
        "v1=85aaea44adced84bf23e95db43da124f818caad473052e8d0ecd46c5319c231e"
    )


def test_notification_is_signed_for_the_query(sdk, simulator, settings, inbox):
    preference = new(sdk, notification_url=inbox.url)
    payment_id = simulator.mp_pay(preference, "credit")
    assert inbox.received == []
    assert simulator.notify(payment_id) == [200]
    path, headers = inbox.received[0]
    query = parse_qs(urlsplit(path).query)
    assert query["data.id"] == [str(payment_id)]
    assert (query["type"], query["source"]) == (["payment"], ["x"])
    WebhookSignatureValidator.validate(
        headers["x-signature"],
        headers["x-request-id"],
        str(payment_id),
        settings.mercadopago_webhook_secrets[0],
    )


def test_notification_with_a_forged_or_no_signature(sdk, simulator, settings, inbox):
    payment_id = simulator.mp_pay(new(sdk, notification_url=inbox.url), "credit")
    simulator.notify(payment_id, "bad")
    simulator.notify(payment_id, "none")
    forged, bare = (headers for _path, headers in inbox.received)
    assert "x-signature" not in bare
    stamp, code = forged["x-signature"].removeprefix("ts=").split(",v1=")
    manifest = f"id:{payment_id};request-id:{forged['x-request-id']};ts:{stamp};"
    secret = settings.mercadopago_webhook_secrets[0].encode()
    right = hmac.new(secret, manifest.encode(), hashlib.sha256).hexdigest()
    assert code != right


def test_ten_notifications_at_once(sdk, simulator, inbox):
    payment_id = simulator.mp_pay(new(sdk, notification_url=inbox.url), "credit")
    assert simulator.notify(payment_id, times=10) == [200] * 10
    ledger = simulator.ledger()["notifications"]
    assert [entry["status"] for entry in ledger] == [200] * 10


def test_before_means_told_before_the_browser_is(sdk, simulator, inbox):
    preference = new(sdk, notification_url=inbox.url)
    simulator.mp_pay(preference, "credit", notify="before")
    assert len(inbox.received) == 1


def test_refused_notification_is_noted(sdk, simulator, inbox):
    inbox.status = 500
    payment_id = simulator.mp_pay(new(sdk, notification_url=inbox.url), "credit")
    assert simulator.notify(payment_id) == [500]


def test_chargeback_is_told_on_its_own_topic(sdk, simulator, inbox):
    payment_id = simulator.mp_pay(new(sdk, notification_url=inbox.url), "credit")
    simulator.mp_act(payment_id, "chargeback", notify="before")
    query = parse_qs(urlsplit(inbox.received[0][0]).query)
    assert query["type"] == ["topic_chargebacks_wh"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("html_502", MPServerError),
        ("broken_json", MPServerError),
        ("cut", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_faults_the_sdk_raises(sdk, simulator, kind, error):
    simulator.fail("mp_preference", kind)
    with pytest.raises(error):
        sdk.preference().create(body())
    assert simulator.ledger()["preferences"] == []
    new(sdk)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("error_500", 500),
        ("rate_limited", 429),
        ("refused", 400),
        ("unauthorized", 401),
    ],
)
def test_faults_the_sdk_answers(sdk, simulator, kind, status):
    simulator.fail("mp_search", kind, times=2)
    for _turn in range(2):
        assert sdk.payment().search({})["status"] == status
    assert sdk.payment().search({})["status"] == 200


def test_refund_done_but_never_answered_is_found_by_its_key(sdk, simulator):
    payment_id = simulator.mp_pay(new(sdk), "credit")
    simulator.fail("mp_refund", "hold_after")
    with pytest.raises(requests.exceptions.ReadTimeout):
        sdk.refund().create(payment_id, None, options("r-1", timeout=0.3))
    assert sdk.refund().create(payment_id, None, options("r-1"))["status"] == 201
    assert len(payment_of(sdk, payment_id)["refunds"]) == 1


def test_search_may_lag(sdk, simulator):
    simulator.mp_pay(new(sdk), "credit")
    simulator.fail("mp_search", "stale")
    assert sdk.payment().search({})["response"]["results"] == []
    assert len(sdk.payment().search({})["response"]["results"]) == 1
