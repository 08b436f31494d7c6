"""From an empty database to a list that is green, by the owner's own pages."""

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import FrozenClock
from fake_smtp import serving
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import send, text_of
from shop_forms import stock

from portal.mail.service import send_due

SETTINGS = "/administrar/ajustes"
BUSINESS = {
    "business_rut": "76.086.428-5",
    "business_address": "Avenida Matta 1234, Santiago",
    "business_email": "contacto@itplusnet.cl",
    "legal_representative": "Elena Rojas",
    "public_phone": "+56 2 2345 6789",
}
CHANNELS = {
    "office_phone": "+56 2 2345 6780",
    "whatsapp": "9 8765 4321",
    "support_email": "soporte@itplusnet.cl",
    "first_mobile": "9 8765 4322",
    "second_mobile": "9 8765 4323",
}


@pytest.fixture
def real(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application as production sets it up, but for its gateways' answers."""
    live = replace(
        app.extensions["portal_settings"],
        mode="production",
        public_url="https://soporte.itplusnet.cl",
        secret_keys=("s" * 64,),
    )
    monkeypatch.setitem(app.extensions, "portal_settings", live)
    gateways = app.extensions["portal_gateways"]
    for gateway in (gateways.webpay, gateways.mercadopago):
        monkeypatch.setattr(gateway, "accepts_credentials", lambda: True)
    return stock(app)


def check(app: Flask) -> tuple[int, list[str]]:
    """The exit code of `flask check`, and what it says is missing."""
    result = app.test_cli_runner().invoke(args=["check"])
    missing = [line for line in result.output.splitlines() if "FALTA" in line]
    return result.exit_code, [line.split("FALTA")[1].strip() for line in missing]


def test_owner_makes_the_list_green_and_it_says_so(
    real: Flask,
    owner: FlaskClient,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert check(real)[0] == 1
    assert send(owner, f"{SETTINGS}/empresa", **BUSINESS).status_code == 303
    assert send(owner, f"{SETTINGS}/canales", **CHANNELS).status_code == 303
    helpers = "Hosting Sur; aloja este sitio; Chile"
    path = f"{SETTINGS}/encargados"
    assert send(owner, path, processors=helpers).status_code == 303
    page = owner.get("/administrar/precios").text
    for slug in ("soporte-online", "reinstalacion", "servicio-tecnico"):
        action = f"/administrar/precios/{slug}"
        assert action in page
        assert send(owner, "/administrar/precios", action).status_code == 303
    owner.post("/administrar/revision/medios")
    owner.post("/administrar/revision/correo")
    with serving() as server, real.app_context():
        live = replace(real.extensions["portal_settings"], smtp_url=server.url)
        monkeypatch.setitem(real.extensions, "portal_settings", live)
        send_due(real.extensions["mail_renderers"], live, now=clock.now)
        assert len(server.received) == 1
    code, missing = check(real)
    assert (code, missing) == (
        1,
        [
            "Hay un respaldo de menos de un día, revisado",
            "Usted confirmó todos los precios",
        ],
    )
    last = "/administrar/precios/asistencia-terreno"
    assert send(owner, "/administrar/precios", last).status_code == 303
    backup = real.test_cli_runner().invoke(args=["backup", str(tmp_path / "copy")])
    assert backup.exit_code == 0, backup.output
    assert check(real) == (0, [])
    ready = "El portal está listo para recibir dinero real"
    assert ready in text_of(owner.get("/administrar/revision"))
    # It is a list of now: an old backup and another key are missing again.
    clock.advance(hours=27)
    other = replace(live, webpay_api_key="otra")
    monkeypatch.setitem(real.extensions, "portal_settings", other)
    assert check(real)[1] == [
        "Hay un respaldo de menos de un día, revisado",
        "Webpay acepta sus credenciales",
    ]
