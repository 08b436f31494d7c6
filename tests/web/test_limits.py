"""Limits are counted in the database: all processes and hosts share one count."""

import threading
from datetime import timedelta

import pytest
from conftest import FrozenClock
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal import create_app, web
from portal.config import Settings
from portal.limits import DatabaseStorage, RequestCount

pytestmark = pytest.mark.postgres
MAIL = "LIMITER/maria@example.cl"


def test_count_is_one_for_all_and_begins_anew_after_its_window(
    app: Flask, session: Session, clock: FrozenClock
) -> None:
    one, other = DatabaseStorage(), DatabaseStorage()
    assert [one.incr(MAIL, 60), other.incr(MAIL, 60)] == [1, 2]
    assert (one.get(MAIL), one.get("nobody")) == (2, 0)
    ends = clock.now + timedelta(seconds=60)
    assert one.get_expiry(MAIL) == ends.timestamp()
    # No address and no mail lies in the table.
    (row,) = session.scalars(select(RequestCount))
    assert "maria" not in row.key
    clock.set(ends)
    assert (one.get(MAIL), other.incr(MAIL, 60)) == (0, 1)
    clock.advance(days=-2)
    assert one.incr(MAIL, 60) == 1


def test_counts_at_once_are_all_counted(app: Flask) -> None:
    storage = DatabaseStorage()

    def count() -> None:
        with app.app_context():
            for _ in range(5):
                storage.incr(MAIL, 60)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert storage.get(MAIL) == 20


def test_second_server_knows_what_the_first_one_counted(
    app: Flask, settings: Settings, session: Session
) -> None:
    """The throttle of `/reenviar-enlace`, through two applications over it.

    Both are in this process, which could count by itself: the table must say it too.
    """
    second = create_app(settings)
    clients = [app.test_client(), second.test_client()]
    second.config["WTF_CSRF_ENABLED"] = False
    app.config["WTF_CSRF_ENABLED"] = False
    answers = [
        clients[turn % 2].post("/reenviar-enlace", data={"email": "x"}).status_code
        for turn in range(32)
    ]
    assert answers == [422] * 30 + [429] * 2
    assert web.limiter.enabled
    session.rollback()
    assert session.scalars(select(RequestCount.count)).all() == [32]
