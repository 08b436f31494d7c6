"""A month is read by ranges of indexes: its price is its own, not the history's."""

import re

from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from portal.db import db
from portal.reports.queries import read_headline, read_month
from portal.reports.rules import Month


def plans_of_month(session: Session, month: Month, engine: Engine) -> list[str]:
    """What SQLite says that it would do for each statement of a report."""
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_c: object, _cursor: object, sql: str, values: object, *_: object) -> None:
        if sql.startswith("SELECT"):
            asked.append((sql, tuple(values)))  # type: ignore[arg-type]

    event.listen(engine, "before_cursor_execute", note)
    read_month(session, month, month.ends)
    read_headline(session, month, month.ends)
    event.remove(engine, "before_cursor_execute", note)
    assert len(asked) >= 10
    connection = session.connection()
    return [
        str(row[3])
        for sql, values in asked
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
    ]


def test_month_scans_no_table_but_that_of_the_staff(
    app: Flask, session: Session
) -> None:
    plans = plans_of_month(session, Month(2026, 10), db.engine)
    scans = [line for line in plans if line.startswith("SCAN")]
    assert set(scans) <= {"SCAN staff"}
    ranges = [line for line in plans if re.search(r"\b(\w+_at|at)>\? AND", line)]
    used = {line.split("INDEX ")[1].split(" ")[0] for line in ranges}
    assert used == {
        "ix_orders_paid",
        "ix_attentions_queued",
        "ix_refunds_answered",
        "ix_payments_misplaced",
        "ix_journal_entries_chargebacks",
    }


def test_month_without_its_indexes_is_seen(app: Flask, session: Session) -> None:
    session.connection().exec_driver_sql("DROP INDEX ix_orders_paid")
    plans = plans_of_month(session, Month(2026, 10), db.engine)
    assert {line for line in plans if line.startswith("SCAN")} - {"SCAN staff"}
