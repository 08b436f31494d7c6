"""What is sold when, to the second."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from flask.testing import FlaskClient
from shop_forms import FILLED, SUPPORT, open_form, post, read, send, shown_values

from portal.orders.models import Order

Orders = Callable[[], list[Order]]
SUMMER = timezone(timedelta(hours=-3))


def santiago(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SUMMER)


# 2026-11-24 is a Tuesday; the day's last closing is 22:00, the last sale 21:30.
EDGES = [
    ("2026-11-24 08:59:59", None, "closed"),
    ("2026-11-24 09:00:00", 19_990, "normal"),
    ("2026-11-24 18:30:59", 19_990, "normal"),
    ("2026-11-24 18:31:00", 29_990, "special"),
    ("2026-11-24 21:29:59", 29_990, "special"),
    ("2026-11-24 21:30:00", None, "special"),
    ("2026-11-24 21:59:59", None, "special"),
    ("2026-11-24 22:00:00", None, "closed"),
    ("2026-11-28 09:59:59", None, "closed"),
    ("2026-11-28 10:00:00", 29_990, "special"),
    ("2026-11-29 13:29:59", 29_990, "special"),
    ("2026-11-29 13:30:00", None, "special"),
    ("2026-12-08 12:00:00", None, "closed"),
    ("2026-12-25 12:00:00", None, "closed"),
]


@pytest.mark.parametrize(("when", "price", "kind"), EDGES)
def test_support_is_sold_only_while_it_can_be_attended(
    client: FlaskClient,
    clock: Any,
    orders: Orders,
    when: str,
    price: int | None,
    kind: str,
) -> None:
    values = {**open_form(client), **FILLED[SUPPORT]}
    clock.set(santiago(when))
    home = read(client.get("/")).select_one("main")
    assert home is not None
    assert home["data-regime"] == kind
    response = post(client, SUPPORT, values)
    assert response.status_code == (303 if price else 422)
    assert [order.price for order in orders()] == ([price] if price else [])
    assert [order.regime_kind for order in orders()] == ([kind] if price else [])


@pytest.mark.parametrize(
    ("when", "opening"),
    [
        ("2026-11-24 22:00:00", "miércoles 25 de noviembre a las 09:00"),
        ("2026-11-24 21:45:00", "miércoles 25 de noviembre a las 09:00"),
        ("2026-12-07 21:45:00", "miércoles 9 de diciembre a las 09:00"),
        ("2026-12-31 23:00:00", "sábado 2 de enero a las 10:00"),
    ],
)
def test_closed_post_loses_nothing_and_tells_the_next_opening(
    client: FlaskClient, clock: Any, orders: Orders, when: str, opening: str
) -> None:
    values = {**open_form(client), **FILLED[SUPPORT]}
    clock.set(santiago(when))
    page = read(post(client, SUPPORT, values))
    notice = page.select_one("#cerrado[autofocus]")
    assert notice is not None
    assert opening in notice.get_text(" ", strip=True)
    assert notice.select_one("time.countdown")
    shown = shown_values(page)
    for name in ("name", "phone", "email", "problem", "topic", "windows_bits"):
        assert shown[name] == values[name]
    assert orders() == []


def test_closed_page_shows_when_it_opens_and_no_form(
    client: FlaskClient, clock: Any
) -> None:
    clock.set(santiago("2026-11-24 23:00:00"))
    page = read(client.get(SUPPORT))
    assert page.select_one("form") is None
    assert "miércoles 25 de noviembre a las 09:00" in page.get_text(" ", strip=True)
    assert page.select_one('a[href="/servicios/servicio-tecnico"]')


@pytest.mark.parametrize("path", [path for path in FILLED if path != SUPPORT])
def test_other_services_are_sold_at_any_hour(
    client: FlaskClient, clock: Any, orders: Orders, path: str
) -> None:
    clock.set(santiago("2026-12-25 03:00:00"))
    assert send(client, path).status_code == 303
    assert orders()[0].regime_kind == "closed"


@pytest.mark.parametrize("path", FILLED)
def test_owner_stops_every_sale(
    client: FlaskClient, orders: Orders, change: Callable[..., None], path: str
) -> None:
    values = {**open_form(client, path), **FILLED[path]}
    change(sales_stopped=True, sales_stopped_message="Se cortó la luz en la oficina.")
    response = post(client, path, values)
    assert response.status_code == 422
    page = read(response)
    assert "Se cortó la luz" in page.get_text()
    assert shown_values(page)["name"] == values["name"]
    assert orders() == []
    assert "Se cortó la luz" in client.get("/").get_data(as_text=True)


def test_stopped_sale_is_said_on_every_card_of_the_home(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    assert "Venta detenida" not in client.get("/").get_data(as_text=True)
    change(sales_stopped=True)
    home = read(client.get("/"))
    cards = [card.get_text() for card in home.select("a.card")]
    assert len(cards) == 3
    assert all("Venta detenida" in card and "$" not in card for card in cards)


def test_home_says_until_when_and_at_which_price(client: FlaskClient) -> None:
    now = read(client.get("/")).select_one("#now")
    assert now is not None
    text = now.get_text(" ", strip=True)
    for part in ("22:00", "$19.990", "IVA incluido", "18:31", "$29.990"):
        assert part in text
    assert [link["href"] for link in now.select("a.btn")] == [SUPPORT]


def test_home_asks_again_at_the_instant_it_changes(
    client: FlaskClient, clock: Any
) -> None:
    clock.set(santiago("2026-11-24 18:30:50"))
    now = read(client.get("/")).select_one("#now")
    assert now is not None
    assert now["hx-trigger"] == "load delay:11s"


def test_home_lists_the_next_closed_days(client: FlaskClient) -> None:
    text = read(client.get("/")).get_text(" ", strip=True)
    assert "Martes 8 de diciembre" in text
    assert "Viernes 25 de diciembre" in text
