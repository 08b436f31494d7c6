"""What the law asks before the pay button, item by item (CL-1 to CL-17)."""

import re
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from shop_forms import FACTURA, FILLED, SUPPORT, open_form, post, read, stock

from portal.db import db, transaction
from portal.settings import demo_service
from portal.settings import queries as settings_queries
from portal.terms import service as terms_service


@pytest.fixture
def shop(app: Flask, clock: FrozenClock) -> Flask:
    """A shop whose owner has filled in who sells."""
    stock(app)
    with app.app_context():
        with transaction() as session:
            demo_service.fill_missing(session, clock.now)
            terms_service.publish_in(session, actor=terms_service.SYSTEM, now=clock.now)
        db.session.remove()
    return app


def words(page: BeautifulSoup) -> str:
    found = page.select_one("main")
    assert found is not None
    return re.sub(r" ([,.])", r"\1", " ".join(found.get_text(" ").split()))


def bought(client: FlaskClient) -> str:
    values = {**open_form(client), **FILLED[SUPPORT], **FACTURA}
    answer = post(client, SUPPORT, values)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


# Item of the law: what the review must say, above its buttons or beside them.
REVIEW = {
    "CL-2 what is bought": "Soporte en línea, por conexión remota",
    "CL-3 how long": "hasta 90 minutos",
    "CL-3 which tariff and why": "Horario normal, por la hora del pedido (12:00)",
    "CL-4 total": "$19.990 IVA incluido",
    "CL-4 nothing else": "No hay otros cobros.",
    "CL-5 until when": "Atendemos hoy hasta las 22:00",
    "CL-6 what it needs": "Necesita Windows de 32 bits",
    "CL-6 what it excludes": "No incluye limpiar virus",
    "CL-8 correction": "Volver y corregir",
    "CL-9 means": "Débito, crédito o prepago",
    "CL-10 document": "Factura a Almacén Rosa SpA, RUT 76.543.210-3. Giro: Almacén.",
    "CL-11 withdrawal": "Puede arrepentirse y recuperar todo su dinero",
    "CL-12 terms": "términos v2",
    "CL-13 privacy": "Cómo cuidamos sus datos",
    "CL-16 button": "Pagar $19.990",
}


def test_the_review_says_what_the_law_asks_before_paying(
    shop: Flask, client: FlaskClient
) -> None:
    page = read(client.get(bought(client)))
    text = words(page)
    assert [item for item, said in REVIEW.items() if said not in text] == []
    # CL-1: who sells, with every fact of the settings.
    with shop.app_context():
        business = settings_queries.load(db.session())
        db.session.remove()
    seller = page.select_one("#provider")
    assert seller is not None
    for fact in (
        business.business_name,
        business.business_address,
        business.legal_representative,
        business.business_email,
    ):
        assert fact
        assert fact in seller.text
    assert "RUT" in seller.text
    assert seller.select_one('a[href^="tel:"]')
    # CL-7: four steps, the second one marked.
    steps = [step.text.strip() for step in page.select(".steps li")]
    assert [re.sub(r"^\d\s*", "", step) for step in steps] == [
        *("Datos (listo)", "Revisión", "Pago", "Confirmación")
    ]
    # CL-11 stands above the first button; CL-12 as HTML and as a text to keep.
    html = str(page)
    assert html.index("Su derecho a retracto") < html.index("Pagar $19.990")
    assert page.select_one('a[href="/terminos/2"]')
    assert page.select_one('a[href="/terminos/2?formato=texto"]')
    # CL-17: no countdown that presses, nothing chosen for the customer.
    assert not page.select(".countdown, [checked], [selected]")


def test_the_form_asks_freely_and_says_what_it_sells(
    shop: Flask, client: FlaskClient, clock: FrozenClock
) -> None:
    page = read(client.get(SUPPORT))
    text = words(page)
    for said in (
        "Precio de este horario: son las 12:00",  # CL-3
        "Puede arrepentirse",  # CL-11
        "He leído y acepto los Términos v2",  # CL-14
        "Atendemos hoy hasta las 22:00",  # CL-5
        "Medios de pago Webpay o Mercado Pago",  # CL-9
    ):
        assert said in text
    box = page.select_one('input[name="accept_terms"]')
    assert box is not None
    assert not box.has_attr("checked")  # CL-14
    # CL-15: withdrawing is never excluded, so there is no second box to tick.
    assert len(page.select('input[type="checkbox"]')) == 1
    assert {each["value"] for each in page.select('input[name="document"]')} == {
        *("boleta", "factura")  # CL-10, before paying
    }
    assert "RUT de la empresa" in text  # CL-57: asked for a factura alone
    assert not page.select("input[name*=rut]:not([name=tax_rut])")
    answer = post(
        client, SUPPORT, {**open_form(client), **FILLED[SUPPORT], "accept_terms": None}
    )
    assert answer.status_code == 422  # silence is no acceptance
    # CL-5: closed, the page says when it opens; the review too.
    clock.set(datetime(2026, 11, 25, 0, 25, tzinfo=UTC))  # 21:25 in Santiago
    review = bought(client)
    assert "usted nos llama" in words(read(client.get(review)))
    clock.advance(minutes=10)
    assert "Abrimos el" in words(read(client.get(review)))
