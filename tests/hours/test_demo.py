"""The demo's panel and its clock; in production they do not exist."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import TUESDAY_NOON
from flask import Flask
from flask.testing import FlaskClient

from portal import clock as portal_clock
from portal.errors import RefusedError
from portal.hours.demo_rules import (
    PRESETS,
    Preset,
    find_preset,
    moment_of,
    parse_moment,
)
from portal.hours.queries import DEFAULT_CALENDAR
from portal.hours.rules import Calendar, regime_at

PATHS = (
    ("GET", "/demo"),
    ("POST", "/demo/reloj"),
    ("GET", "/demo/correos"),
    ("GET", "/demo/correos/20261124T150000-00000001.eml"),
)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[datetime | None]:
    """Where the clock was moved to."""
    calls: list[datetime | None] = []
    monkeypatch.setattr(portal_clock, "move_to", calls.append)
    return calls


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
@pytest.mark.parametrize("days", range(0, 400, 13))
def test_preset_is_the_next_moment_that_keeps_its_word(
    preset: Preset, days: int
) -> None:
    now = TUESDAY_NOON + timedelta(days=days, hours=days % 24)
    moment = moment_of(preset, now, DEFAULT_CALENDAR)
    local = portal_clock.local(moment)
    assert now < moment
    assert regime_at(DEFAULT_CALENDAR, moment).kind == preset.kind
    assert local.time() == preset.at
    assert preset.weekday in (None, local.weekday())


def test_preset_passes_holidays_over() -> None:
    # Tuesday 8 December 2026 is a holiday.
    preset = find_preset("normal")
    assert preset is not None
    before = datetime(2026, 12, 2, 12, tzinfo=UTC)
    local = portal_clock.local(moment_of(preset, before, DEFAULT_CALENDAR))
    assert f"{local:%d-%m-%Y %H:%M}" == "15-12-2026 10:00"


def test_calendar_without_such_a_moment_is_told() -> None:
    preset = find_preset("normal")
    assert preset is not None
    with pytest.raises(RefusedError):
        moment_of(preset, TUESDAY_NOON, Calendar({}, {}))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-24T10:00", datetime(2026, 11, 24, 13, 0, tzinfo=UTC)),
        ("2026-06-02T10:00", datetime(2026, 6, 2, 14, 0, tzinfo=UTC)),
        ("2026-11-24T18:30:59", datetime(2026, 11, 24, 21, 30, 59, tzinfo=UTC)),
    ],
)
def test_typed_moment_is_santiago_s(typed: str, expected: datetime) -> None:
    assert parse_moment(typed) == expected


@pytest.mark.parametrize(
    "typed",
    ["", "ayer", "2026-11-24T10:00Z", "1999-12-31T10:00", "2099-01-01T10:00", "\0"],
)
def test_moment_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError):
        parse_moment(typed)


def test_panel_leads_to_every_face(client: FlaskClient) -> None:
    response = client.get("/demo")
    assert response.status_code == 200
    links = {a["href"] for a in BeautifulSoup(response.text, "html.parser")("a")}
    for path in ("/", "/tablero", "/administrar", "/demo/correos", "/ingresar"):
        assert path in links
    assert not any(link.startswith("/informes") for link in links)
    assert "http://127.0.0.1:8001" in links
    assert "12:00 del martes 24 de noviembre" in response.text
    for shown in ("duena@demo.cl", "tecnico3@demo.cl", "demo-portal"):
        assert shown in response.text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"preset": "especial"}, datetime(2026, 11, 24, 22, 0, tzinfo=UTC)),
        ({"preset": "real"}, None),
        ({"moment": "2026-12-24T21:00"}, datetime(2026, 12, 25, 0, 0, tzinfo=UTC)),
    ],
)
def test_clock_moves_where_it_is_told(
    client: FlaskClient,
    moved: list[datetime | None],
    data: dict[str, str],
    expected: datetime | None,
) -> None:
    response = client.post("/demo/reloj", data=data)
    assert (response.status_code, response.location) == (303, "/demo")
    assert moved == [expected]


@pytest.mark.parametrize(
    "data", [{}, {"preset": "nunca"}, {"moment": "x" * 5000}, {"moment": "<b>"}]
)
def test_clock_stays_when_told_nonsense(
    client: FlaskClient, moved: list[datetime | None], data: dict[str, str]
) -> None:
    response = client.post("/demo/reloj", data=data)
    assert response.status_code == 422
    assert "No movimos el reloj" in response.text
    assert moved == []


def test_clock_needs_the_form_s_token(
    client: FlaskClient, moved: list[datetime | None]
) -> None:
    response = client.post("/demo/reloj", data={"preset": "real"}, csrf=False)
    assert (response.status_code, moved) == (400, [])


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_demo_is_not_there_in_production(
    app: Flask, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    production = replace(app.extensions["portal_settings"], mode="production")
    monkeypatch.setitem(app.extensions, "portal_settings", production)
    assert app.test_client().open(path, method=method).status_code == 404


def test_moving_the_clock_moves_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = portal_clock._MovableClock()
    own = portal_clock._MovableClock()
    monkeypatch.setattr(portal_clock, "_clock", own)
    for each in (own, other):
        each.configure(tmp_path / "clock", None)
    wanted = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    portal_clock.move_to(wanted)
    for each in (own, other):
        assert timedelta(0) <= each.now() - wanted < timedelta(minutes=1)
    portal_clock.move_to(None)
    real = datetime.now(UTC)
    assert abs(other.now() - real) < timedelta(minutes=1)


def test_presets_have_different_names() -> None:
    assert len({preset.slug for preset in PRESETS}) == len(PRESETS)
    assert find_preset("real") is None
    assert PRESETS[0].at == time(10)
