"""`flask hours at`, in process and as a program of its own."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from portal import create_app
from portal.config import load_settings
from portal.hours.rules import DayOverride
from portal.hours.service import set_override
from portal.journal.service import SYSTEM

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "hours-secret-key-0123456789abcdefghijklmnop"
KEYS = ["kind", "closes_at", "next_opening", "reason"]


def run(app: Flask, *arguments: str, stdin: str | bytes = "") -> Result:
    return app.test_cli_runner().invoke(args=["hours", "at", *arguments], input=stdin)


def answers(result: Result) -> list[dict[str, str | None]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_object_a_line_in_the_order_asked(app: Flask) -> None:
    result = run(
        app,
        "--json",
        "2026-11-24T18:30:59-03:00",
        "2026-11-24T18:31:00-03:00",
        "2026-12-25T12:00:00Z",
        "2026-06-30T18:30:59-04:00",
    )
    assert answers(result) == [
        {
            "kind": "normal",
            "closes_at": "2026-11-24T18:31:00-03:00",
            "next_opening": None,
            "reason": "Horario normal",
        },
        {
            "kind": "special",
            "closes_at": "2026-11-24T22:00:00-03:00",
            "next_opening": None,
            "reason": "Horario especial",
        },
        {
            "kind": "closed",
            "closes_at": None,
            "next_opening": "2026-12-26T10:00:00-03:00",
            "reason": "Feriado: Navidad",
        },
        {
            "kind": "normal",
            "closes_at": "2026-06-30T18:31:00-04:00",
            "next_opening": None,
            "reason": "Horario normal",
        },
    ]
    assert all(list(json.loads(line)) == KEYS for line in result.stdout.splitlines())


def test_a_dash_reads_standard_input(app: Flask) -> None:
    lines = "2026-11-24T12:00:00-03:00\r\n\n  2026-11-24T23:00:00-03:00"
    kinds = [answer["kind"] for answer in answers(run(app, "-", "--json", stdin=lines))]
    assert kinds == ["normal", "closed"]


def test_a_dash_mixes_with_instants(app: Flask) -> None:
    first, last = "2026-11-24T12:00:00-03:00", "2026-11-24T23:00:00-03:00"
    result = run(app, first, "-", last, "--json", stdin="2026-11-24T19:00:00-03:00\n")
    kinds = [answer["kind"] for answer in answers(result)]
    assert kinds == ["normal", "special", "closed"]


def test_an_empty_standard_input_answers_nothing(app: Flask) -> None:
    result = run(app, "-", "--json")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-11-24T12:00:00",
        "2026-11-24",
        "mañana",
        "",
        "2026-13-01T12:00:00Z",
        "1899-01-01T12:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-11-24T12:00:00-03:00\x00",
    ],
)
def test_one_wrong_instant_prints_no_answer_at_all(app: Flask, wrong: str) -> None:
    result = run(app, "2026-11-24T12:00:00-03:00", wrong, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert ascii(wrong) in result.stderr


def test_a_wrong_line_of_standard_input_prints_no_answer_at_all(app: Flask) -> None:
    lines = "2026-11-24T12:00:00-03:00\nhoy\n"
    result = run(app, "-", "--json", stdin=lines)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'hoy'" in result.stderr


def test_standard_input_that_is_no_text_is_refused(app: Flask) -> None:
    result = run(app, "-", "--json", stdin=b"\xff\xfe")
    assert (result.exit_code, result.stdout) == (2, "")


def test_no_instant_is_a_wrong_use(app: Flask) -> None:
    assert run(app, "--json").exit_code == 2


def test_a_table_in_spanish_without_json(app: Flask) -> None:
    result = run(app, "2026-11-24T18:31:00-03:00", "2026-12-25T12:00:00Z")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Hora", "de", "Santiago", "Horario", "Cambia", "Motivo"]
    assert lines[1].split() == [
        *("24-11-2026", "18:31:00", "especial", "hasta", "24-11-2026", "22:00"),
        *("Horario", "especial"),
    ]
    assert "cerrado   abre 26-12-2026 10:00" in lines[2]


def test_the_owners_days_count(app: Flask) -> None:
    with app.app_context():
        set_override(
            DayOverride(date(2026, 11, 24), "closed", (), "Inventario"),
            actor=SYSTEM,
            now=datetime(2026, 11, 20, tzinfo=UTC),
        )
    result = run(app, "2026-11-24T12:00:00-03:00", "--json")
    assert answers(result)[0]["reason"] == "Inventario"


def test_a_database_without_tables_answers_with_the_defaults(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    app = create_app(load_settings({"DATABASE_URL": url}))
    result = run(app, "2026-11-24T12:00:00-03:00", "--json")
    assert answers(result)[0]["kind"] == "normal"
    assert "default hours" in result.stderr


def test_a_database_out_of_reach_is_told_and_nothing_is_answered(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere' / 'portal.sqlite3'}"
    app = create_app(load_settings({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}))
    result = run(app, "2026-11-24T12:00:00-03:00", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the database cannot be read" in result.stderr


def test_the_program_answers_a_list_from_standard_input(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path / 'portal.sqlite3'}",
    }
    flask = Path(sys.executable).with_name("flask")
    done = subprocess.run(
        [flask, "hours", "at", "-", "--json"],
        cwd=ROOT,
        env=environment,
        input="2026-11-24T18:30:59-03:00\n2026-11-29T14:00:00-03:00\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["normal", "closed"]
