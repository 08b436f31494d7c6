"""What each new application would compile again, kept for this whole test process.

Each test has an application and a database of its own. Their routes, templates and
statements are those of the test before, and compiling them was a third of the time.
"""

from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from werkzeug.routing import Rule

_first_engine: dict[str, Engine] = {}


class _TemplateCode(BytecodeCache):
    """The compiled code of each template, by name, file and source."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


class _Route(Rule):
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
    """Let every Flask application of this process, from now on, compile only once."""
    Flask.url_rule_class = _Route
    Flask.jinja_options = {"bytecode_cache": _TemplateCode()}


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
