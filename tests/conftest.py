"""What every test may ask for: a frozen clock, a database of its own, the gateways'
simulator, the whole demo, a browser."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import warm_start
from browser_watch import FLAGS, PATIENCE_MS, PHONE, Watch, chromium
from deal import deal
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import stamp
from itsdangerous import URLSafeTimedSerializer
from live_stack import LiveStack, free_ports
from playwright.sync_api import Browser, Page, expect, sync_playwright
from postgres_cluster import Cluster
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from portal import clock as portal_clock
from portal import create_app
from portal.config import Settings, load_settings
from portal.db import db

# Tuesday, 12:00 in Santiago: normal hours.
TUESDAY_NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECRET_KEY = "test-secret-key-0123456789abcdefghijklmnop"
DATABASES = ("sqlite", "postgresql")

warm_start.install()
expect.set_options(timeout=PATIENCE_MS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `postgres` runs on SQLite and on PostgreSQL."""
    marked = metafunc.definition.get_closest_marker("postgres")
    asked = "both_databases" in metafunc.fixturenames
    if marked and not asked:
        metafunc.fixturenames.append("both_databases")
    if marked or asked:
        metafunc.parametrize("both_databases", DATABASES, indirect=True)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "browser" in names or "live_stack" in names:
            item.add_marker("browser")
    if hasattr(config, "workerinput"):
        deal(items, config.workerinput["workercount"])


class FrozenClock:
    """The portal's clock in a test: it moves only when the test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def set(self, instant: datetime) -> datetime:
        """Move to an aware instant; a string is ISO with its offset."""
        self.now = instant.astimezone(UTC)
        return self.now

    def advance(self, **units: float) -> datetime:
        """Move on: `advance(minutes=5)`, `advance(hours=1, seconds=1)`."""
        self.now += timedelta(**units)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FrozenClock:
    """A clock that stands at Tuesday 2026-11-24 12:00 in Santiago."""
    frozen = FrozenClock(TUESDAY_NOON)
    # Set first, so that what create_app configures is undone after the test.
    monkeypatch.setattr(portal_clock._clock, "file", None)
    monkeypatch.setattr(portal_clock._clock, "now", lambda: frozen.now)
    return frozen


# Databases -------------------------------------------------------------


def _settings(database_url: str, **environment: str) -> Settings:
    return load_settings(
        {
            "PORTAL_MODE": "demo",
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": "http://localhost",
            **environment,
        }
    )


def _create_schema(database_url: str) -> None:
    app = create_app(_settings(database_url))
    with app.app_context():
        db.create_all()
        stamp()  # as if the migrations had made it
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with every table, to be copied."""
    path = tmp_path_factory.mktemp("template") / "portal.sqlite3"
    _create_schema(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this worker's own."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """The name of an empty database with every table, to be copied."""
    name = postgres_cluster.create_database()
    _create_schema(postgres_cluster.url(name))
    return name


@pytest.fixture
def both_databases(request: pytest.FixtureRequest) -> str:
    """`sqlite`, then `postgresql`: mark the test with `pytest.mark.postgres`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    # `request.fixturenames` does not know the name that the mark adds; the test's own
    # parameters do.
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    return str(parameters.get("both_databases", "sqlite"))


@pytest.fixture
def db_url(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """The address of a database of this test's own, with every table and no row."""
    if database_kind == "sqlite":
        path = tmp_path / "portal.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create_database(request.getfixturevalue("postgres_template"))
    yield cluster.url(name)
    cluster.drop_database(name)


# The application -------------------------------------------------------


class PortalClient(FlaskClient):
    """A test client whose posts carry the CSRF token that its forms would.

    `csrf=False` leaves it out.
    """

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        if csrf and kwargs.get("method", "GET") not in ("GET", "HEAD", "OPTIONS"):
            headers = dict(kwargs.pop("headers", None) or {})
            headers.setdefault("X-CSRFToken", self._csrf_token())
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def _csrf_token(self) -> str:
        with self.session_transaction() as session:
            value = session.setdefault("csrf_token", "0" * 40)
        key = self.application.config["SECRET_KEY"]
        return str(URLSafeTimedSerializer(key, "wtf-csrf-token").dumps(value))


@pytest.fixture
def settings(db_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """The demo's settings over this test's own database and folder.

    With the `simulator` fixture the gateways' addresses are the simulator's; with
    `portal_url` the public address is where the portal is served.
    """
    made = replace(_settings(db_url), state_dir=tmp_path)
    if "simulator" in request.fixturenames:
        port = request.getfixturevalue("simulator_port")
        made = replace(
            made,
            mercadopago_api_url=f"http://127.0.0.1:{port}/mercadopago",
            webpay_api_url=f"http://127.0.0.1:{port}/webpay",
        )
    if "portal_url" in request.fixturenames:
        port = request.getfixturevalue("portal_port")
        made = replace(made, public_url=f"http://localhost:{port}")
    return made


def _wait_for_no_disk(engine: Engine) -> None:
    """No test survives a power cut, so no commit of SQLite's waits for the disk."""

    @event.listens_for(engine, "connect")
    def relax(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def durable() -> None:
    """Ask for it to keep the durability of SQLite as production has it."""


@pytest.fixture
def app(
    settings: Settings, clock: FrozenClock, request: pytest.FixtureRequest
) -> Iterator[Flask]:
    """The application, with its clock frozen and its database empty."""
    app = create_app(settings)
    with app.app_context():
        warm_start.share_statements(db.engine)
        if db.engine.dialect.name == "sqlite" and "durable" not in request.fixturenames:
            _wait_for_no_disk(db.engine)
    app.testing = True
    app.test_client_class = PortalClient
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session that services use here; `rollback()` it to see others' writes."""
    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts: keeps cookies, follows nothing by itself."""
    return app.test_client()


class _QuietHandler(WSGIRequestHandler):
    def log(self, *_arguments: object) -> None:
        """Say nothing: requests are the test's own."""


def _serve(application: Flask, port: int) -> Iterator[None]:
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=_QuietHandler
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def portal_port() -> int:
    return free_ports()


@pytest.fixture
def portal_url(app: Flask, portal_port: int) -> Iterator[str]:
    """The portal over HTTP in this process, for what must reach it from outside."""
    for _ in _serve(app, portal_port):
        yield f"http://localhost:{portal_port}"


@pytest.fixture
def simulator_port() -> int:
    return free_ports()


@pytest.fixture
def simulator(
    settings: Settings, simulator_port: int, clock: FrozenClock
) -> Iterator[Any]:
    """The gateways' simulator over HTTP, and the client that chooses its outcomes."""
    from simulator_client import SimulatorClient

    from portal.simulator import create_simulator

    application = create_simulator(settings)
    for _ in _serve(application, simulator_port):
        yield SimulatorClient(f"http://127.0.0.1:{simulator_port}")
    application.extensions["gateway_simulator"].stopped.set()


# Browser ---------------------------------------------------------------


@pytest.fixture(scope="session")
def live_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """The whole demo as `make run` starts it, one for all tests of this worker."""
    stack = LiveStack(tmp_path_factory.mktemp("live"))
    stack.move_clock(TUESDAY_NOON)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture
def live(live_stack: LiveStack) -> LiveStack:
    """The demo, its clock at Tuesday noon: `.url`, `.move_clock(...)`, `.output()`."""
    live_stack.move_clock(TUESDAY_NOON)
    return live_stack


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test when a page reports an error that it does not `allow`."""
    watch = Watch()
    yield watch
    assert watch.problems() == []


@pytest.fixture
def new_page(
    browser: Browser, watch: Watch, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Makes a page with cookies of its own: a phone, unless options say otherwise."""
    # Servers first, so that they stop last: no page is left asking one that is gone.
    for server in ("portal_url", "simulator"):
        if server in request.fixturenames:
            request.getfixturevalue(server)
    contexts = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**{**PHONE, **options})
        contexts.append((context, options.get("java_script_enabled", True)))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch.follow(page)
        return page

    yield make
    for context, scripts in contexts:
        for page in context.pages if scripts else ():
            watch.leave(page)
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A customer's phone: 360 x 740, Spanish of Chile, Santiago."""
    return new_page()
