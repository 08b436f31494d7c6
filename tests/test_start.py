"""What a start imports: libraries of one act or page must not come back into it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import SECRET_KEY
from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
# Each is imported by the function that uses it: docs/architecture.md, "Start".
OF_ONE_ACT = (
    *("alembic", "cryptography", "email_validator", "flask_migrate", "mercadopago"),
    *("phonenumbers", "requests", "segno", "transbank", "urllib3", "xlsxwriter"),
)
OF_THE_PORTAL = ("sqlalchemy", "portal.composition", "portal.payments", "portal.web")
SCRIPT = f"""
import json, sys
import app, portal.simulator
small = [name for name in {(*OF_THE_PORTAL, *OF_ONE_ACT)!r} if name in sys.modules]
from portal.payments.gateways import Gateways
Gateways.make = lambda gateways: None  # what a thread does after the first request
import wsgi
status = wsgi.app.test_client().get("/salud").status_code
print(json.dumps([small, [n for n in {OF_ONE_ACT!r} if n in sys.modules], status]))
"""


def test_start_and_first_health_import_nothing_of_one_act(db_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": db_url,
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": "http://localhost",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[], [], 200]


def test_gateways_are_made_when_told_and_only_once(app: Flask) -> None:
    gateways = app.extensions["portal_gateways"]
    assert "webpay" not in vars(gateways)
    gateways.make()
    made = vars(gateways)["webpay"], vars(gateways)["mercadopago"]
    assert (gateways.by_name("webpay"), gateways.by_name("mercadopago")) == made
