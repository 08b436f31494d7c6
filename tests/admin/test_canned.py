"""Canned solutions: the owner writes them by topic, technicians find them on cards."""

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select
from support_cases import add_attention, add_staff, log_in_as, person

from portal import clock as portal_clock
from portal.catalog.models import CannedSolution
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.support import service

LIST = "/administrar/soluciones"
TEXT = "Cambiamos el papel.\nLa <b>impresora</b> imprime."


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def history(app: Flask) -> list[JournalEntry]:
    rows = select(JournalEntry).where(JournalEntry.object_kind == "canned")
    return inside(app, lambda session: list(session.scalars(rows)))


def canned(app: Flask, title: str) -> CannedSolution:
    rows = select(CannedSolution).where(CannedSolution.title == title)
    found = inside(app, lambda session: session.scalar(rows))
    assert found
    return found


def offered(app: Flask, topic: str) -> BeautifulSoup:
    """The list of canned solutions on a technician's card of this topic."""
    now = portal_clock.utcnow()
    with app.app_context():
        with transaction() as session:
            ana = add_staff(session)
            number = add_attention(session, now=now, topic_slug=topic).id
            by = person(ana)
        service.take(number, by=by, now=now)
    board = read(log_in_as(app, by.id).get("/tablero"))
    return board.select_one(f"#atencion-{number} [data-canned]") or board


def test_owner_adds_changes_takes_off_and_puts_back(
    app: Flask, owner: FlaskClient
) -> None:
    values = {"title": "Papel nuevo", "topic_slug": "isbutton", "text": TEXT}
    assert send(owner, f"{LIST}/nueva", **values).status_code == 303
    option = offered(app, "isbutton").find("option", string="Papel nuevo")
    assert option["data-text"] == TEXT
    assert "Papel nuevo" not in offered(app, "no-parte").text
    path = f"{LIST}/{canned(app, 'Papel nuevo').id}"

    assert send(owner, path, title="Rollo nuevo", topic_slug="").status_code == 303
    assert send(owner, path).status_code == 303
    assert "Rollo nuevo" in offered(app, "no-parte").text

    data = values_of(read(owner.get(LIST)), f"{path}/quitar")
    for _twice in range(2):
        assert owner.post(f"{path}/quitar", data=data).status_code == 303
    assert "Rollo nuevo" not in offered(app, "no-parte").text
    assert "Quitadas (1)" in text_of(owner.get(LIST))
    data = values_of(read(owner.get(LIST)), f"{path}/reponer")
    assert owner.post(f"{path}/reponer", data=data).status_code == 303
    assert "Rollo nuevo" in offered(app, "no-parte").text

    lines = history(app)
    acts = [line.action.removeprefix("canned.") for line in lines]
    assert acts == ["added", "changed", "removed", "restored"]
    assert {(line.actor_kind, line.actor_id) for line in lines} == {("staff", 1)}
    assert lines[1].data["before"]["title"] == "Papel nuevo"
    assert lines[1].data["after"]["title"] == "Rollo nuevo"


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"title": " "}, "title", "Escriba un título"),
        ({"title": "x" * 81}, "title", "80"),
        ({"title": "error LIMPIADO"}, "title", "ya tiene una solución"),
        ({"text": ""}, "text", "Escriba el texto"),
        ({"text": "x" * 10_000}, "text", "1000"),
        ({"text": "con \x07 timbre"}, "text", "no se pueden usar"),
        ({"topic_slug": "otro"}, "topic_slug", "tema de la lista"),
    ],
)
def test_wrong_solution_is_refused_beside_its_field(
    app: Flask, owner: FlaskClient, changes: dict[str, str], name: str, words: str
) -> None:
    typed = {"title": "Mía", "topic_slug": "error-del-programa", "text": "Mi texto"}
    answer = send(owner, f"{LIST}/nueva", **{**typed, **changes})
    assert answer.status_code == 422
    assert words in error_of(answer, name)
    kept = values_of(read(answer), f"{LIST}/nueva")
    for other in {"title", "text", "topic_slug"} - set(changes):
        assert kept[other] == typed[other]
    assert history(app) == []


def test_second_owner_sees_both_texts_and_takes_nothing_unseen_off(
    app: Flask, owner: FlaskClient
) -> None:
    number = canned(app, "Error limpiado").id
    path = f"{LIST}/{number}"
    old = values_of(read(owner.get(path)), path)
    unseen = values_of(read(owner.get(LIST)), f"{path}/quitar")
    send(owner, path, text="Primera.")
    answer = owner.post(path, data={**old, "text": "Segunda."})
    assert answer.status_code == 409
    assert "Primera." in text_of(answer)
    again = values_of(read(answer), path)
    assert again["text"] == "Segunda."

    refused = owner.post(f"{path}/quitar", data=unseen)
    assert refused.status_code == 409
    assert "Otra persona cambió" in text_of(refused)
    assert canned(app, "Error limpiado").active
    assert owner.post(path, data=again).status_code == 303
    assert canned(app, "Error limpiado").text == "Segunda."
