"""Mercado Pago's quality list (MP-n) and Transbank's validation (WP-n), item by item.

Each test carries the number of its item in docs/architecture.md.
"""

import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import FrozenClock
from flask.testing import FlaskClient
from payment_cases import (
    MP_NOTICE as NOTICE,
)
from payment_cases import (
    MP_RETURN as RETURN,
)
from payment_cases import (
    Shop,
    follow,
    pay_by_webpay,
    preference_of,
    reference_of,
    sign,
)
from simulator_client import SimulatorClient

from portal.clock import utcnow
from portal.config import ConfigurationError, load_settings
from portal.payments import returns, rules
from portal.payments.cancellations import cancel_pending
from portal.payments.gateways import webpay
from portal.payments.gateways.mercadopago import MercadoPagoGateway
from portal.payments.reconcile import reconcile_due
from portal.web import settings_of

ROOT = Path(__file__).resolve().parents[2]
FACTURA = {
    "document": "factura",
    "tax_rut": "760864285",
    "tax_name": "Comercial Demo SpA",
    "tax_activity": "Comercio",
    "tax_address": "Calle Uno 123",
    "tax_commune": "Santiago",
}
CLOSED_LIST = {
    *("art", "baby", "coupons", "donations", "computing", "cameras", "automotive"),
    *("entertainment", "fashion", "games", "home", "musical", "phones", "services"),
    *("learnings", "tickets", "travels", "others", "virtual goods", "electronics"),
    *("video games", "television", "car electronics"),
}


@pytest.fixture
def preference(shop: Shop, simulator: SimulatorClient) -> dict[str, Any]:
    """The JSON that the simulator received."""
    shop.start(shop.order(**FACTURA), "mercadopago")
    (made,) = simulator.ledger()["preferences"]
    return made.get("body", made)


def _item(preference: dict[str, Any]) -> dict[str, Any]:
    (item,) = preference["items"]
    return dict(item)


ITEM = {
    "MP-1": ("quantity", lambda value: value == 1),
    "MP-2": ("unit_price", lambda value: value == 19_990 and type(value) is int),
    "MP-10": ("category_id", lambda value: value in CLOSED_LIST),
    "MP-11": ("description", bool),
    "MP-12": ("id", lambda value: value == "soporte-online"),
    "MP-13": ("title", bool),
}


@pytest.mark.parametrize("number", ITEM)
def test_mp_item_field(preference: dict[str, Any], number: str) -> None:
    name, holds = ITEM[number]
    assert holds(_item(preference)[name])
    assert _item(preference)["currency_id"] == "CLP"


PAYER = {
    "MP-7": ("email", "maria@example.cl"),
    "MP-8": ("name", "María"),
    "MP-9": ("surname", "Soto Díaz"),
    "MP-32": ("address", {"street_name": "Calle Uno 123"}),
    "MP-33": ("identification", {"type": "RUT", "number": "760864285"}),
    "MP-34": ("phone", {"area_code": "56", "number": "987654321"}),
}


@pytest.mark.parametrize("number", PAYER)
def test_mp_payer_field(preference: dict[str, Any], number: str) -> None:
    name, value = PAYER[number]
    assert preference["payer"][name] == value


def test_mp_3_statement_descriptor_is_short_ascii(preference: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z0-9 ]{1,13}", preference["statement_descriptor"])


def test_mp_4_three_back_urls_and_auto_return(preference: dict[str, Any]) -> None:
    assert set(preference["back_urls"]) == {"success", "pending", "failure"}
    assert preference["auto_return"] == "approved"


def test_mp_5_notifications_are_asked_for_as_signed_webhooks(
    preference: dict[str, Any],
) -> None:
    assert preference["notification_url"].endswith(f"{NOTICE}?source_news=webhooks")


def test_mp_6_and_41_reference_is_unguessable_and_of_one_attempt(
    shop: Shop, simulator: SimulatorClient
) -> None:
    for _ in range(3):
        shop.start(shop.order(), "mercadopago")
    made = simulator.ledger()["preferences"]
    references = {(p.get("body", p))["external_reference"] for p in made}
    assert len(references) == 3
    assert all(re.fullmatch(r"itp[0-9a-f]{40}", each) for each in references)


def test_mp_14_official_sdk_is_used(shop: Shop, simulator: SimulatorClient) -> None:
    shop.start(shop.order(), "mercadopago")
    (call,) = [c for c in simulator.call_log() if c["operation"] == "mp_preference"]
    headers = {name.lower(): value for name, value in call["headers"].items()}
    assert headers["x-product-id"] == "bc32bpftrpp001u8nhlg"
    assert "MercadoPago Python SDK v3.6" in headers["user-agent"]


def test_mp_15_binary_mode_is_left_out_on_purpose(preference: dict[str, Any]) -> None:
    assert "binary_mode" not in preference
    assert "binary_mode" in (ROOT / "docs/architecture.md").read_text()


def test_mp_16_and_18_link_and_vouchers_die_together_with_an_offset(
    preference: dict[str, Any],
) -> None:
    assert preference["expires"] is True
    until = preference["expiration_date_to"]
    assert preference["date_of_expiration"] == until
    assert datetime.fromisoformat(until).utcoffset() is not None
    assert datetime.fromisoformat(preference["expiration_date_from"]) < (
        datetime.fromisoformat(until)
    )


def test_mp_19_23_24_means_of_payment_are_chosen(preference: dict[str, Any]) -> None:
    methods = preference["payment_methods"]
    assert methods["installments"] == 12
    assert {each["id"] for each in methods["excluded_payment_types"]} == {
        "ticket",
        "atm",
    }
    assert methods["excluded_payment_methods"] == []


def test_mp_22_every_result_has_its_words(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    for code in ("pending_contingency", "cc_rejected_other_reason", "leave", "credit"):
        order = shop.order()
        sent = shop.start(order, "mercadopago")
        outcome = simulator.mp_outcome(preference_of(shop, sent), code)
        follow(client, outcome.browser)
        page = client.get(shop.path(order)).get_data(as_text=True)
        assert re.search(
            "verificando|rechazado|Todavía no recibimos|Pago recibido", page
        )


def test_mp_25_nothing_is_shipped(preference: dict[str, Any]) -> None:
    assert "shipments" not in preference


def test_mp_26_and_39_the_notified_payment_is_read_at_the_api(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    forged = client.get(RETURN, query_string={"status": "approved", "payment_id": "1"})
    assert forged.status_code == 404
    reference = reference_of(shop, sent)
    returns.mercadopago_returned(
        reference, str(payment_id), gateways=shop.gateways, now=utcnow()
    )
    assert simulator.calls("mp_payment", payment_id) == 1
    assert shop.state(order) == "paid"


def test_mp_27_a_chargeback_is_read_at_its_api(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    changed = simulator.mp_act(payment_id, "chargeback")
    chargeback_id = str(changed["chargeback_id"])
    secret = settings_of(shop.app).mercadopago_webhook_secrets[0]
    answer = client.post(
        NOTICE,
        query_string={"data.id": chargeback_id, "type": "topic_chargebacks_wh"},
        headers={"x-signature": sign(chargeback_id, secret), "x-request-id": "r1"},
        csrf=False,  # type: ignore[call-arg]
    )
    assert answer.status_code == 200
    assert simulator.calls("mp_chargeback", chargeback_id) == 1
    assert shop.state(order) == "charged_back"


def test_mp_28_a_pending_payment_of_a_paid_order_is_cancelled(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = shop.order()
    by_webpay, by_mp = shop.start(order), shop.start(order, "mercadopago")
    assert by_webpay.token
    simulator.webpay_outcome(by_webpay.token, "visa")
    shop.webpay_return(by_webpay)
    simulator.mp_pay(preference_of(shop, by_mp), "pending_contingency")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert shop.payment(by_mp.payment_id).state == "pending"
    assert cancel_pending(shop.gateways, now=utcnow()) == 1
    assert shop.payment(by_mp.payment_id).state == "rejected"
    assert cancel_pending(shop.gateways, now=utcnow()) == 0


def test_mp_35_and_43_and_wp_13_no_credential_and_no_sandbox_link_in_the_code() -> None:
    files = subprocess.run(
        ["git", "ls-files", "portal", "*.py", "deploy"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    texts = [
        (ROOT / name).read_text(errors="ignore")
        for name in files
        if name.startswith("portal/") and not name.startswith("portal/simulator")
        if (ROOT / name).suffix in (".py", ".html")
    ]
    assert texts
    for text in texts:
        assert "sandbox_init_point" not in text
        assert not re.search(r"(APP_USR|TEST)-\d{6,}", text)


@pytest.mark.parametrize(("name", "ignored"), [(".env", True), (".env.example", False)])
def test_mp_36_the_secrets_file_is_ignored_and_its_example_is_not(
    name: str, ignored: bool
) -> None:
    done = subprocess.run(
        ["git", "check-ignore", "-q", name],
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode == 0) is ignored


def test_mp_37_forged_notifications_are_refused(
    shop: Shop, client: FlaskClient
) -> None:
    answer = client.post(
        f"{NOTICE}?data.id=1&type=payment",
        headers={"x-signature": sign("1", "wrong")},
        csrf=False,  # type: ignore[call-arg]
    )
    assert answer.status_code == 401


PRODUCTION = {
    "PORTAL_MODE": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "https://soporte.example.cl",
    "MERCADOPAGO_ACCESS_TOKEN": "APP_USR-1",
    "MERCADOPAGO_WEBHOOK_SECRET": "s" * 32,
    "WEBPAY_COMMERCE_CODE": "597012345678",
    "WEBPAY_API_KEY": "k" * 64,
    "SMTP_URL": "smtp://localhost:25",
    "MAIL_FROM": "soporte@example.cl",
    "DATABASE_URL": "sqlite:///var/x.sqlite3",
}


@pytest.mark.parametrize(
    ("number", "bad"),
    [
        ("MP-38", {"PUBLIC_URL": "http://soporte.example.cl"}),
        ("WP-10", {"PUBLIC_URL": "http://soporte.example.cl"}),
        ("MP-42", {"MERCADOPAGO_ACCESS_TOKEN": "TEST-123"}),
        ("WP-7", {"WEBPAY_COMMERCE_CODE": "597055555532"}),
        ("WP-7", {"WEBPAY_API_URL": "https://webpay3gint.transbank.cl"}),
    ],
)
def test_production_refuses_what_is_for_tests(number: str, bad: dict[str, str]) -> None:
    load_settings(PRODUCTION)
    with pytest.raises(ConfigurationError):
        load_settings({**PRODUCTION, **bad})


def test_mp_40_creation_carries_a_stable_idempotency_key(
    shop: Shop, simulator: SimulatorClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    (call,) = [c for c in simulator.call_log() if c["operation"] == "mp_preference"]
    headers = {name.lower(): value for name, value in call["headers"].items()}
    buy_order = shop.payment(sent.payment_id).buy_order
    assert headers["x-idempotency-key"] == f"preference-{buy_order}"


def test_wp_11_amount_order_and_session_are_compared(
    shop: Shop, simulator: SimulatorClient
) -> None:
    for code in ("other_amount", "other_order", "other_session"):
        sent, _ = pay_by_webpay(shop, simulator, shop.order(), code)
        shop.webpay_return(sent)
        assert shop.payment(sent.payment_id).disposition == "mismatch", code


def test_wp_15_buy_orders_are_unique_short_and_plain() -> None:
    made = {rules.new_buy_order() for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(re.fullmatch(r"[A-Z0-9]{1,26}", each) for each in made)


def test_wp_16_approval_needs_both_fields(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order, "abo")
    shop.webpay_return(sent)
    assert shop.state(order) == "awaiting_payment"
    assert shop.payment(sent.payment_id).disposition is None


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        ("AUTHORIZED", 0, "approved"),
        ("AUTHORIZED", -1, "rejected"),
        ("AUTHORIZED", 1, "rejected"),
        # A code that is no number decides nothing: `status` is asked again.
        ("AUTHORIZED", False, "open"),
        ("AUTHORIZED", "0", "open"),
        ("AUTHORIZED", None, "open"),
        ("FAILED", 0, "rejected"),
        ("INITIALIZED", 0, "open"),
        ("CAPTURED", 0, "open"),
        (None, 0, "open"),
        ("REVERSED", 0, "refunded"),
        ("PARTIALLY_NULLIFIED", 0, "partly_refunded"),
    ],
)
def test_wp_16_each_pair_of_status_and_code_is_this_word(
    status: str | None, code: object, word: str
) -> None:
    body = {"status": status, "response_code": code, "authorization_code": "1213"}
    assert webpay._evidence({**body, "amount": 10_000, "balance": 4_000}).word == word


def test_wp_17_vci_decides_nothing() -> None:
    for path in (ROOT / "portal/payments").rglob("*.py"):
        assert "vci" not in re.sub(r"\(vci ABO\)", "", path.read_text()).split()


def test_wp_19_the_commits_answer_is_kept(
    shop: Shop, simulator: SimulatorClient
) -> None:
    sent, _ = pay_by_webpay(shop, simulator, shop.order())
    shop.webpay_return(sent)
    kept = shop.payment(sent.payment_id).evidence
    assert kept
    assert kept["authorization_code"]
    assert kept["card_last4"] == "6623"
    assert reference_of(shop, sent) not in str(kept)


WP_OUTCOMES = {
    "WP-20": ("visa", "approved"),
    "WP-21": ("amex", "approved"),
    "WP-22": ("redcompra", "approved"),
    "WP-23": ("prepaid", "approved"),
    "WP-24": ("instalments_null", "approved"),
    "WP-25": ("rejected", "rejected"),
    "WP-26": ("rejected_redcompra", "rejected"),
    "WP-27": ("rejected_prepaid", "rejected"),
    "WP-28": ("aborted", "aborted"),
    "WP-29": ("timeout", "timed_out"),
    "WP-30": ("form_error", "aborted"),
}


@pytest.mark.parametrize("number", WP_OUTCOMES)
def test_wp_validation_case(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, number: str
) -> None:
    code, state = WP_OUTCOMES[number]
    order = shop.order()
    sent, where = pay_by_webpay(shop, simulator, order, code)
    first = follow(client, where)
    again = follow(client, where)  # WP-31: repeated, no double effect
    assert first.headers["Location"] == again.headers["Location"]  # type: ignore[attr-defined]
    assert shop.payment(sent.payment_id).state == state
    assert sent.token
    # WP-18: what was cancelled, timed out or failed in the form is never committed.
    commits = 1 if state in ("approved", "rejected") else 0
    assert simulator.calls("webpay_commit", sent.token) == commits


def test_wp_34_status_is_asked(shop: Shop, simulator: SimulatorClient) -> None:
    sent = shop.start(shop.order())
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    assert sent.token
    assert simulator.calls("webpay_status", sent.token) == 1


def test_the_options_never_print_the_api_key(shop: Shop) -> None:
    options = shop.gateways.webpay._transaction.options
    assert options.api_key not in repr(options)
    assert isinstance(shop.gateways.mercadopago, MercadoPagoGateway)


def _items(text: str, pattern: str) -> set[str]:
    """`MP-7` of what names it: `test_mp_7_...`, `mp_6_and_41`, `WP-1 to WP-9`."""
    found: set[str] = set()
    for kind, numbers in re.findall(pattern, text):
        found |= {f"{kind.upper()}-{n}" for n in re.findall(r"[0-9]+", numbers)}
    return found


def test_every_item_is_named_by_a_test_or_has_its_decision() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = _items(tests, r"(?:test_|and_)(mp|wp)_([0-9]+(?:_and_[0-9]+|_[0-9]+)*)")
    named |= _items(tests, r'"(MP|WP)-([0-9]+)')
    table = (
        (ROOT / "docs" / "architecture.md")
        .read_text()
        .partition("## What the gateways ask")[2]
    )
    decided = _items(table.partition("| item |")[2], r"\b(MP|WP)-([0-9]+)")
    for first, last in re.findall(r"WP-([0-9]+) to WP-([0-9]+) *,", table):
        decided |= {f"WP-{n}" for n in range(int(first), int(last) + 1)}
    wanted = {f"MP-{n}" for n in range(1, 44)} | {f"WP-{n}" for n in range(1, 37)}
    assert wanted - named - decided == set()
