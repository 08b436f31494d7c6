"""The version by which a waiting page is told at once that it has the newest."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import SECRET_KEY, TUESDAY_NOON
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from support_cases import add_attention, add_staff, person

from portal.accounts.rules import Person
from portal.contact import queries, version_rules
from portal.contact.version_queries import rows_of
from portal.db import db, transaction
from portal.orders.models import Order
from portal.orders.queries import path_of
from portal.support import clock_service, handover_service, service
from portal.support.queries import find_for_order
from portal.terms import service as terms_service

EVENING = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # 19:30 in Santiago: special
NIGHT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def bring(session: Session, state: str, at: datetime) -> Order:
    """A paid order whose attention was brought to this state at `at`."""
    terms_service.set_up(at)
    with transaction() as session:
        ana = person(add_staff(session))
        attention = add_attention(session, now=at, key=SECRET_KEY)
        number, order_id = attention.id, attention.order_id
    if state not in ("waiting", "deferred"):
        service.take(number, by=ana, now=at)
    if state in ("running", "paused"):
        service.start(number, by=ana, now=at)
    if state == "paused":
        clock_service.pause(number, "El cliente lo pidió", by=ana, now=at)
    if state == "no_show":
        for minute in (1, 2):
            late = at + timedelta(minutes=minute)
            service.contacted(number, by=ana, now=late)
        handover_service.no_show(number, by=ana, now=late)
    session.rollback()
    return session.get_one(Order, order_id)


@pytest.mark.parametrize(
    ("state", "start"),
    [
        *((state, TUESDAY_NOON) for state in ("waiting", "taken", "running", "paused")),
        *((state, EVENING) for state in ("waiting", "no_show", "running")),
        ("deferred", NIGHT),
    ],
)
def test_page_that_its_rows_hold_is_the_page_that_would_be_drawn(
    session: Session, state: str, start: datetime
) -> None:
    """Every other minute for four hours, as a page that polls."""
    order = bring(session, state, start)
    rows = rows_of(session, order)
    asked, cheap = "", 0
    for minute in range(3, 240, 2):
        now = start + timedelta(minutes=minute)
        fresh = queries.load_case(session, order, now=now).version
        if version_rules.rows_hold(asked, rows, now):
            assert asked.partition(".")[0] == fresh.partition(".")[0], minute
            cheap += 1
        asked = asked if version_rules.rows_hold(asked, rows, now) else fresh
    assert cheap > 100


def test_poll_without_news_is_one_query_and_any_change_is_news(
    app: Flask, client, session: Session, clock
) -> None:
    order = bring(session, "taken", clock.now)
    path = path_of(order, app.extensions["portal_settings"].secret_keys)
    attention = find_for_order(session, order.id)
    assert attention
    version = queries.load_case(session, order, now=clock.now).version
    statements: list[str] = []

    def note(_conn, _cursor, statement, *_rest) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    answer = client.get(f"{path}/ahora?v={version}")
    event.remove(db.engine, "before_cursor_execute", note)
    assert answer.status_code == 204
    assert len(statements) == 1
    for wrong in ("", ".", "x-y.1-2", version.replace("-", "٣", 1)):
        assert client.get(f"{path}/ahora", query_string={"v": wrong}).status_code == 200
    holder = Person(attention.technician_id or 0, "Ana", "technician")
    service.contacted(attention.id, by=holder, now=clock.now)
    assert client.get(f"{path}/ahora?v={version}").status_code == 200
