"""Writing invented months, whole rows at once."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Connection

from portal.accounts.models import Staff
from portal.db import Base, transaction
from portal.errors import RefusedError
from portal.hours.queries import load_calendar
from portal.hours.rules import regime_at
from portal.reports.demo_rows_rules import Numbers, Rows, Scribe
from portal.reports.demo_rules import Story, make_month, make_shops
from portal.reports.rules import month_of
from portal.terms.queries import current_number

# The month before it has fewer, so that the comparison shows something.
ORDERS, ORDERS_BEFORE, SHOPS = 260, 215, 150
# In an order in which every foreign key finds its row.
TABLES = (
    "contacts",
    "orders",
    "payments",
    "attentions",
    "errands",
    "refunds",
    "attention_entries",
    "attention_pauses",
    "ratings",
    "journal_entries",
    "outbox",
)
_BATCH = 2_000


def add_demo_month(*, key: str, now: datetime) -> int:
    """Fill the two calendar months before `now`'s with invented orders; how many.

    `key` is the SECRET_KEY that makes their links. Raises RefusedError before the demo
    has terms and technicians, and when the month has orders of its own.
    """
    month = month_of(now).previous
    with transaction() as session:
        staff = tuple(
            session.scalars(select(Staff.id).where(Staff.role == "technician"))
        )
        terms = current_number(session)
        if not staff or not terms:
            raise RefusedError("There is no demo yet: run flask demo seed first.")
        orders = Base.metadata.tables["orders"]
        sold = select(func.count()).where(
            orders.c.paid_at >= month.previous.begins, orders.c.paid_at < month.ends
        )
        if session.scalar(sold):
            raise RefusedError("These months have orders already: nothing was added.")
        calendar = load_calendar(session)
        connection = session.connection()
        scribe = Scribe(next_numbers(connection), staff, key, terms)
        stories = (
            make_month(
                each,
                count,
                shops=make_shops(SHOPS, "demo"),
                regime_of=lambda at: regime_at(calendar, at).kind,
                seed="demo",
                until=now,
                technicians=len(staff),
            )
            for each, count in ((month.previous, ORDERS_BEFORE), (month, ORDERS))
        )
        return write(connection, scribe, chain.from_iterable(stories))


def next_numbers(connection: Connection) -> Numbers:
    """The ids that are free in each table."""
    highest = {
        name: connection.scalar(select(func.max(Base.metadata.tables[name].c.id))) or 0
        for name in TABLES
    }
    return Numbers({name: number + 1 for name, number in highest.items()})


def write(connection: Connection, scribe: Scribe, stories: Iterable[Story]) -> int:
    """Insert the rows of every story, in batches, without committing; how many."""
    count = 0
    for batch in _batches(stories):
        count += len(batch)
        rows: Rows = {}
        for story in batch:
            for table, found in scribe.write(story).items():
                rows.setdefault(table, []).extend(found)
        for table in TABLES:
            if rows.get(table):
                connection.execute(insert(Base.metadata.tables[table]), rows[table])
    _move_sequences(connection, scribe.numbers)
    return count


def _batches(stories: Iterable[Story]) -> Iterator[list[Story]]:
    batch: list[Story] = []
    for story in stories:
        batch.append(story)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _move_sequences(connection: Connection, numbers: Numbers) -> None:
    """PostgreSQL counts by itself, and must not give an id that was written here."""
    if connection.dialect.name != "postgresql":
        return
    for table, number in numbers.next.items():
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"),
            {"table": table, "last": max(number - 1, 1)},
        )
