"""The notice says what the data law asks, from the owner's own data, in versions."""

import pytest
from bs4 import BeautifulSoup
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import send
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from support_cases import add_staff, log_in_as

from portal.db import transaction
from portal.journal.service import SYSTEM
from portal.privacy import notice_service
from portal.privacy.models import NoticeVersion
from portal.privacy.register_rules import REGISTER
from portal.settings import service as settings_service
from portal.settings.demo_service import fill_missing

# Article 14 ter of the law, a) to l), by words that each point needs.
POINTS = (
    "Versión 1, vigente desde el 24-11-2026",
    "representada por Persona De Demostración",
    "Avenida Demo 123",
    "contacto@demo.cl",
    "Mercado Pago",
    "Transbank",
    "Base legal: el contrato",
    "interés legítimo",
    "Hosting Demo, por encargo nuestro: aloja este sitio (Chile)",
    "No enviamos publicidad",
    "30 días",
    "12 meses",
    "Cómo los cuidamos",
    "acceso, rectificación, supresión, oposición y portabilidad",
    "Agencia de Protección de Datos Personales",
    "fuera de Chile",
    "6 años",
    "los entrega usted mismo",
    "retirarlo cuando quiera",
    "Decisiones automatizadas",
)


def test_notice_has_every_point_of_the_law(
    session: Session, client: FlaskClient
) -> None:
    with transaction() as writing:
        fill_missing(writing, TUESDAY_NOON)
    notice_service.publish(TUESDAY_NOON)
    response = client.get("/privacidad")
    assert response.status_code == 200
    page = BeautifulSoup(response.text, "html.parser")
    text = " ".join(page.select("#notice")[0].get_text(" ").split())
    for point in POINTS:
        assert point in text, point


def test_notice_of_a_shop_that_is_not_set_up_shows_no_empty_lines(
    client: FlaskClient,
) -> None:
    page = BeautifulSoup(client.get("/privacidad").text, "html.parser")
    notice = page.select("#notice")[0]
    assert all(item.get_text(strip=True) for item in notice.select("li, p"))
    assert "None" not in notice.get_text()


def test_each_change_of_words_is_a_version_with_an_address_of_its_own(
    app: Flask, session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    notice_service.publish(clock.now)
    notice_service.publish(clock.now)
    with transaction() as writing:
        owner = add_staff(writing, role="owner").id
    page = "/administrar/ajustes/encargados"
    inside = log_in_as(app, owner)
    refused = send(inside, page, processors="Hosting Sur; aloja este sitio")
    assert refused.status_code == 422
    assert "nombre; para qué; país" in refused.text
    assert send(inside, page, processors="Hosting Sur; aloja; Chile").status_code == 303
    notice_service.publish(clock.advance(days=1))
    session.rollback()
    assert session.scalars(select(NoticeVersion.number)).all() == [1, 2]
    new, old = client.get("/privacidad").text, client.get("/privacidad/1").text
    assert "Versión 2, vigente desde el 25-11-2026" in new
    assert "Hosting Sur, por encargo nuestro" in new
    assert "Hosting Sur" not in old
    assert "Esta es una versión anterior" in old
    assert client.get("/privacidad/3").status_code == 404


def test_register_and_notice_say_the_same(
    app: Flask, session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    settings_service.change(
        {"processors": ["Hosting Sur; aloja; Chile"]}, actor=SYSTEM, now=clock.now
    )
    with transaction() as writing:
        owner = add_staff(writing, role="owner").id
    register = log_in_as(app, owner).get("/administrar/datos/registro").text
    notice = client.get("/privacidad").text.lower()
    assert "Hosting Sur; aloja; Chile" in register
    for each in REGISTER:
        for words in (each.purpose, each.data, each.basis, each.term):
            assert words in register
            assert words.lower() in notice


def test_published_notice_cannot_be_changed(
    session: Session, clock: FrozenClock
) -> None:
    notice_service.publish(clock.now)
    for act in ("UPDATE notice_versions SET body = 'x'", "DELETE FROM notice_versions"):
        with pytest.raises(IntegrityError, match="append-only"):
            session.execute(text(act))
        session.rollback()
