"""Errands on the board, over HTTP and without scripts."""

import re

import pytest
from conftest import FrozenClock
from flask import Flask
from sqlalchemy import select
from support_cases import add_order

from portal.db import transaction
from portal.support import service
from portal.support.models import Errand

HTMX = {"HX-Request": "true"}
FRIDAY = "2026-11-27T10:30"


@pytest.fixture
def errand(app: Flask, clock: FrozenClock) -> int:
    with app.app_context(), transaction() as session:
        order = add_order(
            session,
            now=clock.now,
            service_slug="asistencia-terreno",
            service_name="Asistencia en terreno",
            address="Los Aromos <12>",
            commune="Ñuñoa",
        )
        service.open_for_order(session, order, now=clock.now)
        return session.scalars(select(Errand)).one().id


def state_on(page: str, errand: int) -> str | None:
    found = re.search(rf'id="encargo-{errand}" data-errand="(\w+)"', page)
    return found and found.group(1)


def act(client, errand: int, name: str, headers=None, **data):
    return client.post(f"/tablero/encargos/{errand}/{name}", data=data, headers=headers)


def test_paid_errand_is_on_the_board(enter, errand) -> None:
    client, _ = enter()
    page = client.get("/tablero").text
    assert 'id="carril-encargos"' in page
    assert state_on(page, errand) == "open"
    assert "Los Aromos &lt;12&gt;, Ñuñoa" in page
    assert 'href="tel:+56987654321"' in page


def test_errand_without_scripts_from_its_date_to_its_end(enter, errand, clock) -> None:
    client, _ = enter()
    answer = act(client, errand, "coordinar", when=FRIDAY, text="Con el disco")
    assert (answer.status_code, answer.location) == (303, f"/tablero#encargo-{errand}")
    page = client.get("/tablero").text
    assert state_on(page, errand) == "scheduled"
    assert "viernes 27 de noviembre, 10:30" in page
    assert "Con el disco" in page
    clock.advance(days=3)
    assert act(client, errand, "hecho", text="Quedó listo").status_code == 303
    assert state_on(client.get("/tablero").text, errand) is None


def test_poll_shows_a_new_errand(enter, app, clock) -> None:
    client, _ = enter()
    page = client.get("/tablero").text
    poll = re.search(r'hx-get="(/tablero/tarjetas\?v=[^"]+)"', page).group(1)
    assert client.get(poll, headers=HTMX).status_code == 204
    with app.app_context(), transaction() as session:
        order = add_order(session, now=clock.now, service_slug="reinstalacion")
        service.open_for_order(session, order, now=clock.now)
    answer = client.get(poll, headers=HTMX)
    assert answer.status_code == 200
    assert 'id="encargo-1"' in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_late_act_answers_409_with_the_errand_and_who(enter, errand, headers) -> None:
    (ana, _), (luis, _) = enter("Ana"), enter("Luis")
    act(ana, errand, "coordinar", when=FRIDAY)
    answer = act(luis, errand, "coordinar", headers=headers, when="2026-11-28T09:00")
    assert answer.status_code == 409
    assert "Lo agendó Ana a las 12:00:00, para el 27-11-2026 a las 10:30" in answer.text
    assert state_on(answer.text, errand) == "scheduled"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("coordinar", {"when": "2020-01-01T10:00", "text": "<i>queda</i>"}, "ya pasó"),
        ("coordinar", {"when": "", "text": "<i>queda</i>"}, "Elija el día"),
        ("hecho", {"text": " "}, "Escriba qué se hizo"),
        ("hecho", {"text": "<i>queda</i>" + "x" * 1_000}, "1000 caracteres"),
    ],
)
def test_wrong_field_answers_422_and_keeps_the_text(
    enter, errand, headers, name, data, message
) -> None:
    client, _ = enter()
    answer = act(client, errand, name, headers=headers, **data)
    assert answer.status_code == 422
    assert message in answer.text
    assert ("&lt;i&gt;queda&lt;/i&gt;" in answer.text) == ("<i>" in data["text"])
    assert state_on(answer.text, errand) == "open"


def test_only_the_owner_sees_and_does_the_cancelling(enter, errand) -> None:
    (ana, _), (olga, _) = enter("Ana"), enter("Olga", "owner")
    assert f"/tablero/encargos/{errand}/anular" not in ana.get("/tablero").text
    assert act(ana, errand, "anular", reason="x").status_code == 403
    assert f"/tablero/encargos/{errand}/anular" in olga.get("/tablero").text
    assert act(olga, errand, "anular", reason="").status_code == 422
    assert act(olga, errand, "anular", reason="Sin técnico").status_code == 303
    assert state_on(olga.get("/tablero").text, errand) is None


def test_unknown_errand_is_not_found(enter) -> None:
    client, _ = enter("Olga", "owner")
    for name in ("coordinar", "hecho", "anular"):
        assert act(client, 999, name, text="x", reason="").status_code == 404
