"""The public pages of the terms."""

import pytest
from bs4 import BeautifulSoup
from conftest import TUESDAY_NOON
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.catalog.service import ensure_defaults
from portal.db import transaction
from portal.journal.service import Actor
from portal.terms import service
from portal.terms.rules import text_hash

OWNER = Actor("staff", 1)


@pytest.fixture
def published(session: Session) -> None:
    with transaction() as writing:
        ensure_defaults(writing, TUESDAY_NOON)
        service.ensure_first_version(writing, TUESDAY_NOON)


@pytest.fixture
def twice(published: None) -> None:
    service.change_setting(
        "business_address", "<b>Calle 1</b>", actor=OWNER, now=TUESDAY_NOON
    )


def soup(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == 200
    return BeautifulSoup(answer.data, "html.parser")


@pytest.mark.usefixtures("published")
def test_page_shows_the_text_in_force(client: FlaskClient) -> None:
    main = soup(client, "/terminos").main
    assert main is not None
    assert [h1.text for h1 in main("h1")] == [
        "Términos de la atención de soporte en línea"
    ]
    assert len(main("h2")) == 15
    assert "Versión 1, publicada el 24-11-2026 12:00" in main.text
    assert "versión anterior" not in main.text


@pytest.mark.usefixtures("published")
def test_items_stand_in_lists(client: FlaskClient) -> None:
    page = soup(client, "/terminos")
    assert all(item.parent.name == "ul" for item in page("li"))
    assert all(child.name == "li" for ul in page("ul") for child in ul(recursive=False))
    assert "virus en su computador" in [item.text for item in page("li")]


@pytest.mark.usefixtures("twice")
def test_older_version_says_so_and_stays_published(client: FlaskClient) -> None:
    old = soup(client, "/terminos/1")
    assert "Esta es una versión anterior" in old.text
    assert "Calle 1" not in old.main.text  # type: ignore[union-attr]
    assert old.find("a", href="/terminos/2")
    new = soup(client, "/terminos")
    assert "Domicilio: <b>Calle 1</b>" in new.text
    assert new.find("a", href="/terminos/1")


@pytest.mark.usefixtures("twice")
@pytest.mark.parametrize(
    ("path", "number"),
    [("/terminos/1", 1), ("/terminos/2", 2), ("/terminos", 2)],
)
def test_text_to_store_is_the_one_that_is_hashed(
    client: FlaskClient, path: str, number: int
) -> None:
    answer = client.get(f"{path}?formato=texto")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert f"terminos-v{number}.txt" in answer.headers["Content-Disposition"]
    assert text_hash(answer.text) in soup(client, path).text


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "path",
    [
        "/terminos/2",
        "/terminos/0",
        "/terminos/-1",
        "/terminos/x",
        f"/terminos/{10**30}",
    ],
)
def test_unknown_version_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_before_the_first_version_nothing_is_found(client: FlaskClient) -> None:
    assert client.get("/terminos").status_code == 404
