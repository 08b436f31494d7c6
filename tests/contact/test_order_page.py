"""`/atencion/<token>` in every state: what it shows, and what it must not."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import FrozenClock
from flask.testing import FlaskClient
from payment_cases import Shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import update
from support_cases import add_staff

from portal.accounts.rules import Person
from portal.clock import utcnow
from portal.contact import rules
from portal.db import transaction
from portal.orders.models import Order
from portal.payments.reconcile import reconcile_due
from portal.support import days_service
from portal.support import service as support
from portal.support.models import Attention

OFFICE, WHATSAPP = "tel:+56222222222", "wa.me/56988888888"
MOBILES = ("tel:+56977777777", "tel:+56966666666")
TUESDAY_EVENING = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # 19:30 in Santiago


def _main(client: FlaskClient, path: str) -> Tag:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    main = BeautifulSoup(answer.get_data(as_text=True), "html.parser").main
    assert main is not None
    return main


def _links(main: Tag) -> set[str]:
    return {str(a["href"]) for a in main.find_all("a")}


def _has(main: Tag, start: str) -> bool:
    return any(start in link for link in _links(main))


def _paid(shop: Shop, simulator: SimulatorClient, **values: object) -> Order:
    order = shop.order(**values)
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    shop.session.rollback()
    return order


def test_an_unknown_link_is_the_same_404_whatever_its_form(
    shop: Shop, client: FlaskClient
) -> None:
    answers = [client.get(f"/atencion/{text}") for text in ("x", "A" * 22, "A" * 500)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1


def test_no_stored_value_of_an_order_opens_it(shop: Shop, client: FlaskClient) -> None:
    order = shop.order()
    for value in (order.link_seed, order.link_hash, order.form_key, str(order.id)):
        assert client.get(f"/atencion/{value}").status_code == 404


def test_the_review_shows_what_the_law_asks_before_paying(
    shop: Shop, client: FlaskClient
) -> None:
    order = shop.order()
    main = _main(client, shop.path(order))
    text = main.get_text(" ", strip=True)
    assert main["data-order"] == "awaiting_payment"
    for words in (
        "$19.990",
        "IVA incluido",
        "hasta 90 minutos",
        "retracto",
        "Volver y corregir",
        "Webpay",
        "Mercado Pago",
        "Boleta",
        "términos v1",
        "ItplusNet",
    ):
        assert words in text, words
    buttons = [b.get_text(" ", strip=True) for b in main.find_all("button")]
    assert sum(button.startswith("Pagar $19.990") for button in buttons) == 2
    assert not _has(main, OFFICE)
    assert not _has(main, MOBILES[0])


def test_only_the_page_that_pays_lets_forms_leave(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    unpaid, paid = shop.order(), _paid(shop, simulator)
    open_policy = client.get(shop.path(unpaid)).headers["Content-Security-Policy"]
    closed_policy = client.get(shop.path(paid)).headers["Content-Security-Policy"]
    assert "form-action 'self' https:" in open_policy
    assert "form-action 'self';" in f"{closed_policy};"


def test_normal_hours_show_every_channel_and_the_promise(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    main = _main(client, shop.path(_paid(shop, simulator)))
    assert main["data-attention"] == "waiting"
    assert "antes de las 12:10" in main.get_text(" ", strip=True)
    assert _has(main, OFFICE)
    assert _has(main, WHATSAPP)
    assert not _has(main, MOBILES[0])


def test_special_hours_show_exactly_the_two_mobiles_and_no_promise(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    clock.set(TUESDAY_EVENING)
    main = _main(client, shop.path(_paid(shop, simulator)))
    phones = {link for link in _links(main) if link.startswith(("tel:", "https://wa"))}
    assert phones == set(MOBILES)
    text = main.get_text(" ", strip=True)
    assert "Llame usted a cualquiera de los dos" in text
    assert "antes de las" not in text


def test_the_channels_change_by_themselves_with_the_regime(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    clock.set(datetime(2026, 11, 24, 21, 20, tzinfo=UTC))  # 18:20
    order = _paid(shop, simulator)
    path = shop.path(order)
    poll = str(_main(client, path)["hx-get"])
    assert client.get(poll).status_code == 204
    clock.set(datetime(2026, 11, 24, 21, 31, tzinfo=UTC))  # 18:31
    answer = client.get(poll)
    assert answer.status_code == 200
    assert MOBILES[0] in answer.get_data(as_text=True)
    assert OFFICE not in answer.get_data(as_text=True)


def test_a_poll_answers_204_until_something_changes(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = _paid(shop, simulator)
    poll = str(_main(client, shop.path(order))["hx-get"])
    assert client.get(poll).status_code == 204
    clock.advance(minutes=11)
    late = client.get(poll)
    assert late.status_code == 200
    assert "No alcanzamos a llamarle" in late.get_data(as_text=True)


def test_the_fragment_is_exactly_the_main_of_the_page(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    path = shop.path(_paid(shop, simulator))
    whole = client.get(path).get_data(as_text=True)
    part = client.get(f"{path}/ahora").get_data(as_text=True).strip()
    assert part.startswith("<main")
    assert part in whole


def test_money_out_of_hours_is_kept_and_says_when(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    clock.set(datetime(2026, 11, 25, 0, 25, tzinfo=UTC))  # 21:25
    order = shop.order()
    sent = shop.start(order, "mercadopago")
    preference = preference_of(shop, sent)
    payment_id = simulator.mp_pay(preference, "pending_contingency")
    clock.set(datetime(2026, 11, 25, 1, 1, tzinfo=UTC))  # 22:01
    simulator.mp_act(payment_id, "approve")
    reconcile_due(shop.gateways, now=utcnow())
    main = _main(client, shop.path(order))
    assert main["data-attention"] == "deferred"
    text = main.get_text(" ", strip=True)
    assert "miércoles 25 de noviembre a las 09:00" in text
    assert "no hay servicio" not in text
    assert not _has(main, OFFICE)
    assert not _has(main, MOBILES[0])
    clock.set(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))  # 09:00
    assert days_service.follow_the_day(utcnow()) == 1
    main = _main(client, shop.path(order))
    assert main["data-attention"] == "waiting"
    assert "antes de las 09:10" in main.get_text(" ", strip=True)


def test_who_still_waits_when_the_day_ends_is_deferred_in_place(
    shop: Shop, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    clock.set(datetime(2026, 11, 25, 0, 29, tzinfo=UTC))
    _paid(shop, simulator)
    assert days_service.follow_the_day(utcnow()) == 0
    queued_at = shop.session.query(Attention).one().queued_at
    clock.set(datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
    assert days_service.follow_the_day(utcnow()) == 1
    assert days_service.follow_the_day(utcnow()) == 0
    shop.session.rollback()
    attention = shop.session.query(Attention).one()
    assert (attention.state, attention.queued_at) == ("deferred", queued_at)


def test_the_whole_attention_on_the_customers_page(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    path = shop.path(_paid(shop, simulator))
    with transaction() as session:
        staff = add_staff(session, "Ana")
        ana = Person(staff.id, staff.name, staff.role)
    (attention_id,) = (a.id for a in shop.session.query(Attention).all())
    support.take(attention_id, by=ana, now=utcnow())
    assert "Ana tomó su caso" in _main(client, path).get_text(" ", strip=True)
    support.start(attention_id, by=ana, now=utcnow())
    main = _main(client, path)
    assert main["data-attention"] == "running"
    deadline = main.find("time", class_="countdown")
    assert isinstance(deadline, Tag)
    ends_at = datetime.fromisoformat(str(deadline["datetime"]))
    assert ends_at == utcnow() + timedelta(minutes=90)
    support.add_entry(
        attention_id, "hecho", "Limpié <b>el índice</b>", by=ana, now=utcnow()
    )
    support.add_note(attention_id, "cliente enojado", by=ana, now=utcnow())
    answer = client.get(path).get_data(as_text=True)
    assert "Limpié &lt;b&gt;el índice" in answer
    assert "cliente enojado" not in answer
    clock.advance(minutes=90)
    main = _main(client, path)
    assert main["data-attention"] == "timed_out"  # though nobody has written it
    support.close(attention_id, "resuelto", "", by=ana, now=utcnow())
    main = _main(client, path)
    assert main["data-attention"] == "closed"
    assert "hx-get" not in main.attrs
    assert not _has(main, OFFICE)
    assert "Problema resuelto" in main.get_text(" ", strip=True)


def test_an_errand_never_shows_a_clock(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    order = _paid(shop, simulator, service_slug="reinstalacion", topic_slug=None)
    main = _main(client, shop.path(order))
    assert main["data-attention"] == ""
    assert "Coordinaremos con usted" in main.get_text(" ", strip=True)
    assert main.find("time", class_="countdown") is None


@pytest.mark.parametrize(
    ("code", "kind", "instalments"),
    [
        ("redcompra", "Débito", "Sin cuotas"),
        ("prepaid", "Prepago", "Sin cuotas"),
        ("visa", "Crédito", "Sin cuotas"),
        ("instalments", "Crédito", "Cuotas normales"),
        ("interest_free_3", "Crédito", "3 cuotas sin interés"),
    ],
)
def test_wp_14_the_receipt_carries_webpays_eleven_fields(
    shop: Shop,
    client: FlaskClient,
    simulator: SimulatorClient,
    code: str,
    kind: str,
    instalments: str,
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order, code)
    shop.webpay_return(sent)
    payment = shop.payment(sent.payment_id)
    assert payment.evidence
    text = _main(client, shop.path(order)).get_text(" ", strip=True)
    number = payment.evidence["installments"]
    for words in (
        payment.buy_order,
        "ItplusNet Ltda.",
        "$19.990 CLP",
        payment.evidence["authorization_code"],
        "24-11-2026",
        kind,
        instalments,
        f"Número de cuotas {number}",
        f"**** {payment.evidence['card_last4']}",
        "Soporte en línea",
        "No es documento tributario",
        "neto $16.798",
    ):
        assert words in text, words
    if number:
        assert "Monto de cada cuota" in text


def test_an_expired_order_offers_to_start_again_with_its_data(
    shop: Shop, client: FlaskClient, clock: FrozenClock
) -> None:
    order = shop.order()
    clock.advance(minutes=30)
    main = _main(client, shop.path(order))
    assert "Este pedido venció" in main.get_text(" ", strip=True)
    assert any("corregir=" in link for link in _links(main))
    answer = client.post(f"{shop.path(order)}/pagar", data={"gateway": "webpay"})
    assert answer.status_code == 409


def test_paying_after_the_regime_changed_asks_for_the_new_price(
    shop: Shop, client: FlaskClient, clock: FrozenClock
) -> None:
    clock.set(datetime(2026, 11, 24, 21, 20, tzinfo=UTC))  # 18:20, normal
    order = shop.order()
    clock.set(datetime(2026, 11, 24, 21, 35, tzinfo=UTC))  # 18:35, special
    path = shop.path(order)
    answer = client.post(f"{path}/pagar", data={"gateway": "webpay"})
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Pagar $29.990" in page
    assert "Pagar $19.990" not in page
    assert shop.payments() == []
    confirmed = client.post(
        f"{path}/pagar", data={"gateway": "webpay", "price": "29990"}
    )
    assert confirmed.status_code == 200
    assert "token_ws" in confirmed.get_data(as_text=True)
    (payment,) = shop.payments()
    assert payment.amount == 29_990
    assert payment.order_id != order.id
    assert shop.state(order) == "cancelled"


def test_no_payment_starts_after_the_last_sale(
    shop: Shop, client: FlaskClient, clock: FrozenClock
) -> None:
    clock.set(datetime(2026, 11, 25, 0, 15, tzinfo=UTC))  # 21:15
    order = shop.order()
    clock.set(datetime(2026, 11, 25, 0, 30, tzinfo=UTC))  # 21:30
    main = _main(client, shop.path(order))
    assert "Ahora no se puede pagar" in main.get_text(" ", strip=True)
    assert main.find("button", string=lambda s: bool(s and "Pagar" in s)) is None
    answer = client.post(f"{shop.path(order)}/pagar", data={"gateway": "webpay"})
    assert answer.status_code == 422
    assert shop.payments() == []


@pytest.mark.parametrize("gateway", ["", "manual", "paypal", "webpay\x00"])
def test_an_unknown_gateway_is_refused_beside_the_buttons(
    shop: Shop, client: FlaskClient, gateway: str
) -> None:
    answer = client.post(f"{shop.path(shop.order())}/pagar", data={"gateway": gateway})
    assert answer.status_code == 422
    assert "Elija cómo quiere pagar" in answer.get_data(as_text=True)


def test_paying_needs_the_forms_token(shop: Shop, client: FlaskClient) -> None:
    answer = client.post(
        f"{shop.path(shop.order())}/pagar",
        data={"gateway": "webpay"},
        csrf=False,  # type: ignore[call-arg]
    )
    assert answer.status_code == 400
    assert shop.payments() == []


def test_channels_never_show_for_an_order_that_was_refunded(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    order = _paid(shop, simulator)
    with transaction() as session:
        session.execute(
            update(Order).where(Order.id == order.id).values(state="refunded")
        )
    main = _main(client, shop.path(order))
    assert not _has(main, OFFICE)
    assert "Le devolvimos su dinero" in main.get_text(" ", strip=True)


def test_every_rejection_has_a_text_that_does_not_accuse() -> None:
    for detail in ("cc_rejected_high_risk", "cc_rejected_blacklist", "anything"):
        assert "fraude" not in rules.rejection_text(detail)
        assert rules.rejection_text(detail)
