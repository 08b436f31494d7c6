"""Raw requests over every route: no 5xx, nothing slow, and the search can fail."""

import pytest
from flask import Flask
from fuzz_requests import Fuzzer

from portal.accounts import screens_service, service
from portal.config import Settings
from portal.db import db

SEED = 20261124


@pytest.fixture
def fuzzed(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Fuzzer:
    # What breaks is answered, as in production; hashing is light.
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for module in (service, screens_service):
        monkeypatch.setattr(module, "METHOD", "scrypt:1024:8:1")
        module._decoy.cache_clear()
    monkeypatch.setattr(app.logger, "disabled", True)
    return Fuzzer(app, settings, SEED)


@pytest.mark.postgres
def test_no_request_breaks_the_server(fuzzed: Fuzzer, database_kind: str) -> None:
    found = fuzzed.run(1_200 if database_kind == "sqlite" else 300)
    assert found.broken == []
    assert found.slowest[0] < 10, found.slowest
    assert {rule.rule for rule in fuzzed.rules} == found.routes
    # The good values do reach what is behind the doors.
    assert len(found.deep) > 40


def test_a_view_without_the_gate_is_found(fuzzed: Fuzzer) -> None:
    def loose(huge: int) -> str:
        from sqlalchemy import text

        return str(db.session().scalar(text("SELECT :n"), {"n": huge}))

    fuzzed.app.add_url_rule("/suelta/<int:huge>", "loose", loose)
    fuzzed.rules = [r for r in fuzzed.app.url_map.iter_rules() if r.endpoint == "loose"]
    found = fuzzed.run(80)
    assert any("OverflowError" in each for each in found.broken), found.statuses
