"""Filling in the checkout form as a person does, from the page's own fields."""

from datetime import UTC, datetime
from typing import Any

import warm_start
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db
from portal.terms.service import set_up

# Tuesday, 12:00 in Santiago.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

SUPPORT = "/servicios/soporte-online"
PERSON = {
    "name": "Rosa Pérez",
    "phone": "9 8765 4321",
    "email": "rosa@almacen.cl",
    "problem": "La caja muestra un error al cobrar.",
    "accept_terms": "y",
}
FACTURA = {
    "document": "factura",
    "tax_rut": "76.543.210-3",
    "tax_name": "Almacén Rosa SpA",
    "tax_activity": "Almacén",
    "tax_address": "Los Aromos 12",
    "tax_commune": "nunoa",
}
FILLED = {
    SUPPORT: {**PERSON, "topic": "error-del-programa", "windows_bits": "32"},
    "/servicios/reinstalacion": PERSON,
    "/servicios/servicio-tecnico": PERSON,
    "/servicios/asistencia-terreno": {
        **PERSON,
        "address": "Irarrázaval 100",
        "commune": "Ñuñoa",
    },
}


def stock(app: Flask) -> Flask:
    """Give an empty shop its services, topics and terms."""
    with app.app_context():
        warm_start.fill(("stock", NOW), lambda: set_up(NOW))
        db.session.remove()
    return app


def read(response: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(response.get_data(as_text=True), "html.parser")


def shown_values(page: BeautifulSoup) -> dict[str, str]:
    """What a browser would send if nothing was touched."""
    form = page.select_one("form[method=post]")
    assert form is not None
    values = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        name = str(field["name"])
        if field.name == "textarea":
            values[name] = field.text.removeprefix("\r\n").removeprefix("\n")
        elif field.name == "select":
            chosen = field.select_one("option[selected]")
            values[name] = str(chosen["value"]) if chosen else ""
        elif field.get("type") not in ("radio", "checkbox") or field.has_attr(
            "checked"
        ):
            values[name] = str(field.get("value", ""))
    return values


def open_form(client: FlaskClient, path: str = SUPPORT) -> dict[str, str]:
    return shown_values(read(client.get(path)))


def send(
    client: FlaskClient, path: str = SUPPORT, changes: Any = None, **fields: Any
) -> TestResponse:
    """Open the page, fill it in, press Continuar. A field of None is not sent."""
    values = {**open_form(client, path), **FILLED[path], **fields, **(changes or {})}
    return post(client, path, values)


def post(client: FlaskClient, path: str, values: dict[str, Any]) -> TestResponse:
    data = {name: value for name, value in values.items() if value is not None}
    return client.post(path, data=data, csrf=False)


def error_of(page: BeautifulSoup, name: str) -> str:
    """The message beside a field."""
    line = page.select_one(f"#{name}-error")
    return line.get_text(" ", strip=True) if line else ""
