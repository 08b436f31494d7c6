"""A locked database answers 503 with Retry-After, changes nothing, and heals."""

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pysqlite3.dbapi2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, open_shop, pay_by_webpay
from simulator_client import SimulatorClient
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.orm import Session
from support_cases import add_staff

from portal import db as portal_db
from portal.accounts.models import Staff
from portal.clock import utcnow
from portal.db import (
    _WRITERS,
    PRAGMAS,
    SAFE_SQLITE,
    db,
    engine_options,
    prepare_engine,
    reading,
    transaction,
)
from portal.errors import ConfigurationError


@pytest.fixture
def shop(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Shop:
    """A shop that waits 50 milliseconds for the lock instead of 5 seconds."""
    monkeypatch.setitem(PRAGMAS, "busy_timeout", 50)
    app: Flask = request.getfixturevalue("app")
    session: Session = request.getfixturevalue("session")
    request.getfixturevalue("simulator")
    return open_shop(app, session, utcnow())


@pytest.fixture
def lock(shop: Shop, db_url: str) -> Iterator[Any]:
    """Another connection to the same file.

    By the same SQLite library: two libraries in one process do not see each other's
    locks, which POSIX gives to processes.
    """
    path = db_url.removeprefix("sqlite:///")
    with closing(pysqlite3.dbapi2.connect(path, isolation_level=None)) as connection:
        yield connection


def test_a_locked_database_is_503_and_the_return_heals(
    shop: Shop,
    client: FlaskClient,
    simulator: SimulatorClient,
    lock: Any,
) -> None:
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.session.rollback()
    lock.execute("BEGIN IMMEDIATE")
    answer = client.get(f"/pago/webpay/retorno?token_ws={sent.token}")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "no pague de nuevo" in answer.get_data(as_text=True)
    assert simulator.calls("webpay_commit") == 0
    # Pages that only read still answer.
    assert client.get("/").status_code == 200
    assert client.get(shop.path(order)).status_code == 200
    lock.execute("ROLLBACK")
    answer = client.get(f"/pago/webpay/retorno?token_ws={sent.token}")
    assert answer.status_code == 303
    assert shop.state(order) == "paid"


def test_writers_of_one_process_wait_for_each_other_in_a_queue(
    app: Flask,
) -> None:
    with app.app_context():
        with transaction() as session:
            queued = _WRITERS.locked()
            sqlite = session.get_bind().dialect.name == "sqlite"
        assert queued is sqlite
        assert not _WRITERS.locked()
        with suppress(ZeroDivisionError), transaction():
            raise ZeroDivisionError
        assert not _WRITERS.locked()


def test_writer_whose_turn_does_not_come_asks_the_database_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds the turn may hang: the others then meet SQLite's own lock, or none."""
    monkeypatch.setattr(portal_db, "BUSY_TIMEOUT_MS", 20)
    written = threading.Event()

    def write() -> None:
        with app.app_context(), transaction() as session:
            add_staff(session, "Ana")
        written.set()

    writer = threading.Thread(target=write, daemon=True)
    with _WRITERS:
        writer.start()
        writer.join(10)
        came = written.is_set()
        # The turn is still that of who holds it.
        assert _WRITERS.locked()
    assert came


@pytest.mark.postgres
def test_a_transaction_does_not_nest_and_nothing_reads_past_it(
    session: Session,
) -> None:
    with transaction() as outer:
        add_staff(outer, "Ana")
        for inner in (transaction, reading):
            with pytest.raises(RuntimeError, match="open"), inner():
                pass
        assert portal_db.in_transaction()
    assert not portal_db.in_transaction()
    with reading() as found:
        assert found.scalars(select(Staff.name)).all() == ["Ana"]


@pytest.mark.postgres
def test_what_was_read_before_is_read_again_under_the_lock(session: Session) -> None:
    with transaction() as writing:
        ana = add_staff(writing, "Ana").id
    seen = db.session.get_one(Staff, ana)
    assert seen.name == "Ana"
    with db.engine.begin() as another:
        another.execute(update(Staff).values(name="Anita"))
    with transaction() as deciding:
        assert deciding.get_one(Staff, ana).name == "Anita"


@pytest.mark.postgres
def test_a_reading_gives_its_connection_back(session: Session) -> None:
    """Whoever reads and then waits for a gateway keeps nobody else waiting."""
    session.rollback()
    with reading() as found:
        found.execute(text("SELECT 1"))
        assert db.engine.pool.checkedout() == 1
    assert db.engine.pool.checkedout() == 0


@pytest.mark.parametrize(
    ("version", "refused"), [((3, 51, 2), True), (SAFE_SQLITE, False)]
)
def test_an_unsafe_sqlite_is_refused(
    version: tuple[int, ...], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pysqlite3.dbapi2, "sqlite_version_info", version)
    engine = create_engine("sqlite://", module=pysqlite3.dbapi2)
    said = ""
    try:
        prepare_engine(engine)
    except ConfigurationError as error:
        said = str(error)
    assert ("WAL-reset" in said) is refused


def test_a_setting_that_sqlite_did_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A database in memory has no write-ahead log, and tells it only when asked."""
    engine = create_engine("sqlite://", module=engine_options("sqlite://")["module"])
    prepare_engine(engine)
    with pytest.raises(ConfigurationError, match="journal_mode=wal"):
        engine.connect()
    monkeypatch.setitem(PRAGMAS, "journal_mode", "memory")
    engine.connect().close()
    engine.dispose()
