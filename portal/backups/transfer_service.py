"""All rows into another, empty database: SQLite to PostgreSQL, or back."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, bindparam, func, select, text

from portal.errors import RefusedError

BATCH = 1_000


def copy_rows(
    source: Connection, target: Connection, tables: list[Table]
) -> dict[str, int]:
    """Copy every row of `tables` (parents first) and compare what arrived.

    Both are inside a transaction of the caller's, who commits. Returns the rows of each
    table. Raises RefusedError when the target holds rows, or when what it holds
    afterwards is not the same, row by row.
    """
    _refuse_rows(target, tables)
    counts = {}
    for table in tables:
        counts[table.name] = _copy_table(source, target, table)
        _set_sequence(target, table)
    for table in tables:
        _compare(source, target, table)
    return counts


def _refuse_rows(target: Connection, tables: list[Table]) -> None:
    full = [
        table.name
        for table in tables
        if target.execute(select(1).select_from(table).limit(1)).first()
    ]
    if full:
        raise RefusedError(f"The other database is not empty: {', '.join(full)}.")


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    """In the order of the key: an order comes after the one that it continues."""
    wanted = select(table).order_by(*table.primary_key.columns)
    streaming = connection.execution_options(yield_per=BATCH)
    for row in streaming.execute(wanted).mappings():
        yield dict(row)


def _value(column: Column[Any]) -> Any:
    """An absent JSON value stays absent, instead of the word null."""
    if isinstance(column.type, JSON):
        return bindparam(column.name, type_=JSON(none_as_null=True))
    return bindparam(column.name, type_=column.type)


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    statement = table.insert().values(
        {column.name: _value(column) for column in table.columns}
    )
    batch: list[dict[str, Any]] = []
    count = 0
    for row in _rows(source, table):
        batch.append(row)
        count += 1
        if len(batch) == BATCH:
            target.execute(statement, batch)
            batch = []
    if batch:
        target.execute(statement, batch)
    return count


def _set_sequence(target: Connection, table: Table) -> None:
    """The next id comes after the last one that was copied. SQLite knows by itself."""
    if target.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        name = target.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        )
        if name:
            last = target.scalar(select(func.max(column))) or 0
            target.execute(
                text("SELECT setval(CAST(:name AS regclass), :value, :used)"),
                {"name": name, "value": max(last, 1), "used": last > 0},
            )


def _compare(source: Connection, target: Connection, table: Table) -> None:
    for there, here in zip_longest(_rows(source, table), _rows(target, table)):
        if there != here:
            raise RefusedError(f"A row of {table.name} did not arrive as it was.")
