"""Fuzzed requests over all routes and methods: no 5xx, nothing slow, no growth."""

import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from bench.torture.histories import quietly
from bench.torture.report import Line
from bench.torture.worlds import folder

SEED = 20261124
SLOWEST_SECONDS = 1.0
GROWTH_MB = 100
LIGHT = "scrypt:1024:8:1"


def run(count: int) -> list[Line]:
    """Two thirds of `count` requests on SQLite, the rest on PostgreSQL."""
    return list(quietly(lambda: _run(count)))


def _run(count: int) -> list[Line]:
    from postgres_cluster import Cluster

    lines = []
    with folder() as path:
        lines.append(
            _campaign("sqlite", f"sqlite:///{path}/p.sqlite3", path, count * 2 // 3)
        )
    cluster = Cluster()
    try:
        with folder() as path:
            url = cluster.url(cluster.create_database())
            lines.append(_campaign("postgresql", url, path, count // 3))
    finally:
        cluster.stop()
    return lines


def _memory_mb() -> float:
    """What this process holds now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _campaign(database: str, url: str, path: Path, count: int) -> Line:
    from portal.accounts import screens_service, service

    began = time.monotonic()
    with (
        mock.patch.object(service, "METHOD", LIGHT),
        mock.patch.object(screens_service, "METHOD", LIGHT),
    ):
        fuzzer = _fuzzer(url, path)
        # What a process grows to by itself: templates, plans, maps.
        fuzzer.run(min(3_000, count // 5))
        before = _memory_mb()
        found = fuzzer.run(count - fuzzer.answered.count)
        grown = _memory_mb() - before
        red = _control(url, path)
    for problem in found.broken[:20]:
        print(problem)
    bad, (slowest, where) = len(found.broken), found.slowest
    print(f"slowest: {slowest:.2f} s, {where}; {sorted(found.statuses.items())}")
    return Line(
        f"peticiones al azar ({database})",
        f"{bad} con 5xx de {found.count:,}; máximo {slowest:.2f} s; {grown:+.0f} MB",
        f"0; < {SLOWEST_SECONDS:.0f} s; < {GROWTH_MB} MB",
        f"una vista sin la puerta: {red} con 5xx de 80",
        not found.broken
        and red > 0
        and slowest < SLOWEST_SECONDS
        and grown < GROWTH_MB,
        time.monotonic() - began,
    )


def _fuzzer(url: str, path: Path) -> Any:
    from conftest import TUESDAY_NOON, _create_schema, _settings
    from fuzz_requests import Fuzzer

    from portal import clock, create_app

    settings = replace(_settings(url), state_dir=path)
    if not (path / "made").exists():
        _create_schema(url)
        (path / "made").touch()
    app = create_app(settings)
    # It stands still, and the demo's page may write where it would be.
    clock._clock.file, clock._clock.now = path / "clock", lambda: TUESDAY_NOON
    app.logger.setLevel(logging.CRITICAL)
    return Fuzzer(app, settings, SEED)


def _control(url: str, path: Path) -> int:
    """How many of 80 requests break a view that takes any number to the database."""
    from sqlalchemy import text

    from portal.db import db

    fuzzer = _fuzzer(url, path)

    def loose(huge: int) -> str:
        return str(db.session().scalar(text("SELECT CAST(:n AS INTEGER)"), {"n": huge}))

    fuzzer.app.add_url_rule("/suelta/<int:huge>", "loose", loose)
    rules = fuzzer.app.url_map.iter_rules()
    fuzzer.rules = [rule for rule in rules if rule.endpoint == "loose"]
    return len(fuzzer.run(80).broken)
