"""From the form to the order, with every way to fill it in wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from shop_forms import (
    FACTURA,
    FILLED,
    SUPPORT,
    error_of,
    open_form,
    post,
    read,
    send,
    shown_values,
)

from portal.journal.models import JournalEntry
from portal.orders.models import Contact, Order
from portal.terms.models import TermsAcceptance

VISIT = "/servicios/asistencia-terreno"
Orders = Callable[[], list[Order]]
Count = Callable[[Any], int]


@pytest.mark.parametrize("path", FILLED)
def test_each_service_is_ordered(
    client: FlaskClient, orders: Orders, path: str
) -> None:
    response = send(client, path)
    assert response.status_code == 303
    assert response.location.startswith("/atencion/")
    (order,) = orders()
    assert order.service_slug == path.rpartition("/")[2]
    assert order.state == "awaiting_payment"
    assert (order.expires_at - order.created_at).total_seconds() == 30 * 60


def test_order_keeps_what_was_typed_as_chile_writes_it(
    client: FlaskClient, orders: Orders, session: Any
) -> None:
    send(client, SUPPORT, FACTURA)
    (order,) = orders()
    assert order.tax_rut == "765432103"
    assert order.tax_commune == "Ñuñoa"
    contact = session.get(Contact, order.contact_id)
    assert (contact.phone, contact.rut) == ("+56987654321", "765432103")


def test_boleta_keeps_no_tax_data(client: FlaskClient, orders: Orders) -> None:
    send(client, SUPPORT, {**FACTURA, "document": "boleta"})
    assert orders()[0].tax_rut is None
    assert orders()[0].tax_name is None


def test_acceptance_is_kept_with_the_order(
    client: FlaskClient, session: Any, orders: Orders
) -> None:
    send(client)
    kept = session.query(TermsAcceptance).one()
    assert (kept.order_id, kept.version) == (orders()[0].id, 1)
    assert (kept.price_shown, kept.regime_kind) == (19_990, "normal")
    assert kept.address == "127.0.0.1"


def test_history_tells_of_the_order_and_of_no_person(
    client: FlaskClient, session: Any
) -> None:
    send(client, SUPPORT, FACTURA)
    entries = session.query(JournalEntry).filter(JournalEntry.order_id.isnot(None))
    assert {entry.action for entry in entries} == {"order.placed", "terms.accepted"}
    told = " ".join(str(entry.data) for entry in entries)
    for private in ("Rosa", "rosa@", "98765", "765432", "caja"):
        assert private not in told


BAD = [
    ("topic", "", "Elija en la lista"),
    ("topic", "no-existe", "Elija en la lista"),
    ("topic", "virus", "no resuelve"),
    ("windows_bits", "64", "64 bits"),
    ("windows_bits", "16", "Elija 32 bits"),
    ("problem", "", "Cuéntenos"),
    ("problem", "no anda", "un poco más"),
    ("problem", "x" * 1001, "1000"),
    ("name", "", "Escriba su nombre"),
    ("name", "   ", "Escriba su nombre"),
    ("name", "x" * 81, "80"),
    ("name", "Rosa\0Pérez", "caracteres"),
    ("name", "Rosa\nPérez", "caracteres"),
    ("phone", "", "9 8765 4321"),
    ("phone", "hola", "9 8765 4321"),
    ("phone", "8765 4321", "9 dígitos"),
    ("phone", "+54 9 11 2345 6789", "de Chile"),
    ("phone", "9" * 31, "30"),
    ("email", "", "nombre@correo.cl"),
    ("email", "rosa", "nombre@correo.cl"),
    ("email", "rosa@", "nombre@correo.cl"),
    ("email", "rosa@almacen.cl\r\nBcc: x@y.cl", "caracteres"),
    ("email", "a" * 110 + "@almacen.cl", "120"),
    ("document", "guia", "boleta o factura"),
    ("accept_terms", None, "aceptar los términos"),
    ("accept_terms", "", "aceptar los términos"),
    ("accept_terms", "false", "aceptar los términos"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_bad_field_is_told_beside_it(
    client: FlaskClient, orders: Orders, name: str, value: str | None, message: str
) -> None:
    response = send(client, SUPPORT, {name: value})
    assert response.status_code == 422
    page = read(response)
    assert message in error_of(page, name)
    assert page.select_one("#errores[tabindex='-1'][autofocus]")
    links = [link["href"] for link in page.select("#errores a")]
    assert links
    assert [link for link in links if not page.select(link)] == []
    assert orders() == []


BAD_TAX = [
    ("tax_rut", "", "Escriba el RUT"),
    ("tax_rut", "76.543.210-4", "dígito verificador"),
    ("tax_rut", "66.666.666-6", "genérico"),
    ("tax_rut", "hola", "RUT"),
    ("tax_name", "", "razón social"),
    ("tax_name", "x" * 101, "100"),
    ("tax_activity", "", "giro"),
    ("tax_activity", "x" * 41, "40"),
    ("tax_address", "", "dirección"),
    ("tax_address", "x" * 71, "70"),
    ("tax_commune", "", "comuna"),
    ("tax_commune", "Springfield", "No conocemos"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD_TAX)
def test_bad_tax_field_stops_a_factura_only(
    client: FlaskClient, orders: Orders, name: str, value: str, message: str
) -> None:
    response = send(client, SUPPORT, {**FACTURA, name: value})
    assert response.status_code == 422
    assert message in error_of(read(response), name)
    boleta = send(client, SUPPORT, {**FACTURA, name: value, "document": "boleta"})
    assert boleta.status_code == 303


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("address", "", "dirección de la visita"),
        ("commune", "", "comuna"),
        ("commune", "Arica", "no visitamos"),
    ],
)
def test_visit_goes_only_where_it_can(
    client: FlaskClient, orders: Orders, name: str, value: str, message: str
) -> None:
    response = send(client, VISIT, {name: value})
    assert response.status_code == 422
    assert message in error_of(read(response), name)
    assert orders() == []


def test_owner_says_where_the_visits_go(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    change(on_site_communes=("Providencia",))
    assert send(client, VISIT).status_code == 422
    assert send(client, VISIT, commune="Providencia").status_code == 303


def test_everything_typed_is_shown_again(client: FlaskClient) -> None:
    typed = {
        **FACTURA,
        "name": "Rosa <Pérez>",
        "email": "mal",
        "windows_bits": "32",
        "problem": "Una línea\nY otra línea",
    }
    shown = shown_values(read(send(client, SUPPORT, typed)))
    for name, value in typed.items():
        assert shown[name] == value
    assert shown["topic"] == "error-del-programa"


@pytest.mark.parametrize("raw", [b"%ED%A0%80", b"%00", b"%FF%FE", b"%C3%28%A0%A1"])
@pytest.mark.parametrize(
    "name", ["name", "email", "phone", "problem", "tax_rut", "topic", "form_key"]
)
def test_malformed_text_is_no_crash(
    client: FlaskClient, orders: Orders, name: str, raw: bytes
) -> None:
    values = {**open_form(client), **FILLED[SUPPORT], **FACTURA}
    token = values["csrf_token"]
    del values[name]
    body = "&".join(
        f"{key}={value}" for key, value in values.items() if key != "csrf_token"
    ).encode()
    response = client.post(
        SUPPORT,
        data=body + f"&{name}=abcdefghijkl".encode() + raw,
        content_type="application/x-www-form-urlencoded",
        headers={"X-CSRFToken": token},
        csrf=False,
    )
    # A name of the form that nobody could have been given is replaced by a new one.
    assert response.status_code == (303 if name == "form_key" else 422)
    assert len(orders()) == (1 if name == "form_key" else 0)


def test_price_and_state_cannot_be_sent(client: FlaskClient, orders: Orders) -> None:
    extra = {"price": "1", "state": "paid", "regime_kind": "special", "id": "7"}
    response = send(client, SUPPORT, {**extra, "paid_at": "2026-01-01", "gateway": "x"})
    assert response.status_code == 303
    (order,) = orders()
    assert (order.price, order.state, order.paid_at) == (
        19_990,
        "awaiting_payment",
        None,
    )


def test_repeated_field_counts_once(client: FlaskClient, orders: Orders) -> None:
    values = {**open_form(client), **FILLED[SUPPORT], "name": ["Rosa", "Otra"]}
    assert post(client, SUPPORT, values).status_code == 303


@pytest.mark.parametrize("body", [b"[]", b'{"name": ["x"]}', b'"\\ud800"', b"{"])
def test_json_is_no_form(client: FlaskClient, orders: Orders, body: bytes) -> None:
    response = client.post(SUPPORT, data=body, content_type="application/json")
    assert response.status_code == 422
    assert orders() == []


def test_without_csrf_token_nothing_is_ordered(
    client: FlaskClient, orders: Orders
) -> None:
    values = {**open_form(client), **FILLED[SUPPORT], "csrf_token": None}
    assert post(client, SUPPORT, values).status_code == 400
    assert orders() == []


def test_fields_of_the_contract_alone_are_enough(
    client: FlaskClient, orders: Orders
) -> None:
    """What the page carries hidden is remembered for who does not send it back."""
    token = open_form(client)["csrf_token"]
    values = {**FILLED[SUPPORT], "csrf_token": token}
    first = post(client, SUPPORT, values)
    assert first.status_code == 303
    assert post(client, SUPPORT, values).location == first.location
    assert len(orders()) == 1


def test_form_never_shown_accepts_no_terms(client: FlaskClient, orders: Orders) -> None:
    response = client.post(SUPPORT, data=FILLED[SUPPORT])
    assert response.status_code == 422
    assert "términos cambiaron" in error_of(read(response), "accept_terms")
    assert orders() == []


@pytest.mark.parametrize("name", ["topic", "windows_bits", "address", "commune"])
def test_fields_of_another_service_do_not_count(
    client: FlaskClient, orders: Orders, name: str
) -> None:
    send(client, "/servicios/reinstalacion", {name: "x" * 500})
    (order,) = orders()
    assert order.topic_slug is None
    assert order.address is None
    assert order.commune is None
    assert order.windows_bits == "unknown"


def test_bits_and_document_have_the_careful_default(
    client: FlaskClient, orders: Orders
) -> None:
    send(client, SUPPORT, windows_bits=None, document=None)
    (order,) = orders()
    assert (order.windows_bits, order.document) == ("unknown", "boleta")


def test_terms_come_unticked(client: FlaskClient) -> None:
    assert "accept_terms" not in open_form(client)


def test_history_and_rows_are_one_transaction(
    client: FlaskClient, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kw: object) -> None:
        raise RuntimeError("the power went out")

    values = {**open_form(client), **FILLED[SUPPORT]}
    monkeypatch.setattr("portal.orders.service.terms_service.accept", fail)
    with pytest.raises(RuntimeError):
        post(client, SUPPORT, values)
    assert (count(Order), count(Contact), count(TermsAcceptance)) == (0, 0, 0)
