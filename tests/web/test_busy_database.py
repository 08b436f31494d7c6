"""A locked database answers 503 with Retry-After, changes nothing, and heals."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pysqlite3.dbapi2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, open_shop, pay_by_webpay
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session

from portal.clock import utcnow
from portal.db import _WRITERS, PRAGMAS, transaction


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
