"""The receipt alone, and what the accepted text says of withdrawing."""

import re
from datetime import timedelta

from bs4 import BeautifulSoup
from conftest import FrozenClock
from flask.testing import FlaskClient
from payment_cases import Shop, pay_by_webpay
from simulator_client import SimulatorClient
from support_cases import add_staff

from portal.accounts.rules import Person
from portal.clock import local, utcnow
from portal.db import transaction
from portal.journal.service import SYSTEM, Actor
from portal.orders import documents_service
from portal.orders.models import Order
from portal.support import service as support
from portal.support.models import Attention
from portal.terms import service as terms_service


def text_of(client: FlaskClient, path: str) -> str:
    main = BeautifulSoup(client.get(path).text, "html.parser").main
    assert main is not None
    return " ".join(main.get_text(" ").split())


def paid(shop: Shop, simulator: SimulatorClient) -> Order:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.webpay_return(sent)
    shop.session.rollback()
    return order


def test_the_receipt_is_the_same_copy_for_ever(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient, clock: FrozenClock
) -> None:
    order = paid(shop, simulator)
    path = f"{shop.path(order)}/comprobante"
    terms_service.change_setting("warranty_days", 45, actor=SYSTEM, now=utcnow())
    clock.advance(days=700)
    text = text_of(client, path)
    for words in (
        "No es documento tributario: su boleta llega por separado.",
        shop.payments()[0].buy_order,
        "versión 1, aceptados el 24-11-2026",
        "recupera todo con un botón",
        "SERNAC",
        "artículo 41",
    ):
        assert words in text, words
    assert 'href="/terminos/1?formato=texto"' in client.get(path).text
    # CL-61, CL-62: what the owner said to the SII, and then the folio.
    change = {"actor": SYSTEM, "now": utcnow()}
    terms_service.change_setting("voucher_is_boleta", True, **change)
    assert "voucher que le entregó Webpay: vale como boleta" in text_of(client, path)
    with transaction() as session:
        owner = add_staff(session, "Elena", "owner").id
    today = local(utcnow()).date() - timedelta(days=1)
    by = Actor("staff", owner)
    documents_service.note(order.id, "boleta", "77", today, actor=by, now=utcnow())
    assert "su boleta es la N° 77" in text_of(client, path)
    unpaid = shop.path(shop.order(terms_version=3))
    assert client.get(f"{unpaid}/comprobante").status_code == 404


def test_withdrawing_is_a_button_and_then_the_accepted_text(
    shop: Shop, client: FlaskClient, simulator: SimulatorClient
) -> None:
    path = shop.path(paid(shop, simulator))
    assert "es su derecho a retracto" in text_of(client, path)
    # one tap: in plain sight, not inside a fold that a first tap must open
    page = client.get(path).text
    folds = re.findall(r"<details.*?</details>", page, re.S)
    assert "/devolucion" in page
    assert "/devolucion" not in "".join(folds)
    with transaction() as session:
        staff = add_staff(session, "Ana")
        ana = Person(staff.id, staff.name, staff.role)
    (number,) = (each.id for each in shop.session.query(Attention).all())
    support.take(number, by=ana, now=utcnow())
    support.start(number, by=ana, now=utcnow())
    text = text_of(client, path)
    assert "La atención ya comenzó" in text
    assert "Comenzada la atención ya no hay retracto" in text
    assert "/devolucion" not in client.get(path).text
