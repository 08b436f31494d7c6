"""The simulator's pages: what a tester and a payer see and press."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import pytest
import requests
from axe_check import axe_findings
from playwright.sync_api import Page, expect
from simulator_client import SimulatorClient

from portal.config import Settings
from portal.errors import ConfigurationError
from portal.simulator import create_simulator
from portal.simulator import mercadopago_rules as mp_rules
from portal.simulator import webpay_rules as rules

API = "/webpay/rswebpaytransaction/api/webpay/v1.2/transactions/"


def ask(simulator: SimulatorClient, method: str, path: str, **more: Any) -> Any:
    url = simulator.base_url + path
    return requests.request(method, url, timeout=10, allow_redirects=False, **more)


def new_token(
    simulator: SimulatorClient, settings: Settings, order: str, return_url: str = ""
) -> str:
    headers = {
        "Tbk-Api-Key-Id": settings.webpay_commerce_code,
        "Tbk-Api-Key-Secret": settings.webpay_api_key,
    }
    body = {
        "buy_order": order,
        "session_id": "s",
        "amount": 19_990,
        "return_url": return_url or f"{simulator.base_url}/volver?x=1",
    }
    answer = ask(simulator, "POST", API, json=body, headers=headers)
    return answer.json()["token"]


def new_preference(simulator: SimulatorClient, settings: Settings) -> dict[str, Any]:
    back = f"{simulator.base_url}/volver"
    item = {"title": "Soporte <online>", "quantity": 1, "unit_price": 19_990}
    body = {"items": [item], "back_urls": {"success": back, "failure": back}}
    token = settings.mercadopago_access_token
    headers = {"Authorization": f"Bearer {token}"}
    path = "/mercadopago/checkout/preferences"
    return ask(simulator, "POST", path, json=body, headers=headers).json()


@pytest.fixture
def token(simulator: SimulatorClient, settings: Settings) -> str:
    return new_token(simulator, settings, "p-1")


@pytest.fixture
def preference(simulator: SimulatorClient, settings: Settings) -> dict[str, Any]:
    return new_preference(simulator, settings)


def choose(simulator: SimulatorClient, token: str, code: str, method: str = "") -> Any:
    data = {"token_ws": token, "outcome": code, "method": method}
    return ask(simulator, "POST", "/webpay/webpayserver/choose", data=data)


def test_production_refuses_the_simulator(settings):
    with pytest.raises(ConfigurationError):
        create_simulator(replace(settings, mode="production"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_form_shows_every_outcome(simulator, token, method):
    fields = {"params": {"token_ws": token}}
    if method == "POST":
        fields = {"data": {"token_ws": token}}
    path = "/webpay/webpayserver/initTransaction"
    text = ask(simulator, method, path, **fields).text
    assert "SIMULADOR: aquí no se mueve dinero" in text
    assert "$19.990" in text
    for code in (*rules.BANK, *rules.LEAVING):
        assert f'data-outcome="{code}"' in text


def test_form_that_ran_out_only_times_out(simulator, token, clock):
    clock.advance(minutes=11)
    path = f"/webpay/webpayserver/initTransaction?token_ws={token}"
    text = ask(simulator, "GET", path).text
    assert 'data-outcome="timeout"' in text
    assert 'data-outcome="visa"' not in text


def test_choice_sends_the_browser_back_with_the_token(simulator, token):
    answer = choose(simulator, token, "visa")
    assert answer.status_code == 303
    back = f"{simulator.base_url}/volver?x=1&token_ws={token}"
    assert answer.headers["Location"] == back


def test_choice_by_post_is_a_form_that_sends_itself(simulator, token):
    answer = choose(simulator, token, "form_error")
    assert answer.status_code == 200
    for name in ("token_ws", "TBK_TOKEN", "TBK_ID_SESION", "TBK_ORDEN_COMPRA"):
        assert f'name="{name}"' in answer.text


def test_closed_tab_shows_that_nobody_returns(simulator, token):
    assert "data-never-returns" in choose(simulator, token, "close").text


@pytest.mark.parametrize(
    ("token", "code"), [("x", "visa"), ("0" * 64, "nonsense"), ("ñ" * 500, "")]
)
def test_unknown_token_or_outcome_is_404(simulator, token, code):
    assert choose(simulator, token, code).status_code == 404
    path = "/webpay/webpayserver/initTransaction"
    assert ask(simulator, "POST", path, data={"token_ws": token}).status_code == 404


def test_pay_page_shows_every_outcome_and_escapes(simulator, preference):
    text = requests.get(preference["init_point"], timeout=10).text
    assert "SIMULADOR: aquí no se mueve dinero" in text
    assert "Soporte &lt;online&gt;" in text
    for code in (*mp_rules.PAYING, mp_rules.LEAVE):
        assert f'data-outcome="{code}"' in text


def test_expired_preference_only_lets_one_leave(simulator, preference, settings, clock):
    headers = {"Authorization": f"Bearer {settings.mercadopago_access_token}"}
    path = f"/mercadopago/checkout/preferences/{preference['id']}"
    change = {"expires": True, "expiration_date_to": mp_rules.moment(clock.now)}
    ask(simulator, "PUT", path, json=change, headers=headers)
    text = requests.get(preference["init_point"], timeout=10).text
    assert "venció" in text
    assert 'data-outcome="credit"' not in text
    data = {"pref_id": preference["id"], "outcome": "credit", "notify": "never"}
    answer = ask(simulator, "POST", "/mercadopago/checkout/v1/pay", data=data)
    assert answer.status_code == 409


def test_unknown_preference_is_404(simulator):
    path = "/mercadopago/checkout/v1/redirect?pref_id=x"
    assert ask(simulator, "GET", path).status_code == 404


def test_panel_refunds_and_plans_faults(simulator, preference, token):
    payment_id = simulator.mp_pay(preference["id"], "credit")
    text = ask(simulator, "GET", "/").text
    assert f'data-payment="{payment_id}"' in text
    assert f'data-token="{token}"' in text
    data = {"payment_id": payment_id, "act": "refund", "amount": "1000"}
    assert ask(simulator, "POST", "/panel/pago", data=data).status_code == 303
    payment = simulator.ledger()["payments"][0]
    assert payment["transaction_amount_refunded"] == 1_000
    fault = {"operation": "webpay_commit", "kind": "cut", "after": "1", "times": "2"}
    assert ask(simulator, "POST", "/panel/fallas", data=fault).status_code == 303
    assert "cut_after, cut_after" in ask(simulator, "GET", "/").text
    ask(simulator, "POST", "/panel/sin-fallas")
    assert "Todo funciona." in ask(simulator, "GET", "/").text


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/panel/pago", {"payment_id": "1", "act": "refund"}),
        ("/panel/pago", {"payment_id": "1", "act": "refund", "amount": "x"}),
        ("/panel/aviso", {"payment_id": "1"}),
        ("/panel/fallas", {"operation": "x", "kind": "cut"}),
        ("/panel/avisos", {"notify": "x"}),
    ],
)
def test_panel_refuses_nonsense(simulator, path, data):
    assert ask(simulator, "POST", path, data=data).status_code == 409


def test_other_sites_cannot_press_the_buttons(simulator):
    headers = {"Origin": "https://evil.example"}
    answer = ask(simulator, "POST", "/panel/sin-fallas", headers=headers)
    assert answer.status_code == 403
    assert ask(simulator, "POST", "/control/reset", data={"a": 1}).status_code == 415


def test_only_this_machine_drives_the_simulator(settings):
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    client = create_simulator(settings).test_client()
    for path in ("/", "/control/ledger"):
        assert client.get(path).status_code == 200
        assert client.get(path, environ_base=stranger).status_code == 403


class _Shop(BaseHTTPRequestHandler):
    """The shop's return address: puts what it is asked into `calls`."""

    calls: "SimpleQueue[tuple[str, str | None]]" = SimpleQueue()

    def do_GET(self) -> None:
        self.calls.put((self.path, self.headers.get("Cookie")))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_double_return_comes_from_the_server_too(simulator, settings):
    shop = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=shop.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{shop.server_port}/retorno"
    token = new_token(simulator, settings, "p-2", url)
    assert choose(simulator, token, "double").status_code == 303
    path, cookie = _Shop.calls.get(timeout=10)
    shop.shutdown()
    shop.server_close()
    assert (path, cookie) == (f"/retorno?token_ws={token}", None)


def test_payer_presses_a_button_on_a_phone(simulator, token, watch, page: Page):
    watch.allow("404")
    url = f"{simulator.base_url}/webpay/webpayserver/initTransaction?token_ws={token}"
    page.goto(url)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    page.locator('[data-outcome="visa"]').click()
    page.wait_for_url(f"**/volver?x=1&token_ws={token}")


def test_form_sent_by_post_leaves_by_itself(simulator, token, watch, page: Page):
    watch.allow("404")
    page.goto(
        f"{simulator.base_url}/webpay/webpayserver/initTransaction?token_ws={token}"
    )
    page.locator('[data-outcome="form_error"]').click()
    page.wait_for_url("**/volver?x=1")


def test_pages_are_accessible(simulator, preference, token, watch, page: Page):
    simulator.mp_pay(preference["id"], "credit")
    form = f"/webpay/webpayserver/initTransaction?token_ws={token}"
    for url in (
        simulator.base_url + form,
        preference["init_point"],
        simulator.base_url,
    ):
        page.goto(url)
        assert axe_findings(page) == []


def test_mercado_pago_and_panel_fit_a_phone(simulator, preference, watch, page: Page):
    watch.allow("404")
    for url in (preference["init_point"], simulator.base_url):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        expect(page.get_by_text("SIMULADOR: aquí no se mueve dinero")).to_be_visible()
    page.goto(preference["init_point"])
    page.locator("#notify").select_option("never")
    page.locator('[data-outcome="debit"]').click()
    page.wait_for_url("**/volver?**status=approved**")
