"""What stands at the door of every route: host, method, headers, limits, log."""

import logging
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop_forms import FILLED, SUPPORT
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff, log_in_as

from portal import clock as portal_clock
from portal import create_app, web
from portal.accounts import service as accounts
from portal.accounts.models import Staff
from portal.config import Settings
from portal.db import db, transaction
from portal.orders import queries as orders
from portal.terms import service as terms

HTTPS = "https://soporte.example.cl"
PASSWORD = "una-clave-larga"
Ask = Callable[..., Any]


@pytest.fixture
def production(app: Flask, settings: Settings) -> Any:
    """A browser of the same database, asked as production is."""
    made = replace(settings, mode="production", public_url=HTTPS)
    served = create_app(made)
    # What breaks is answered, as production does, and not raised.
    served.config["PROPAGATE_EXCEPTIONS"] = False
    served.add_url_rule("/rota", "broken", lambda: 1 // 0)
    with served.app_context():
        terms.set_up(portal_clock.utcnow())
    yield served
    with served.app_context():
        db.session.remove()
        db.engine.dispose()


def ask(app: Flask, path: str, method: str = "GET", **more: Any) -> Any:
    client = app.test_client()
    return client.open(path, method=method, base_url=HTTPS, **more)


# Host -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("evil.example#localhost", 400),
        ("localhost:99999", 400),
        ("", 400),
    ],
)
def test_only_our_own_host_is_answered(
    client: FlaskClient, host: str, status: int
) -> None:
    headers = {"Host": host, "X-Forwarded-Host": "localhost"}
    answer = client.get("/salud", headers=headers)
    assert answer.status_code == status
    assert "evil" not in answer.text


# Headers ----------------------------------------------------------------

_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGES = {
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_CLOSED = (
    *("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"),
    *("form-action 'self'", "script-src 'self'", "connect-src 'self'"),
)
ANSWERS = {
    "a page": ("/", "GET", {}, 200),
    "an unknown address": ("/no-hay", "GET", {}, 404),
    "an unknown link": ("/atencion/AAAAAAAAAAAAAAAAAAAAAA", "GET", {}, 404),
    "a fragment of an unknown link": ("/atencion/x/ahora", "GET", {}, 404),
    "a wrong method": ("/", "DELETE", {}, 405),
    "TRACE": ("/ingresar", "TRACE", {}, 405),
    "a method of nobody": ("/", "BREW", {}, 405),
    "HEAD": ("/terminos", "HEAD", {}, 200),
    "OPTIONS": ("/", "OPTIONS", {}, 200),
    "a body too long": ("/ingresar", "POST", {"data": b"a=" + b"x" * 70_000}, 413),
    "too many fields": ("/ingresar", "POST", {"data": {"f": [b"x"] * 40_000}}, 413),
    "a form without its token": ("/ingresar", "POST", {"csrf": False}, 400),
    "a forged notice": ("/pago/mercadopago/aviso", "POST", {}, 401),
    "a slash too many": ("/terminos/", "GET", {}, 404),
    "the board, as a stranger": ("/tablero", "GET", {}, 303),
    "a broken page": ("/rota", "GET", {}, 500),
    "machines' page": ("/salud", "GET", {}, 200),
    "another host": ("/", "GET", {"headers": {"Host": "evil.example"}}, 400),
}


def test_every_answer_carries_the_headers(production: Flask) -> None:
    production.test_client_class = _client_class()
    for name, (path, method, more, status) in ANSWERS.items():
        with production.app_context():
            web.limiter.reset()
        answer = ask(production, path, method, **more)
        assert answer.status_code == status, name
        for header, value in {**_EVERYWHERE, **_PAGES}.items():
            assert answer.headers[header] == value, (name, header)
        policy = answer.headers["Content-Security-Policy"]
        # Whole parts: "form-action 'self' https:" begins with what is wanted, too.
        assert set(_CLOSED) <= set(policy.split("; ")), name
        assert "unsafe" not in policy
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
        if answer.data:
            charset = "charset=utf-8" in answer.content_type
            assert charset or answer.is_json, name
        for word in ("Traceback", "ZeroDivision", "sqlalchemy", "werkzeug", "1 // 0"):
            assert word not in answer.text, (name, word)


def test_static_files_carry_them_too(production: Flask) -> None:
    for path, status in (("/static/app.css", 200), ("/static/../app.py", 404)):
        answer = ask(production, path)
        assert answer.status_code == status
        for header, value in _EVERYWHERE.items():
            assert answer.headers[header] == value
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def _client_class() -> Any:
    from conftest import PortalClient

    return PortalClient


def test_head_and_options_write_nothing_and_show_nothing(production: Flask) -> None:
    for path in ("/", "/ingresar", "/atencion/x", "/administrar"):
        for method in ("HEAD", "OPTIONS"):
            assert ask(production, path, method).data == b""


def test_method_override_is_ignored(production: Flask) -> None:
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "POST"}
    assert ask(production, "/ingresar?_method=POST", headers=headers).status_code == 200


# Cookies ----------------------------------------------------------------


def test_cookies_are_of_this_host_alone(production: Flask) -> None:
    production.config["WTF_CSRF_ENABLED"] = False
    with production.app_context():
        now = portal_clock.utcnow()
        accounts.add_user("ana@demo.cl", "Ana", "owner", PASSWORD, now=now)
    data = {"email": "ana@demo.cl", "password": PASSWORD}
    client = production.test_client()
    answer = client.post("/ingresar", base_url=HTTPS, data=data)
    cookies = answer.headers.getlist("Set-Cookie")
    assert answer.status_code == 303
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(
            cookie.split("; ")
        )
        assert "Domain" not in cookie


# Bodies -----------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["[" * 50_000, '{"email": "\\ud800", "password": 7}', "[]", "null", "7"]
)
def test_json_is_never_read(client: FlaskClient, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/ingresar", data=body, headers=headers)
    assert answer.status_code == 422
    assert "Escriba su correo." in answer.text


@pytest.mark.postgres
def test_a_nul_in_an_address_reaches_no_database(client: FlaskClient) -> None:
    for path in ("/servicios/a%00b", "/informes/2026%00", "/terminos/1%00"):
        assert client.get(path).status_code in (303, 404), path
    assert client.post("/servicios/%00/revisar?campo=email").status_code == 404
    assert client.get("/servicios/%00?caso=%00&corregir=%00").status_code == 404
    assert client.get("/pago/webpay/retorno?token_ws=%00").status_code == 404


def test_a_file_in_place_of_a_field_is_no_field(client: FlaskClient) -> None:
    files = {"email": (BytesIO(b"x" * 900), "a.txt"), "password": (BytesIO(b"x"), "b")}
    answer = client.post("/ingresar", data=files)
    assert answer.status_code == 422
    assert "Escriba su correo." in answer.text


def test_a_part_without_a_name_is_no_field(client: FlaskClient) -> None:
    body = "--x\r\nContent-Disposition: form-data\r\n\r\nvalor\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/ingresar", data=body, headers=headers).status_code == 422
    answer = client.post("/ingresar", data=body, headers=headers, csrf=False)
    assert answer.status_code == 400


# Limits -----------------------------------------------------------------


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "METHOD", "scrypt:1024:8:1")
    accounts._decoy.cache_clear()


def _log_in(client: FlaskClient, password: str, address: str) -> int:
    return client.post(
        "/ingresar",
        data={"email": "ana@demo.cl", "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    ).status_code


def test_thousand_addresses_have_twenty_tries_an_hour_and_lock_nobody_out(
    app: Flask, light: None
) -> None:
    with app.app_context():
        now = portal_clock.utcnow()
        accounts.add_user("ana@demo.cl", "Ana", "owner", PASSWORD, now=now)
    own = app.test_client()
    assert _log_in(own, PASSWORD, "192.0.2.1") == 303
    own.post("/salir")
    found = [
        _log_in(
            app.test_client(), "equivocada", f"198.51.{number // 250}.{number % 250}"
        )
        for number in range(60)
    ]
    assert found == [422] * 20 + [429] * 40
    # A stranger's address and a forged cookie do not help; the known device gets in.
    stranger = app.test_client()
    stranger.set_cookie("equipo", "eyJkZXZpY2UiOiJ4In0.forged")
    assert _log_in(stranger, PASSWORD, "203.0.113.7") == 429
    assert _log_in(own, PASSWORD, "192.0.2.1") == 303


def test_a_known_device_has_a_limit_of_its_own(app: Flask, light: None) -> None:
    with app.app_context():
        now = portal_clock.utcnow()
        accounts.add_user("ana@demo.cl", "Ana", "owner", PASSWORD, now=now)
    own = app.test_client()
    _log_in(own, PASSWORD, "192.0.2.1")
    own.post("/salir")
    tries = [_log_in(own, "equivocada", f"192.0.2.{n}") for n in range(22)]
    assert tries.count(422) == 20


def test_forwarded_addresses_of_strangers_are_not_believed(
    app: Flask, light: None
) -> None:
    found = []
    for number in range(10):
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": "for=10.9.9.9"}
        data = {"email": "nadie@demo.cl", "password": "equivocada"}
        found.append(app.test_client().post("/ingresar", data=data, headers=headers))
    assert [answer.status_code for answer in found] == [422] * 8 + [429] * 2
    assert int(found[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_household_is_one_address(
    app: Flask, address: str, counted: str
) -> None:
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
        assert web.client_address() == counted


def test_flood_of_orders_ends_and_a_shared_address_does_not_meet_it(
    app: Flask,
) -> None:
    with app.app_context():
        terms.set_up(portal_clock.utcnow())
    form, found = {**FILLED[SUPPORT], "terms_version": "1"}, []
    for number in range(62):
        form["form_key"] = f"formulario-{number:08}"
        found.append(app.test_client().post(SUPPORT, data=form).status_code)
    assert found == [303] * 60 + [429] * 2


def test_flood_of_attempts_on_one_order_ends(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    key = settings.secret_keys[0]
    with app.app_context(), transaction() as session:
        now = portal_clock.utcnow()
        order = add_order(
            session, now=now, key=key, state="awaiting_payment", paid_at=None
        )
        path = orders.path_of(order, settings.secret_keys) + "/pagar"
    for number in range(20):
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        answer = client.post(path, data={"gateway": "x"}, environ_overrides=address)
        assert answer.status_code == 422
    assert client.post(path, data={"gateway": "x"}).status_code == 429


def test_flood_of_attempts_of_one_address_ends(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    """Who knows many orders' links opens no forms at the gateways without an end."""
    unpaid = {"now": portal_clock.utcnow(), "key": settings.secret_keys[0]}
    unpaid |= {"state": "awaiting_payment", "paid_at": None}
    with app.app_context(), transaction() as session:
        made = [add_order(session, **unpaid) for _ in range(11)]
        paths = [orders.path_of(it, settings.secret_keys) + "/pagar" for it in made]
    asked = [path for path in paths for _ in range(20)]
    found = [client.post(path, data={"gateway": "x"}).status_code for path in asked]
    assert found == [422] * 200 + [429] * 20
    # It is that address alone.
    other = {"REMOTE_ADDR": "192.0.2.9"}
    answer = client.post(paths[-1], data={"gateway": "x"}, environ_overrides=other)
    assert answer.status_code == 422


def test_flood_of_log_ins_at_many_accounts_ends(app: Flask, light: None) -> None:
    """A few tries at each of many accounts, from one address."""

    def fail(number: int) -> int:
        data = {"email": f"n{number}@demo.cl", "password": "equivocada"}
        return app.test_client().post("/ingresar", data=data).status_code

    assert [fail(number) for number in range(62)] == [422] * 60 + [429] * 2


def test_flood_of_requests_over_personal_data_ends(client: FlaskClient) -> None:
    found = [client.post("/privacidad/solicitud").status_code for _ in range(32)]
    assert found == [422] * 30 + [429] * 2


# The log ----------------------------------------------------------------


@pytest.mark.postgres
def test_what_a_row_holds_is_in_no_error_of_the_database(session: Session) -> None:
    first = add_staff(session, "Marcada")
    session.commit()
    twice = Staff(
        name="Otra",
        email=first.email,
        role="technician",
        password_hash="secreto-marcado",
        created_at=portal_clock.utcnow(),
    )
    session.add(twice)
    with pytest.raises(IntegrityError) as caught:
        session.flush()
    for told in (str(caught.value), str(caught.value.orig)):
        assert "marcad" not in told.lower()
        assert "constraint" in told
    session.rollback()


def test_an_exception_is_logged_without_the_address_asked_for(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/rota/<name>", "broken", lambda name: 1 // 0)
    marker = "marca%0d%0aINFO:%20falsa%1b[31m"
    with caplog.at_level(logging.INFO):
        answer = app.test_client().get(f"/rota/{marker}?q={marker}")
    assert answer.status_code == 500
    assert "marca" not in answer.text
    logged = caplog.text
    assert "exception in broken [GET]" in logged
    assert "marca" not in logged
    assert "falsa" not in logged


def test_settings_show_no_secret_when_printed(settings: Settings) -> None:
    for secret in (*settings.secret_keys, settings.mercadopago_access_token):
        assert secret not in repr(settings)
        assert secret not in f"{settings}"


def test_an_owner_is_logged_in_on_the_next_page(app: Flask) -> None:
    """The control of the tests above: the door does open."""
    with app.app_context(), transaction() as session:
        owner = add_staff(session, role="owner").id
    assert log_in_as(app, owner).get("/administrar").status_code == 200
