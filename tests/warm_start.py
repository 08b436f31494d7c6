"""What each new application would compile again, kept for this whole test process.

Each test has an application and a database of its own. Their routes, templates and
statements are those of the test before, and compiling them was a third of the time.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine
from werkzeug.routing import Rule

from portal.accounts import screens_service
from portal.accounts import service as accounts_service
from portal.db import Base, db
from portal.routes import Route
from portal.web import Portal

Made = TypeVar("Made")
# What production hashes passwords and PINs with; a test of the rest takes little work.
PRODUCTION_METHOD = accounts_service.METHOD
_filled: dict[tuple[object, ...], tuple[object, dict[str, list[Any]]]] = {}
_first_engine: dict[str, Engine] = {}


class _TemplateCode(BytecodeCache):
    """The compiled code of each template, by name, file and source."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


class _Route(Route):
    """A route that takes what another route of the same address has compiled."""

    _known: dict[tuple[object, ...], Rule] = {}  # noqa: RUF012 (one for the process)

    def compile(self) -> None:
        assert self.map is not None
        defaults = tuple(sorted((self.defaults or {}).items()))
        converters = tuple(self.map.converters.items())
        where = (self.map.host_matching, self.host, self.subdomain)
        key = (self.rule, self.merge_slashes, where, defaults, converters)
        known = self._known.get(key)
        if known is None:
            super().compile()
            self._known[key] = self
            return
        self._parts, self._trace = known._parts, known._trace
        self._converters, self.arguments = known._converters, known.arguments
        self._build = known._build.__func__.__get__(self)
        self._build_unknown = known._build_unknown.__func__.__get__(self)


def install() -> None:
    """Let every Flask application of this process compile once, and hash lightly."""
    Flask.url_rule_class = Portal.url_rule_class = _Route
    Flask.jinja_options = {"bytecode_cache": _TemplateCode()}
    accounts_service.METHOD = screens_service.METHOD = "scrypt:1024:8:1"


def share_statements(engine: Engine) -> None:
    """Let the engine use the SQL that the first one of its kind has compiled.

    Its connections stay its own. Reaches the database when it is the first.
    """
    kind = engine.dialect.name
    if kind not in _first_engine:
        engine.connect().close()  # what a dialect asks of its server, it asks here
        _first_engine[kind] = engine
    first = _first_engine[kind]
    engine.dialect = engine.pool._dialect = first.dialect
    engine._compiled_cache = first._compiled_cache


def _is_empty(connection: Connection) -> bool:
    asked = (
        f'EXISTS (SELECT 1 FROM "{table}")'  # noqa: S608 (our own tables)
        for table in Base.metadata.tables
    )
    return not connection.exec_driver_sql(f"SELECT {' OR '.join(asked)}").scalar()


def _read_rows(connection: Connection) -> dict[str, list[Any]]:
    """What stands in every table, by the statement that would write it again."""
    found = {}
    for table in Base.metadata.tables:
        rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()  # noqa: S608
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            statement = f'INSERT INTO "{table}" VALUES ({marks})'  # noqa: S608
            found[statement] = [tuple(row) for row in rows]
    return found


def fill(key: tuple[object, ...], write: Callable[[], Made]) -> Made:
    """Do `write`, which fills an empty database; from then on, copy its rows.

    `key` names what is written and the instant it is dated at. Where the database is no
    SQLite, or holds something already, `write` does it anew. Asks for an app context.
    """
    with db.engine.connect() as connection:
        copied = connection.dialect.name == "sqlite" and _is_empty(connection)
    if not copied:
        return write()
    if key not in _filled:
        made = write()
        with db.engine.connect() as connection:
            _filled[key] = (made, _read_rows(connection))
        return made
    made, rows = _filled[key]  # type: ignore[assignment]
    with db.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for statement, values in rows.items():
            connection.exec_driver_sql(statement, values)
    return made
