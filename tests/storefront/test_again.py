"""The same form twice: double click, back, correct; terms changed meanwhile."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop_forms import FILLED, SUPPORT, error_of, open_form, post, read, shown_values
from sqlalchemy.orm import Session

from portal.db import db
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.orders.models import Order
from portal.terms import service as terms_service

Orders = Callable[[], list[Order]]


def filled(client: FlaskClient) -> dict[str, str]:
    return {**open_form(client), **FILLED[SUPPORT]}


def actions(session: Session) -> list[str]:
    session.rollback()
    return [
        entry.action
        for entry in session.query(JournalEntry).order_by(JournalEntry.id)
        if entry.object_kind == "order"
    ]


@pytest.mark.postgres
def test_two_clicks_at_once_are_one_order(app: Flask, orders: Orders) -> None:
    client = app.test_client()
    values = filled(client)
    cookie = client.get_cookie("portal")
    assert cookie is not None
    barrier = threading.Barrier(4)
    locations: list[str | None] = []

    def click() -> None:
        own = app.test_client()
        own.set_cookie("portal", cookie.value)
        barrier.wait()
        locations.append(post(own, SUPPORT, values).location)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(orders()) == 1
    assert len(set(locations)) == 1
    assert locations[0]


def test_sent_again_it_is_the_same_order(
    client: FlaskClient, orders: Orders, session: Session
) -> None:
    values = filled(client)
    first = post(client, SUPPORT, values)
    again = post(client, SUPPORT, values)
    assert again.location == first.location
    assert len(orders()) == 1
    assert actions(session) == ["order.placed"]


def test_back_and_correct_keeps_the_order(
    client: FlaskClient, orders: Orders, session: Session
) -> None:
    first = post(client, SUPPORT, filled(client))
    token = first.location.rpartition("/")[2]
    page = read(client.get(f"{SUPPORT}?corregir={token}"))
    shown = shown_values(page)
    assert shown["name"] == "Rosa Pérez"
    assert shown["phone"] == "+56 9 8765 4321"
    assert shown["topic"] == "error-del-programa"
    assert "accept_terms" not in shown
    again = post(client, SUPPORT, {**shown, "name": "Rosa Soto", "accept_terms": "y"})
    assert again.location == first.location
    assert len(orders()) == 1
    assert actions(session) == ["order.placed", "order.corrected"]
    told = session.query(JournalEntry).filter_by(action="order.corrected").one()
    assert told.data == {"fields": ["name"]}


def test_page_to_correct_is_private_and_the_blank_one_may_be_kept(
    client: FlaskClient,
) -> None:
    first = post(client, SUPPORT, filled(client))
    token = first.location.rpartition("/")[2]
    private = client.get(f"{SUPPORT}?corregir={token}")
    assert private.headers["Cache-Control"] == "no-store"
    assert client.get(SUPPORT).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("token", ["", "x", "A" * 22, "../../etc", "\0", "ñ" * 22])
def test_unknown_order_to_correct_is_a_blank_form(
    client: FlaskClient, token: str
) -> None:
    response = client.get(SUPPORT, query_string={"corregir": token})
    assert response.status_code == 200
    assert shown_values(read(response))["name"] == ""


def test_order_of_another_service_is_not_shown(client: FlaskClient) -> None:
    first = post(client, SUPPORT, filled(client))
    token = first.location.rpartition("/")[2]
    page = read(client.get(f"/servicios/reinstalacion?corregir={token}"))
    assert shown_values(page)["name"] == ""


def test_paid_order_is_not_placed_again(
    app: Flask, client: FlaskClient, orders: Orders
) -> None:
    values = filled(client)
    first = post(client, SUPPORT, values)
    with app.app_context():
        db.session().query(Order).update({"state": "paid"})
        db.session().commit()
    again = post(client, SUPPORT, {**values, "name": "Otra Persona"})
    assert again.location == first.location
    assert [order.version for order in orders()] == [1]
    token = first.location.rpartition("/")[2]
    assert client.get(f"{SUPPORT}?corregir={token}").location == first.location


def test_expired_order_is_replaced_once(
    client: FlaskClient, clock: Any, orders: Orders
) -> None:
    values = filled(client)
    first = post(client, SUPPORT, values)
    clock.advance(minutes=30)
    second = post(client, SUPPORT, values)
    assert second.location != first.location
    assert post(client, SUPPORT, values).location == second.location
    assert len(orders()) == 2


def test_price_of_the_order_is_frozen_and_a_new_one_is_a_new_order(
    client: FlaskClient, clock: Any, orders: Orders
) -> None:
    clock.advance(hours=6, minutes=20)  # 18:20
    values = filled(client)
    post(client, SUPPORT, values)
    clock.advance(minutes=15)  # 18:35, special
    assert [order.price for order in orders()] == [19_990]
    post(client, SUPPORT, values)
    assert [order.price for order in orders()] == [19_990, 29_990]


def test_terms_that_changed_are_shown_again_unticked(
    app: Flask, client: FlaskClient, orders: Orders, clock: Any
) -> None:
    values = filled(client)
    with app.app_context():
        terms_service.change_price(
            "soporte-online", 21_000, 31_000, actor=SYSTEM, now=clock.now
        )
    response = post(client, SUPPORT, values)
    assert response.status_code == 422
    page = read(response)
    assert "términos cambiaron" in error_of(page, "accept_terms")
    assert page.select_one('a[href="/terminos/2"]')
    shown = shown_values(page)
    assert shown["terms_version"] == "2"
    assert "accept_terms" not in shown
    assert shown["problem"] == values["problem"]
    assert orders() == []
    accepted = post(client, SUPPORT, {**shown, "accept_terms": "y"})
    assert accepted.status_code == 303
    assert [order.price for order in orders()] == [21_000]


def test_two_forms_are_two_orders(client: FlaskClient, orders: Orders) -> None:
    post(client, SUPPORT, filled(client))
    post(client, SUPPORT, filled(client))
    assert len(orders()) == 2
