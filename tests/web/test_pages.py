"""What every page carries, the error pages, the gallery and the manifest."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal import create_app
from portal.clock import utcnow
from portal.config import Settings
from portal.db import db
from portal.settings.models import Setting
from portal.storefront.gallery_views import ERROR_STATUSES

PHONE = "+56223456789"


@pytest.fixture
def public_phone(session: Session) -> str:
    session.add(Setting(name="public_phone", value=PHONE, updated_at=utcnow()))
    session.commit()
    return PHONE


def _soup(client: FlaskClient, path: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(path).data, "html.parser")


def test_page_frame(client: FlaskClient, public_phone: str) -> None:
    soup = _soup(client, "/demo/componentes")
    assert soup.html["lang"] == "es-CL"
    assert soup.find("meta", attrs={"name": "viewport"})
    assert soup.select_one("a.skip")["href"] == "#contenido"
    footer = soup.select_one("footer")
    assert footer.find_parent("main") is None
    assert footer.select_one(f'a[href="tel:{public_phone}"]').text == "+56 2 2345 6789"
    assert "hora de Chile continental (Santiago)" in footer.text
    assert soup.select_one('.demo-bar a[href="/demo"]')


def test_no_page_carries_inline_style_or_script(client: FlaskClient) -> None:
    for path in ("/demo/componentes", "/demo/componentes/tablero", "/nada"):
        soup = _soup(client, path)
        assert soup.select("[style], style, script:not([src])") == []
        names = {name for tag in soup.find_all() for name in tag.attrs}
        assert not [name for name in names if name.startswith("on")]


def test_ids_are_unique(client: FlaskClient) -> None:
    for path in ("/demo/componentes", "/demo/componentes/tablero"):
        ids = [tag["id"] for tag in _soup(client, path).select("[id]")]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("status", ERROR_STATUSES)
def test_error_page_helps(client: FlaskClient, public_phone: str, status: int) -> None:
    answer = client.get(f"/demo/componentes/error/{status}")
    assert answer.status_code == 200
    main = BeautifulSoup(answer.data, "html.parser").main
    assert len(main.select("h1")) == 1
    assert main.select_one(f'a[href="tel:{public_phone}"]')
    assert main.select_one('a[href="/"]')
    assert main.select_one(".btn").text.strip()


def test_unknown_address_shows_the_404_page(client: FlaskClient) -> None:
    answer = client.get("/no-existe")
    assert answer.status_code == 404
    assert "Esta página no existe" in answer.text
    assert "Reenviar mi enlace" in answer.text


def test_answers_tell_the_server_time(client: FlaskClient) -> None:
    answer = client.get("/no-existe")
    assert int(answer.headers["X-Now"]) == int(utcnow().timestamp() * 1000)


def test_every_visible_field_has_its_label_and_its_error(client: FlaskClient) -> None:
    soup = _soup(client, "/demo/componentes")
    for tag in soup.select("input:not([type=hidden]), select, textarea"):
        assert soup.find("label", attrs={"for": tag["id"]})
    for tag in soup.select("[aria-describedby]"):
        for target in tag["aria-describedby"].split():
            assert soup.find(id=target), target
    assert soup.find(id="mal-name")["aria-invalid"] == "true"


def test_field_is_checked_alone(client: FlaskClient) -> None:
    wrong = client.post("/demo/componentes/campo/name", data={"name": ""})
    right = client.post("/demo/componentes/campo/name", data={"name": "Ana"})
    assert "Escriba su nombre." in wrong.text
    assert "aria-invalid" not in right.text
    assert 'value="Ana"' in right.text
    assert client.post("/demo/componentes/campo/otro").status_code == 404


def test_manifest_carries_the_name_of_the_business(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.content_type == "application/manifest+json"
    assert answer.json["name"] == "Soporte ItplusNet Ltda."
    for icon in answer.json["icons"]:
        assert client.get(icon["src"]).content_type == "image/png"


def test_gallery_is_not_in_production(settings: Settings, clock: object) -> None:
    app: Flask = create_app(replace(settings, mode="production"))
    client = app.test_client()
    for path in (
        "/demo/componentes",
        "/demo/componentes/tablero",
        "/demo/componentes/error/500",
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "demo-bar" not in answer.text
    with app.app_context():
        db.engine.dispose()
