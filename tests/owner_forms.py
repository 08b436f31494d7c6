"""Reading and sending the owner's forms as her browser does."""

from collections.abc import Callable
from typing import Any, TypeVar

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.db import db

Result = TypeVar("Result")


def read(answer: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def text_of(answer: TestResponse) -> str:
    return read(answer).get_text(" ", strip=True)


def values_of(page: BeautifulSoup, action: str) -> dict[str, Any]:
    """What a browser would send of the form that posts to `action`."""
    form = page.select_one(f'form[action="{action}"]')
    assert form is not None, action
    values: dict[str, Any] = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        name = str(field["name"])
        if field.name == "textarea":
            values[name] = field.text.removeprefix("\r\n").removeprefix("\n")
        elif field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            values[name] = str(chosen["value"]) if chosen else ""
        elif field.get("type") not in ("radio", "checkbox") or field.has_attr(
            "checked"
        ):
            values[name] = str(field.get("value", ""))
    return values


def send(
    client: FlaskClient, path: str, action: str = "", /, **changes: Any
) -> TestResponse:
    """Open the page, change some fields of its form, send it."""
    values = values_of(read(client.get(path)), action or path)
    return client.post(action or path, data={**values, **changes})


def error_of(answer: TestResponse, name: str) -> str:
    """The message beside a field."""
    line = read(answer).select_one(f"#{name}-error")
    return line.get_text(" ", strip=True) if line else ""


def inside(app: Flask, ask: Callable[[Session], Result]) -> Result:
    """What `ask` finds in the database now.

    In a context of its own: what a request remembers must not outlive it.
    """
    with app.app_context():
        return ask(db.session())
