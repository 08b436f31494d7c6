"""What was accepted can be proved to a third party, and a forged proof is found."""

import hashlib
import json
from collections.abc import Callable
from email import message_from_bytes
from email.policy import SMTP

import pytest
from bs4 import BeautifulSoup
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, follow, pay_by_webpay
from shop_forms import SUPPORT, send
from simulator_client import SimulatorClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.audit import proof_queries
from portal.audit.proof_queries import broken_proofs
from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.config import Settings
from portal.mail.service import send_due
from portal.orders.models import Order
from portal.terms.models import ProofLink

PAGE = "/administrar/pedidos/1001/prueba"


def buy(
    shop: Shop, simulator: SimulatorClient, app: Flask, settings: Settings
) -> FlaskClient:
    """Two purchases through the real form; the first is paid and its mail sent."""
    customer = app.test_client()
    for _each in range(2):
        assert send(customer, SUPPORT).status_code == 303
    order = shop.session.scalars(select(Order).order_by(Order.id)).first()
    assert order is not None
    _sent, where = pay_by_webpay(shop, simulator, order)
    follow(customer, where)
    send_due(app.extensions["mail_renderers"], settings, now=utcnow())
    shop.session.rollback()
    return customer


def test_a_third_party_checks_the_evidence_with_nothing_but_hashes(
    shop: Shop,
    owner: FlaskClient,
    simulator: SimulatorClient,
    app: Flask,
    settings: Settings,
) -> None:
    customer = buy(shop, simulator, app, settings)
    page = owner.get(PAGE)
    assert page.status_code == 200
    soup = BeautifulSoup(page.text, "html.parser")
    told = soup.select_one("main").get_text(" ", strip=True)  # type: ignore[union-attr]
    assert "NO coincide" not in told

    # The text, from its public and stable address, without logging in.
    address = soup.select_one('a[href*="formato=texto"]')["href"]  # type: ignore[index]
    body = customer.get(str(address)).data
    fingerprint = hashlib.sha256(body).hexdigest()
    assert fingerprint in told

    # The links, byte for byte: each file's SHA-256 is its fingerprint, each begins
    # with the one before it, and the first holds that of the text.
    files = [
        owner.get(str(link["href"])).data for link in soup.select('a[href*="/prueba/"]')
    ]
    first, second = (each.decode().split("\n", 1) for each in files)
    assert all(hashlib.sha256(each).hexdigest() in told for each in files)
    assert first[0] == "0" * 64
    between = shop.session.get_one(ProofLink, 2)  # the other order's acceptance
    assert between.previous == hashlib.sha256(files[0]).hexdigest()
    assert second[0] == between.sha256

    accepted, confirmed = (json.loads(each[1]) for each in (first, second))
    assert accepted["texto_sha256"] == confirmed["adjunto_sha256"] == fingerprint
    assert accepted["casillas"] == {
        "He leído y acepto los Términos v1": "marcada por el cliente"
    }
    assert accepted["mostrado"]["retracto"].startswith("Tiene 10 días")
    assert accepted["mostrado"]["decision_del_horario"]["rule"]
    assert (accepted["precio_mostrado"], accepted["tarifa"]) == (19_990, "normal")
    assert (accepted["idioma"], len(accepted["sesion_sha256"])) == ("es-CL", 64)
    assert accepted["vigente_desde"]
    assert accepted["plantilla_de_la_pagina"]
    assert confirmed["pago"]["orden_de_compra"] == shop.payments()[0].buy_order
    assert confirmed["pago"]["codigo_de_autorizacion"]

    # The mail that the customer keeps: its attachment and both fingerprints.
    (path,) = settings.mail_dir.glob("*-00000001.eml")
    mail = message_from_bytes(path.read_bytes(), policy=SMTP)
    (attached,) = mail.iter_attachments()  # type: ignore[attr-defined]
    assert attached.get_content().encode() == body
    words = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert hashlib.sha256(files[0]).hexdigest() in words
    assert confirmed["correo"]["message_id"] == mail["Message-ID"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert confirmed["correo"]["mensaje_sha256"] == digest

    # Nobody's name, mail or phone is in what can never be deleted.
    chain = b"".join(files).decode()
    assert not any(word in chain for word in ("Rosa", "almacen.cl", "8765"))
    assert owner.get(f"{PAGE}/2").status_code == 404  # another order's link


FORGERIES: list[tuple[str, str]] = [
    (proof_queries.FORGED_TEXT, "UPDATE terms_versions SET body = body || ' '"),
    (
        proof_queries.FORGED_LINK,
        "UPDATE proof_links SET content = replace(content, '19990', '9990') "
        "WHERE id = 1",
    ),
    (proof_queries.FORGED_LINK, "DELETE FROM proof_links WHERE id = 2"),
    (proof_queries.OTHER_WORDS, "UPDATE terms_acceptances SET price_shown = 1"),
    (proof_queries.NO_LINK, "DELETE FROM proof_links WHERE kind = 'accepted'"),
    (proof_queries.NO_ACCEPTANCE, "DELETE FROM terms_acceptances WHERE id = 2"),
    (proof_queries.NOT_CONFIRMED, "DELETE FROM proof_links WHERE kind = 'confirmed'"),
]


@pytest.mark.postgres
def test_every_forgery_is_refused_and_without_the_triggers_found(
    app: Flask,
    shop: Shop,
    simulator: SimulatorClient,
    settings: Settings,
    both_databases: str,
) -> None:
    buy(shop, simulator, app, settings)
    session = shop.session
    assert broken_invariants(session) == []
    for table in ("proof_links", "terms_acceptances", "terms_versions"):
        change = f"UPDATE {table} SET sha256 = 'x'"  # noqa: S608
        for act in (change, f"DELETE FROM {table}"):  # noqa: S608
            session.rollback()
            with pytest.raises(IntegrityError):
                session.execute(text(act))
    for meaning, forgery in FORGERIES:
        session.rollback()
        _unguard(session, both_databases)
        session.execute(text(forgery))
        found = broken_proofs(session)
        assert found.get(meaning), forgery
    session.rollback()


def _unguard(session: Session, database: str) -> None:
    """As somebody would who holds the database; a rollback puts the guards back."""
    for table in ("proof_links", "terms_acceptances", "terms_versions"):
        if database == "postgresql":
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            for act in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER {table}_no_{act}"))


def test_an_order_opened_by_hand_says_that_nobody_ticked_a_box(
    owner: FlaskClient, put_payment: Callable[..., int], shop: Shop, clock: FrozenClock
) -> None:
    put_payment()
    page = owner.get(PAGE)
    assert page.status_code == 200
    assert "no tiene aceptación" in page.text
