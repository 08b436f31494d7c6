"""The go-live list: what is missing, how to mend it, and what can be tried."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import FrozenClock
from flask import Flask, current_app
from flask.testing import FlaskClient
from owner_forms import inside, read, text_of
from shop_forms import stock
from simulator_client import SimulatorClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.audit import check_queries, check_rules
from portal.audit.check_rules import Facts, Trial, items
from portal.clock import utcnow
from portal.config import Settings
from portal.db import transaction
from portal.mail.models import OutboxRow
from portal.mail.service import send_due
from portal.payments.gateways.webpay import WebpayGateway
from portal.web import settings_of

PATH = "/administrar/revision"
GOOD = Facts(
    production=True,
    https=True,
    secret_length=64,
    database_words="SQLite 3.53.4",
    database_is_safe=True,
    missing_business=(),
    missing_phones=(),
    special_mobiles=2,
    processors=2,
    unconfirmed_prices=(),
    terms_number=3,
    terms_differ=False,
    has_backup=True,
    owners=1,
    demo_accounts=0,
    demo_values=(),
    smtp=True,
    mail_sent=True,
    mercadopago=Trial(ok=True, words="Las acepta"),
    webpay=Trial(ok=True, words="Las acepta"),
)


def gather(session: Session) -> Facts:
    return check_queries.gather(session, settings_of(current_app), utcnow())


def missing(facts: Facts) -> list[str]:
    return [item.title for item in items(facts) if not item.ok]


def test_nothing_is_missing_when_all_is_well() -> None:
    assert missing(GOOD) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"production": False},
        {"https": False},
        {"has_backup": False},
        {"secret_length": 31},
        {"database_is_safe": False},
        {"missing_business": ("RUT",)},
        {"missing_phones": ("WhatsApp",)},
        {"special_mobiles": 1},
        {"processors": 0},
        {"unconfirmed_prices": ("Visita",)},
        {"terms_number": 0},
        {"terms_differ": True},
        {"owners": 0},
        {"demo_accounts": 2},
        {"demo_values": ("RUT",)},
        {"smtp": False},
        {"mail_sent": False},
        {"mercadopago": None},
        {"webpay": Trial(ok=False, words="Las rechaza")},
    ],
)
def test_each_fault_alone_is_named_and_says_how_to_mend_it(
    bad: dict[str, object],
) -> None:
    found = [item for item in items(replace(GOOD, **bad)) if not item.ok]  # type: ignore[arg-type]
    assert found
    assert all(item.mend.endswith(".") and len(item.mend) > 9 for item in found)


def test_new_shop_lists_what_the_owner_must_write(
    app: Flask, owner: FlaskClient
) -> None:
    stock(app)
    page = text_of(owner.get(PATH))
    for words in ("RUT", "WhatsApp", "Falta confirmar", "respaldo", "SQLite"):
        assert words in page
    assert "cosas antes de recibir dinero real" in page


@pytest.mark.usefixtures("simulator")
def test_credentials_are_tried_and_the_answer_is_of_those_credentials(
    app: Flask, owner: FlaskClient, settings: Settings, simulator: SimulatorClient
) -> None:
    stock(app)

    def trials(settings: Settings) -> tuple[Trial | None, Trial | None]:
        facts = inside(
            app, lambda session: check_queries.gather(session, settings, utcnow())
        )
        return facts.mercadopago, facts.webpay

    assert trials(settings) == (None, None)
    assert owner.post(f"{PATH}/medios").status_code == 303
    assert [trial.ok for trial in trials(settings) if trial] == [True, True]
    other = replace(settings, webpay_api_key="otra")
    assert trials(other)[1] is None


@pytest.mark.usefixtures("simulator")
def test_wrong_credentials_are_told(app: Flask, settings: Settings) -> None:
    with app.app_context():
        gateways = app.extensions["portal_gateways"]
        assert gateways.webpay.accepts_credentials()
        assert gateways.mercadopago.accepts_credentials()
        wrong = WebpayGateway(
            code=settings.webpay_commerce_code,
            key="mala",
            api_url=settings.webpay_api_url,
            return_url="http://localhost/",
        )
        assert not wrong.accepts_credentials()
        with_other = type(gateways.mercadopago)(
            token="mala", api_url=settings.mercadopago_api_url, public_url="http://x"
        )
        assert not with_other.accepts_credentials()


def test_gateway_that_does_not_answer_is_no_yes(
    app: Flask, owner: FlaskClient, settings: Settings
) -> None:
    stock(app)
    assert owner.post(f"{PATH}/medios").status_code == 303
    assert text_of(owner.get(PATH)).count("No contestó como se esperaba") == 2


def test_trial_mail_is_sent_to_the_owner_once_a_minute(
    app: Flask, owner: FlaskClient, clock: FrozenClock
) -> None:
    stock(app)
    for _ in range(2):
        assert owner.post(f"{PATH}/correo").status_code == 303
    with app.app_context():
        renderers = app.extensions["mail_renderers"]
        report = send_due(renderers, settings_of(app), now=clock.now)
    assert report.sent == 1
    facts = inside(app, gather)
    assert facts.mail_sent
    with app.app_context(), transaction() as session:
        session.execute(update(OutboxRow).values(state="pending"))
    facts = inside(app, gather)
    assert not facts.mail_sent


def test_command_lists_and_fails_while_anything_is_missing(app: Flask) -> None:
    stock(app)
    result = app.test_cli_runner().invoke(args=["check"])
    assert result.exit_code == 1
    assert "FALTA  Hay un respaldo" in result.output
    assert "RUT" in result.output


def test_command_passes_when_nothing_is_missing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(app)
    good = [check_rules.Item("Todo", True, "")]
    monkeypatch.setattr(check_rules, "items", lambda facts: good)
    assert app.test_cli_runner().invoke(args=["check"]).exit_code == 0


def test_demo_data_are_found(app: Flask, make_demo: Callable[[], None]) -> None:
    make_demo()
    facts = inside(app, gather)
    assert facts.demo_accounts == 4
    assert "celulares" in facts.demo_values


@pytest.fixture
def make_demo(app: Flask) -> Callable[[], None]:
    def make() -> None:
        assert app.test_cli_runner().invoke(args=["demo", "seed"]).exit_code == 0

    return make


def test_nothing_secret_is_in_the_history(
    app: Flask, owner: FlaskClient, settings: Settings
) -> None:
    stock(app)
    owner.post(f"{PATH}/medios")
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as found:
        text = "\n".join(found.iterdump())
    found.close()
    assert settings.webpay_api_key not in text
    assert settings.mercadopago_access_token not in text
    assert read(owner.get(PATH)).select_one("h1")
