"""The tests' own tools do what they promise."""

from datetime import timedelta

import pytest
import requests
from browser_watch import Watch
from conftest import TUESDAY_NOON, FrozenClock
from deal import deal
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from simulator_client import SimulatorClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from portal import clock as portal_clock
from portal.config import Settings
from portal.db import db, transaction
from portal.settings import queries, service


def test_clock_stands_until_the_test_moves_it(app: Flask, clock: FrozenClock) -> None:
    assert portal_clock.utcnow() == TUESDAY_NOON
    clock.advance(minutes=5)
    assert portal_clock.utcnow() == TUESDAY_NOON + timedelta(minutes=5)


@pytest.mark.postgres
def test_each_test_has_a_database_of_its_own_kind(
    session: Session, both_databases: str
) -> None:
    assert db.engine.dialect.name == both_databases
    assert queries.revision(session) == 0
    with transaction() as writing:
        service.bump_revision(writing, TUESDAY_NOON)
    assert queries.revision(session) == 1


@pytest.mark.postgres
def test_mark_alone_is_enough_for_both_databases(
    session: Session, request: pytest.FixtureRequest
) -> None:
    assert db.engine.dialect.name == request.node.callspec.params["both_databases"]


@pytest.mark.usefixtures("durable")
def test_sqlite_is_the_default_with_full_synchronisation(session: Session) -> None:
    assert session.scalar(text("PRAGMA synchronous")) == 2
    assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_post_without_its_token_is_refused(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/probe", "probe", lambda: "reached", methods=["POST"])
    assert client.post("/probe", csrf=False).status_code == 400
    assert client.post("/probe").text == "reached"


def _visit(page: Page, html: str) -> None:
    page.route(
        "http://page.test/",
        lambda route: route.fulfill(body=html, content_type="text/html"),
    )
    page.goto("http://page.test/")
    # A violation is reported after the page has loaded.
    page.evaluate("new Promise(resolve => requestAnimationFrame(resolve))")


@pytest.mark.parametrize(
    "html",
    [
        "<script>console.error('broken')</script>",
        "<script>missing()</script>",
        '<meta http-equiv="Content-Security-Policy" content="style-src \'none\'">'
        "<p style='color: red'>",
    ],
)
def test_page_that_reports_an_error_fails_its_test(
    page: Page, watch: Watch, html: str
) -> None:
    _visit(page, html)
    assert watch.problems()
    watch.allow(".")


def test_page_is_a_phone_in_santiago(page: Page) -> None:
    _visit(page, "<p>Hola</p>")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert (page.evaluate("innerWidth"), zone) == (360, "America/Santiago")


def test_gateways_of_the_portal_are_the_simulator(
    simulator: SimulatorClient, settings: Settings
) -> None:
    assert settings.webpay_api_url == f"{simulator.base_url}/webpay"
    assert settings.mercadopago_api_url == f"{simulator.base_url}/mercadopago"
    simulator.reset()


def test_portal_can_be_reached_from_outside(portal_url: str, app: Flask) -> None:
    assert app.extensions["portal_settings"].public_url == portal_url
    answer = requests.get(f"{portal_url}/static/app.css", timeout=10)
    assert answer.status_code == 200


class _Item:
    """A collected test, as far as its order counts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fixturenames = ("live_stack",) if "demo" in name else ()

    def get_closest_marker(self, _name: str) -> bool:
        return "long" in self.name


@pytest.mark.parametrize(
    ("collected", "begun"),
    [
        ("1 2 3 4 5 6 7 long8 long9 longA", "long8 1 2 long9 3 4 longA 5 6 7"),
        ("1 2 demo3 4 long5 long6", "demo3 long5 long6 1 2 4"),
        ("1 long2", "long2 1"),
    ],
)
def test_each_process_begins_with_its_share_of_the_long_ones(
    collected: str, begun: str
) -> None:
    items = [_Item(name) for name in collected.split()]
    deal(items, 3)  # type: ignore[arg-type]
    assert " ".join(each.name for each in items) == begun
