"""The terms: the preview marks what changes, and what was read is what is published."""

import pytest
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import inside, read, send, text_of, values_of
from shop_forms import stock

from portal.admin.terms_rules import ADDED, REMOVED, SAME, Line, compare, differences
from portal.journal.service import SYSTEM
from portal.settings import service as settings_service
from portal.terms import queries

PATH, PUBLISH = "/administrar/terminos", "/administrar/terminos/publicar"


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def drift(app: Flask, clock: FrozenClock, minutes: int) -> None:
    """Change a number behind the terms' back, as an old installation may have it."""
    with app.app_context():
        settings_service.change(
            {"promise_minutes": minutes}, actor=SYSTEM, now=clock.now
        )


def test_text_that_says_what_is_has_nothing_to_publish(owner: FlaskClient) -> None:
    page = owner.get(PATH)
    assert "no hay nada que publicar" in text_of(page)
    assert read(page).select_one(f'form[action="{PUBLISH}"]') is None
    assert "Versión 1 , del 24-11-2026" in text_of(page)


def test_preview_marks_the_difference_and_publishes_it(
    app: Flask, owner: FlaskClient, client: FlaskClient, clock: FrozenClock
) -> None:
    drift(app, clock, 17)
    page = read(owner.get(PATH))
    marked = [it.get_text(" ", strip=True) for it in page.select(".diff ins")]
    assert len(page.select(".diff del")) == len(marked)
    assert any("17 minutos" in line for line in marked)
    assert inside(app, queries.current_number) == 1
    assert send(owner, PATH, PUBLISH).status_code == 303
    assert "Publicada la versión 2" in text_of(owner.get(PATH))
    assert "17 minutos" in client.get("/terminos").text
    assert "17 minutos" not in client.get("/terminos/1").text


def test_what_was_read_is_what_is_published(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    drift(app, clock, 17)
    seen = values_of(read(owner.get(PATH)), PUBLISH)
    drift(app, clock, 18)
    answer = owner.post(PUBLISH, data=seen)
    assert answer.status_code == 409
    assert "cambió mientras usted lo leía" in text_of(answer)
    assert inside(app, queries.current_number) == 1
    again = values_of(read(answer), PUBLISH)
    assert owner.post(PUBLISH, data=again).status_code == 303
    assert owner.post(PUBLISH, data=again).status_code == 303
    assert inside(app, queries.current_number) == 2


def test_comparison_keeps_every_paragraph_of_both() -> None:
    old, new = "# A\n\nuno\n\ndos\n", "# A\n\nuno y medio\n\ndos\n\ntres\n"
    assert compare(old, new) == [
        Line(SAME, "A"),
        Line(REMOVED, "uno"),
        Line(ADDED, "uno y medio"),
        Line(SAME, "dos"),
        Line(ADDED, "tres"),
    ]
    assert differences(old, old) == []
