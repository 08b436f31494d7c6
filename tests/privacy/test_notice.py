"""The notice says what the data law asks, from the owner's own data."""

from bs4 import BeautifulSoup
from conftest import TUESDAY_NOON
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.settings.demo_service import fill_missing

# Article 14 ter of the law, a) to l), by words that each point needs.
POINTS = (
    "Versión 1, vigente desde el 24-11-2026",
    "representada por Persona De Demostración",
    "Avenida Demo 123",
    "contacto@demo.cl",
    "Mercado Pago",
    "Transbank",
    "base legal",
    "interés legítimo",
    "Cómo los cuidamos",
    "acceso, rectificación, supresión, oposición y portabilidad",
    "Agencia de Protección de Datos Personales",
    "fuera de Chile",
    "6 años",
    "Los entrega usted mismo",
    "retirarlo cuando quiera",
    "Decisiones automatizadas",
)


def test_notice_has_every_point_of_the_law(
    session: Session, client: FlaskClient
) -> None:
    with transaction() as writing:
        fill_missing(writing, TUESDAY_NOON)
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
