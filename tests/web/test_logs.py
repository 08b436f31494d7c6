"""Each request has a number; a line of the log tells nothing personal."""

import io
import json
import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import open_shop
from sqlalchemy.orm import Session

from portal import logs
from portal.config import Settings


@pytest.fixture
def lines(settings: Settings) -> io.StringIO:
    """What the handler of the program writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    loggers = [logging.getLogger("portal"), logging.getLogger("portal.requests")]
    loggers[0].addHandler(handler)
    loggers[1].setLevel(logging.INFO)
    yield stream
    loggers[0].removeHandler(handler)
    loggers[1].setLevel(logging.NOTSET)


def read(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_request_is_one_line_without_its_secret_address(
    app: Flask, session: Session, client: FlaskClient, clock, lines: io.StringIO
) -> None:
    shop = open_shop(app, session, clock.now)
    path = shop.path(shop.order())
    answer = client.get(f"{path}?correo=maria@example.cl")
    (line,) = read(lines)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["route"] == "/atencion/<token>"
    assert isinstance(line["ms"], float)
    for secret in (path.rsplit("/", 1)[1], "maria", "127.0.0.1"):
        assert secret not in lines.getvalue()


def test_failure_names_its_kind_and_place_and_shows_its_number(
    app: Flask, client: FlaskClient, lines: io.StringIO
) -> None:
    def fails(_error: object = None) -> str:
        try:
            int("a customer's own words")
        except ValueError as error:
            raise KeyError("12.345.678-5") from error
        return ""

    app.testing = False
    app.view_functions["storefront.home"] = fails
    answer = client.get("/")
    assert answer.status_code == 500
    number = answer.headers["X-Request-ID"]
    assert number in answer.text
    failure, request = read(lines)
    assert failure["request_id"] == request["request_id"] == number
    assert failure["exception"] == ["builtins.KeyError", "builtins.ValueError"]
    assert str(failure["where"][-1]).startswith("tests/web/test_logs.py:")
    assert "12.345.678" not in lines.getvalue()
    assert "own words" not in lines.getvalue()


def test_number_of_a_request_is_taken_from_a_trusted_proxy_alone(
    client: FlaskClient, settings: Settings
) -> None:
    given = {"X-Request-ID": "0123-4567-89ab"}
    assert client.get("/salud", headers=given).headers["X-Request-ID"] != given
    believing = Flask("believing")
    logs.init_app(believing, trusts_proxies=True)
    believing.add_url_rule("/", "home", lambda: "")
    for value, kept in (
        ("0123-4567-89ab", True),
        ("short", False),
        ("a\tb" * 9, False),
    ):
        answer = believing.test_client().get("/", headers={"X-Request-ID": value})
        assert (answer.headers["X-Request-ID"] == value) is kept


def test_line_is_one_whatever_the_message_holds() -> None:
    record = logging.LogRecord(
        "x",
        logging.ERROR,
        "",
        0,
        'a\n{"level":"info"}\x1b[31m %s %s %s',
        ("maria@example.cl", "+56 9 8765 4321", "AbCdEfGhIjKlMnOpQr1234"),
        None,
    )
    text = logs.JsonFormatter().format(record)
    assert "\n" not in text
    assert "\x1b" not in text
    message = json.loads(text)["message"]
    assert message.endswith("<correo> <número> <clave>")
