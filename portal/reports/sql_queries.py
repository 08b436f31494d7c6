"""Instants as whole seconds, in the database, on both dialects.

A month of rows read as instants costs more in parsing than all its queries; as integers
it costs nearly nothing, and hours can be grouped by division.
"""

from typing import Any

from sqlalchemy import ColumnElement, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

HOUR = 3600


class seconds(FunctionElement[int]):
    """Whole seconds since 1970 of a UtcDateTime column; NULL stays NULL."""

    type = Integer()
    inherit_cache = True


@compiles(seconds, "sqlite")
def _on_sqlite(element: seconds, compiler: SQLCompiler, **options: object) -> str:
    return f"unixepoch({compiler.process(element.clauses, **options)})"


@compiles(seconds)
def _elsewhere(element: seconds, compiler: SQLCompiler, **options: object) -> str:
    inner = compiler.process(element.clauses, **options)
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {inner})) AS BIGINT)"


def hours(column: Any) -> ColumnElement[int]:
    """Whole hours since 1970: Santiago's hours begin where UTC's do."""
    return seconds(column) // HOUR
