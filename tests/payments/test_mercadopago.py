"""Mercado Pago: the preference, the signed hint, the return, and what is believed."""

import itertools
import threading

import pytest
from flask.testing import FlaskClient
from hostile_signatures import FORMS, SECRET, TS, sign
from payment_cases import (
    PAID_ONCE,
    Shop,
    follow,
    preference_of,
    reference_of,
)
from simulator_client import SimulatorClient

from portal.clock import utcnow
from portal.payments import notifications, returns
from portal.payments.gateways.mercadopago_signature import is_signed
from portal.payments.models import Notification
from portal.payments.reconcile import close_preferences
from portal.web import settings_of

NOTICE = "/pago/mercadopago/aviso"
RETURN = "/pago/mercadopago/retorno"
REQUEST_ID = "bb56a2f1-6aae-46ac-982e-9dcd3581d08e"
V1 = "85aaea44adced84bf23e95db43da124f818caad473052e8d0ecd46c5319c231e"


def _notify(  # type: ignore[no-untyped-def]
    shop: Shop, client: FlaskClient, payment_id: int | str, **headers: str
):
    secret = settings_of(shop.app).mercadopago_webhook_secrets[0]
    sent = {
        "x-signature": sign(str(payment_id), secret),
        "x-request-id": "r1",
        **headers,
    }
    return client.post(
        f"{NOTICE}?source_news=webhooks&data.id={payment_id}&type=payment",
        headers={name: value for name, value in sent.items() if value},
        json={"data": {"id": "1"}, "status": "approved"},
        csrf=False,
    )


def test_the_published_vector_is_accepted() -> None:
    assert is_signed(f"ts={TS},v1={V1}", REQUEST_ID, "123456", (SECRET,))
    assert is_signed(f"ts={TS},v1={V1}", REQUEST_ID, "123456", ("old", SECRET))


@pytest.mark.parametrize("ts", ["1742505638", "1742505638683"])
@pytest.mark.parametrize("request_id", ["r1", None])
@pytest.mark.parametrize("data_id", ["1", "98765432109876543210"])
def test_every_valid_form_is_accepted(
    ts: str, request_id: str | None, data_id: str
) -> None:
    signature = sign(data_id, SECRET, ts, request_id)
    assert is_signed(signature, request_id, data_id, (SECRET,))


def test_an_id_signed_in_lower_case_is_accepted() -> None:
    assert is_signed(sign("ord01jq", SECRET), "r1", "ORD01JQ", (SECRET,))


@pytest.mark.parametrize("form", range(60))
def test_a_hostile_signature_is_refused(form: int) -> None:
    signature, request_id, data_id = FORMS[form]
    assert not is_signed(signature, request_id, data_id, (SECRET,))


def test_the_hostile_forms_are_sixty_and_all_different() -> None:
    assert len(set(FORMS)) == 60


@pytest.mark.parametrize(
    ("request_id", "data_id", "keys"),
    [
        ("r2", "123456", (SECRET,)),
        (None, "123456", (SECRET,)),
        ("r1", "123457", (SECRET,)),
        ("r1", "", (SECRET,)),
        ("r1", "123456 ", ("other",)),
        ("r1", "123456", ("",)),
        ("r1", "123456", ()),
        ("r1\r\nx: y", "123456", (SECRET,)),
        ("é", "123456", (SECRET,)),
        ("r" * 500, "123456", (SECRET,)),
    ],
)
def test_a_signature_of_something_else_is_refused(
    request_id: str | None, data_id: str, keys: tuple[str, ...]
) -> None:
    assert not is_signed(sign("123456", SECRET), request_id, data_id, keys)


def test_a_signature_under_an_empty_secret_is_refused() -> None:
    assert not is_signed(sign("123456", ""), "r1", "123456", ("",))


@pytest.mark.postgres
def test_the_same_notification_ten_times_at_once_pays_once(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    statuses: list[int] = []

    def notify() -> None:
        with shop.app.test_client() as other:
            statuses.append(_notify(shop, other, payment_id).status_code)

    threads = [threading.Thread(target=notify) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 10
    assert shop.counts() == PAID_ONCE
    assert shop.state(order) == "paid"


def test_a_flood_of_forged_notifications_asks_nothing_and_writes_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    before = shop.counts()
    for number in range(500):
        forged = sign(str(payment_id), f"guess {number}")
        answer = _notify(shop, client, payment_id, **{"x-signature": forged})
        assert answer.status_code == 401
    assert simulator.calls("mp_payment") == 0
    assert shop.session.query(Notification).count() == 0
    assert shop.counts() == before


def test_forged_notifications_write_nothing_and_ask_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    forged = [
        {"x-signature": ""},
        {"x-signature": sign(str(payment_id), "another secret")},
        {"x-signature": sign("999", "another secret")},
        {"x-request-id": "r2"},
        {"x-request-id": ""},
    ]
    for headers in forged:
        assert _notify(shop, client, payment_id, **headers).status_code == 401
    assert simulator.calls("mp_payment") == 0
    assert shop.state(order) == "awaiting_payment"


@pytest.mark.parametrize("bad_id", ["../x", "1/2", "1?x=1", "x", "1" * 21, "١٢٣"])
def test_a_signed_id_that_is_no_payment_id_never_reaches_the_api(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, bad_id: str
) -> None:
    secret = settings_of(shop.app).mercadopago_webhook_secrets[0]
    answer = client.post(
        NOTICE,
        query_string={"data.id": bad_id, "type": "payment"},
        headers={"x-signature": sign(bad_id, secret), "x-request-id": "r1"},
        csrf=False,
    )
    assert answer.status_code == 400
    assert simulator.calls("mp_payment") == 0


def test_a_notification_of_a_payment_that_does_not_exist_is_answered_200(
    shop: Shop, client: FlaskClient
) -> None:
    assert _notify(shop, client, 123456).status_code == 200


@pytest.mark.parametrize("topic", ["topic_claims_integration_wh", "weird", ""])
def test_other_topics_are_kept_and_answered_200(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, topic: str
) -> None:
    secret = settings_of(shop.app).mercadopago_webhook_secrets[0]
    answer = client.post(
        NOTICE,
        query_string={"data.id": "5", "type": topic},
        headers={"x-signature": sign("5", secret), "x-request-id": "r1"},
        csrf=False,
    )
    assert answer.status_code == 200
    assert simulator.calls("mp_payment") == 0


@pytest.mark.parametrize("order_of_events", ["before", "after", "never"])
def test_the_return_and_the_notification_in_any_order_pay_once(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, order_of_events: str
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    outcome = simulator.mp_outcome(preference_of(shop, sent), "credit")
    (payment_id,) = outcome.payment_ids
    if order_of_events == "before":
        assert _notify(shop, client, payment_id).status_code == 200
        assert shop.state(order) == "paid"
    answer = follow(client, outcome.browser)
    assert answer.headers["Location"] == shop.path(order)  # type: ignore[attr-defined]
    if order_of_events == "after":
        assert _notify(shop, client, payment_id).status_code == 200
    assert shop.counts() == PAID_ONCE


def test_a_forged_return_pays_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    paid, unpaid = shop.order(), shop.order()
    sent = shop.start(paid, "mercadopago")
    other = shop.start(unpaid, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    answer = client.get(
        RETURN,
        query_string={
            "payment_id": payment_id,
            "status": "approved",
            "external_reference": reference_of(shop, other),
        },
    )
    assert answer.headers["Location"] == shop.path(unpaid)
    assert shop.state(unpaid) == "awaiting_payment"


def test_leaving_without_paying_brings_literal_nulls_and_the_page_offers_again(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    answer = client.get(
        RETURN,
        query_string={
            "collection_id": "null",
            "collection_status": "null",
            "payment_id": "null",
            "status": "null",
            "external_reference": reference_of(shop, sent),
        },
    )
    assert answer.status_code == 303
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "Pagar $19.990" in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "external_reference=",
        "external_reference=null",
        "payment_id=1",
        "external_reference=%00&payment_id=%00",
        "external_reference=a&external_reference=b",
        "external_reference=" + "x" * 5000,
        "payment_id[]=1&external_reference[]=2",
        "external_reference=%ED%A0%80",
    ],
)
def test_an_unknown_return_is_a_neutral_page_and_asks_nothing(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, query: str
) -> None:
    assert client.get(f"{RETURN}?{query}").status_code == 404
    assert simulator.calls("mp_payment") + simulator.calls("mp_search") == 0


def test_pending_then_approved_pays_when_the_api_says_so(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    outcome = simulator.mp_outcome(preference_of(shop, sent), "pending_contingency")
    follow(client, outcome.browser)
    assert shop.payment(sent.payment_id).state == "pending"
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert "No pague de nuevo" in page
    assert "Pagar $" not in page
    (payment_id,) = outcome.payment_ids
    simulator.mp_act(payment_id, "approve")
    _notify(shop, client, payment_id)
    assert shop.counts() == PAID_ONCE


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("cc_rejected_insufficient_amount", "cupo o saldo"),
        ("cc_rejected_call_for_authorize", "llámelo"),
        ("cc_rejected_bad_filled_date", "no coincide"),
        ("cc_rejected_high_risk", "Por seguridad"),
        ("cc_rejected_other_reason", "El banco rechazó"),
    ],
)
def test_a_rejected_try_says_why_and_stays_payable(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient, code: str, says: str
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    outcome = simulator.mp_outcome(preference_of(shop, sent), code)
    for _ in range(3):
        follow(client, outcome.browser)
    payment = shop.payment(sent.payment_id)
    assert payment.state == "redirected"
    assert len(payment.rejected_ids) == 1
    page = client.get(shop.path(order)).get_data(as_text=True)
    assert says in page
    assert "No se hizo ningún cobro" in page
    simulator.mp_pay(preference_of(shop, sent), "credit")
    reference = reference_of(shop, sent)
    returns.mercadopago_returned(reference, "", gateways=shop.gateways, now=utcnow())
    assert shop.counts() == PAID_ONCE


def test_an_unreadable_payment_is_kept_and_read_later(
    shop: Shop, simulator: SimulatorClient, client: FlaskClient
) -> None:
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    payment_id = simulator.mp_pay(preference_of(shop, sent), "credit")
    simulator.fail("mp_payment", "html_502")
    assert _notify(shop, client, payment_id).status_code == 200
    assert shop.state(order) == "awaiting_payment"
    assert notifications.process_due(shop.gateways, now=utcnow()) == 0
    later = utcnow() + notifications.timedelta(seconds=30)
    assert notifications.process_due(shop.gateways, now=later) == 1
    assert shop.counts() == PAID_ONCE


def test_the_preference_of_a_paid_order_is_closed(
    shop: Shop, simulator: SimulatorClient
) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    assert close_preferences(shop.gateways, now=utcnow()) == 0
    simulator.mp_pay(preference_of(shop, sent), "credit")
    reference = reference_of(shop, sent)
    returns.mercadopago_returned(reference, "", gateways=shop.gateways, now=utcnow())
    assert close_preferences(shop.gateways, now=utcnow()) == 1
    assert close_preferences(shop.gateways, now=utcnow()) == 0


def test_a_double_tap_is_one_preference_with_one_idempotency_key(
    shop: Shop, simulator: SimulatorClient
) -> None:
    order = shop.order()
    first = shop.start(order, "mercadopago")
    second = shop.start(order, "mercadopago")
    assert first == second
    created = [c for c in simulator.call_log() if c["operation"] == "mp_preference"]
    assert len(created) == 1


def test_all_subsets_of_signed_headers_that_lack_one_are_refused(
    shop: Shop, client: FlaskClient
) -> None:
    secret = settings_of(shop.app).mercadopago_webhook_secrets[0]
    full = {"x-signature": sign("7", secret), "x-request-id": "r1"}
    for size in range(len(full)):
        for names in itertools.combinations(full, size):
            answer = client.post(
                f"{NOTICE}?data.id=7&type=payment",
                headers={name: full[name] for name in names},
                csrf=False,
            )
            assert answer.status_code == 401
