"""Marks in everything typed and in every secret, sought where they must never be."""

import contextlib
import logging
import re
from dataclasses import replace
from typing import Any

import pysqlite3.dbapi2
import pytest
import requests
from conftest import TUESDAY_NOON
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import follow
from simulator_client import SimulatorClient

from portal.accounts import service
from portal.config import Settings
from portal.journal.service import SYSTEM
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.service import change
from portal.terms import service as terms
from portal.worker import service as worker

RUT, PHONE = "12345678", "987612345"
# What people type, by field of the forms and of the addresses.
TYPED = {
    "name": "Marcanombre Perez",
    "email": "marcacorreo@example.cl",
    "phone": PHONE,
    "problem": "marcaproblema: la caja no abre desde hoy",
    "tax_rut": f"{RUT}-5",
    "tax_name": "marcarazon SpA",
    "tax_activity": "marcagiro",
    "tax_address": "marcadireccion 12",
    "message": "marcamensaje al tecnico",
    "code": "marcacodigo99",
    "comment": "marcacomentario",
    "text": "marcanota de la bitacora",
    "reason": "marcamotivo",
    "password": "marcaclave-larga",
    "wrong password": "marcaequivocada",
    "pin": "739154",
    "search": "marcabusqueda",
    "user agent": "marcaagente/1.0",
    "referer": "https://marcareferencia.example/",
    "query": "marcaconsulta",
    "path": "marcacamino",
    "cookie": "marcagalleta",
    "signature": "marcafirma",
    "request id": "marcapeticion",
    "form key": "marcaformulario-0123",
    "staff mail": "marcapersonal@example.cl",
    "staff name": "Marcatecnica",
    "webpay token": "marcatokenws",
    "buy order": "marcaordencompra",
    "next": "/marcasiguiente",
    "header": "marcacabecera",
    "field name": "marcacampo",
    "html": "<b>marcahtml</b>",
}
SECRETS = {
    "SECRET_KEY": "marcaprincipal-0123456789-abcdefghijklmnop",
    "an older key": "marcavieja-0123456789-abcdefghijklmnop",
    "MERCADOPAGO_ACCESS_TOKEN": "APP_USR-marcatokenmp",
    "MERCADOPAGO_WEBHOOK_SECRET": "marcasecretomp",
    "WEBPAY_API_KEY": "marcallavewebpay",
    "SMTP_URL": "smtp://marcausuario:marcaclavesmtp@127.0.0.1:9",
}
_WORDS = re.compile(r"marca[a-z]+", re.IGNORECASE)
# What the payer is asked by Mercado Pago's own rules, and the desk's customer gave for.
_TOLD_TO_GATEWAYS = ("name", "email", "phone", "tax_rut", "tax_address")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(
        settings,
        secret_keys=(SECRETS["SECRET_KEY"], SECRETS["an older key"]),
        mercadopago_access_token=SECRETS["MERCADOPAGO_ACCESS_TOKEN"],
        mercadopago_webhook_secrets=(SECRETS["MERCADOPAGO_WEBHOOK_SECRET"],),
        webpay_api_key=SECRETS["WEBPAY_API_KEY"],
        smtp_url=SECRETS["SMTP_URL"],
    )


class Sought:
    """The marks, and everything that was written where they must not be."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
        self.marks = {**TYPED, **SECRETS}
        self.caplog, self.capfd = caplog, capfd
        self.asked: list[requests.PreparedRequest] = []
        self.clients: list[FlaskClient] = []

    def logged(self) -> str:
        streams = self.capfd.readouterr()
        return self.caplog.text + streams.out + streams.err

    def found_in(self, text: str) -> list[str]:
        """The marks that stand in the text, by name."""
        low = text.lower()
        return [
            name
            for name, mark in self.marks.items()
            if mark.lower() in low
            or any(word in low for word in _WORDS.findall(mark.lower()))
        ]


@pytest.fixture
def sought(
    caplog: pytest.LogCaptureFixture, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> Sought:
    seek = Sought(caplog, capfd)
    monkeypatch.setattr(service, "METHOD", "scrypt:1024:8:1")
    service._decoy.cache_clear()
    send = requests.Session.send

    def noted(self: Any, request: Any, **more: Any) -> Any:
        if "/control/" not in request.url:
            seek.asked.append(request)
        return send(self, request, **more)

    monkeypatch.setattr(requests.Session, "send", noted)
    caplog.set_level(logging.INFO)
    return seek


def _shop(app: Flask) -> None:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        terms.set_up(TUESDAY_NOON)
        change(DEMO_VALUES, actor=SYSTEM, now=TUESDAY_NOON)
        for role in ("technician", "owner"):
            service.add_user(
                f"{role}-{TYPED['staff mail']}",
                TYPED["staff name"],
                role,
                TYPED["password"],
                now=TUESDAY_NOON,
            )


def _order(client: FlaskClient, sought: Sought, gateway: str) -> str:
    """Buy with every field filled, first with mistakes; the secret link's path."""
    form = {
        **{name: TYPED[name] for name in TYPED if name in _FORM},
        "topic": "error-del-programa",
        "windows_bits": "32",
        "document": "factura",
        "tax_commune": "Ñuñoa",
        "terms_version": "1",
        "form_key": TYPED["form key"] + gateway,
        TYPED["field name"]: TYPED["html"],
    }
    headers = {
        "User-Agent": TYPED["user agent"],
        "Referer": TYPED["referer"],
        "X-Request-Id": TYPED["request id"],
        "X-Mark": TYPED["header"],
    }
    path = f"/servicios/soporte-online?utm={TYPED['query']}"
    wrong = client.post(path, data={**form, "email": "sin arroba"}, headers=headers)
    assert wrong.status_code == 422
    placed = client.post(path, data={**form, "accept_terms": "y"}, headers=headers)
    assert placed.status_code == 303, placed.text
    sought.marks[f"the link of {gateway}"] = placed.location.rpartition("/")[2]
    return str(placed.location)


_FORM = (
    *("name", "email", "phone", "problem"),
    *("tax_rut", "tax_name", "tax_activity", "tax_address"),
)


def _pay(client: FlaskClient, simulator: SimulatorClient, sought: Sought) -> str:
    path = _order(client, sought, "webpay")
    sent = client.post(f"{path}/pagar", data={"gateway": "webpay"})
    token = re.search(r'name="token_ws" value="([^"]+)"', sent.text)
    assert token
    sought.marks["webpay's token"] = token[1]
    follow(client, simulator.webpay_outcome(token[1], "visa"))
    assert 'data-order="paid"' in client.get(path).text
    other = _order(client, sought, "mercadopago")
    client.post(f"{other}/pagar", data={"gateway": "mercadopago"})
    return path


def _acts(app: Flask, client: FlaskClient, sought: Sought, path: str) -> list[Any]:
    """Everything else that somebody sends; the answers."""
    # The second time they are logged in already.
    desk, wall, boss = sought.clients
    client.set_cookie("marca", TYPED["cookie"])
    account = {"email": f"technician-{TYPED['staff mail']}"}
    post, get = client.post, client.get
    answers = [
        post(f"{path}/mensaje", data={"message": TYPED["message"]}),
        post(f"{path}/acceso", data={"code": TYPED["code"], "consent": "1"}),
        post(f"{path}/calificar", data={"stars": "5", "comment": TYPED["comment"]}),
        get(f"{path}/datos"),
        get(f"{path}/datos?formato=json"),
        get(f"/{TYPED['path']}?x={TYPED['query']}"),
        get(f"/atencion/{TYPED['path']}"),
        get(f"/pago/webpay/retorno?token_ws={TYPED['webpay token']}"),
        get(
            f"/pago/webpay/retorno?TBK_ID_SESION={TYPED['webpay token']}"
            f"&TBK_ORDEN_COMPRA={TYPED['buy order']}"
        ),
        post(
            f"/pago/mercadopago/aviso?data.id=1&type=payment&x={TYPED['query']}",
            headers={"x-signature": f"ts=1,v1={TYPED['signature']}"},
            data=TYPED["problem"],
        ),
        post("/reenviar-enlace", data={"email": TYPED["email"]}),
        post("/ingresar", data={**account, "password": TYPED["wrong password"]}),
        desk.post(
            f"/ingresar?next={TYPED['next']}",
            data={**account, "password": TYPED["password"]},
        ),
        desk.get("/tablero"),
        desk.post("/tablero/1/tomar"),
        desk.post("/tablero/1/nota", data={"text": TYPED["text"]}),
        desk.get("/tablero/1/historial"),
        wall.post("/tablero/emparejar", data={"code": TYPED["code"]}),
        wall.post("/tablero/turno", data={"staff_id": "1", "pin": TYPED["pin"]}),
    ]
    with desk.session_transaction() as cookie:
        sought.marks["a session's key"] = cookie["_user_id"]
    account = {"email": f"owner-{TYPED['staff mail']}"}
    answers += [
        boss.post("/ingresar", data={**account, "password": TYPED["password"]}),
        boss.get(f"/administrar/pedidos?q={TYPED['search']}"),
        boss.get("/administrar/pedidos/1001"),
        boss.post("/administrar/pagos/1/devolver", data={"reason": TYPED["reason"]}),
        post(f"{path}/devolucion"),
    ]
    return answers


def _work(app: Flask, settings: Settings) -> None:
    jobs = worker.make_jobs(
        settings, app.extensions["mail_renderers"], app.extensions["portal_gateways"]
    )
    with app.app_context():
        for job in jobs:
            worker.run_job(job)


def _break(settings: Settings) -> None:
    """Take away what every writing needs: each fails in the middle of its act."""
    path = settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(pysqlite3.dbapi2.connect(path)) as connection:
        connection.execute("DROP TABLE journal_entries")
        connection.execute("DROP TABLE outbox")
        connection.commit()


def test_no_mark_is_in_a_log_an_error_page_or_a_gateways_request(
    app: Flask,
    settings: Settings,
    client: FlaskClient,
    simulator: SimulatorClient,
    sought: Sought,
) -> None:
    _shop(app)
    sought.clients = [app.test_client() for _ in range(3)]
    path = _pay(client, simulator, sought)
    answers = _acts(app, client, sought, path)
    _work(app, settings)
    assert len(sought.marks) >= 40
    assert sum(answer.status_code < 400 for answer in answers) > 12
    _break(settings)
    broken = _acts(app, client, sought, path)
    with pytest.raises(AssertionError):
        _order(app.test_client(), sought, "otra")
    _work(app, settings)
    logged = sought.logged()
    assert logged.count("exception in ") > 8, "nothing broke: the search proves nothing"
    assert "the job" in logged
    assert sought.found_in(logged) == []
    failed = [answer for answer in broken if answer.status_code >= 500]
    assert len(failed) > 8
    for answer in failed:
        # Whoever holds the link is shown the way back to their order, and nothing else.
        assert set(sought.found_in(answer.text)) <= {"the link of webpay"}
    _gateways_hear_no_more_than_they_must(sought)


def _gateways_hear_no_more_than_they_must(sought: Sought) -> None:
    assert len(sought.asked) > 3
    own = ("MERCADOPAGO_ACCESS_TOKEN", "WEBPAY_API_KEY", "webpay's token")
    for request in sought.asked:
        said = f"{request.url}\n{request.headers}\n{request.body!r}"
        found = set(sought.found_in(said)) - {*own, *_TOLD_TO_GATEWAYS}
        assert found == set(), request.url
        assert "/atencion/" not in said


def test_the_search_finds_what_is_logged(
    app: Flask, client: FlaskClient, sought: Sought
) -> None:
    """The control: a view that logs what it got is found out."""

    def careless() -> str:
        app.logger.error("got %s", TYPED["problem"])
        raise RuntimeError(SECRETS["WEBPAY_API_KEY"])

    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/descuidada", "careless", careless)
    client.get("/descuidada")
    assert sought.found_in(sought.logged()) == ["problem", "WEBPAY_API_KEY"]
