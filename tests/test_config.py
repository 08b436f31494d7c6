"""Bad configuration is refused, with every reason at once and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SECRET_KEY

from portal import config
from portal.command_errors import AWAY, NO_TABLES
from portal.config import (
    DEMO_MARK,
    PRODUCTION_MARK,
    WEBPAY_TEST_CODE,
    WEBPAY_TEST_KEY,
    load_settings,
)
from portal.errors import ConfigurationError
from portal.launch import BAD_CONFIGURATION

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
GOOD = {
    "PORTAL_MODE": "production",
    "SECRET_KEY": SECRET_KEY,
    "PUBLIC_URL": "https://soporte.example.cl",
    "MERCADOPAGO_ACCESS_TOKEN": "APP_USR-1",
    "MERCADOPAGO_WEBHOOK_SECRET": "one,two",
    "WEBPAY_COMMERCE_CODE": "597012345678",
    "WEBPAY_API_KEY": "KEY",
    "SMTP_URL": "smtp+starttls://user@example.cl:p%23ss@smtp.example.cl:587",
    "MAIL_FROM": "Soporte <soporte@example.cl>",
}
NUMBERS = {
    "PORT": "70000",
    "TRUSTED_PROXIES": "uno",
    "BACKUP_HOURS": "25",
    "BACKUP_KEEP": "0",
    "BACKUP_DAYS": "-1",
    "REQUEST_LIMIT": "1.5",
}
NEEDED = sorted(set(GOOD) - {"PORTAL_MODE"})


def named(problems: list[str]) -> list[str]:
    """The variable that each problem begins with."""
    return sorted(problem.split()[0] for problem in problems)


def refused(tmp_path: Path, **values: str) -> list[str]:
    database = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"DATABASE_URL": database, **GOOD, **values})
    return caught.value.problems


def test_good_configuration_is_taken(tmp_path: Path) -> None:
    settings = load_settings({"DATABASE_URL": f"sqlite:///{tmp_path}/x", **GOOD})
    assert not settings.is_demo
    assert settings.mercadopago_webhook_secrets == ("one", "two")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (dict.fromkeys(NEEDED, ""), NEEDED),
        (dict.fromkeys(("SECRET_KEY", "MERCADOPAGO_WEBHOOK_SECRET"), " , "), None),
        # A mode that nobody knows is no demo: what production lacks is said too.
        ({"PORTAL_MODE": "produccion", "WEBPAY_API_KEY": ""}, None),
        ({"PUBLIC_URL": "http://soporte.example.cl"}, None),
        ({"PUBLIC_URL": "https://soporte.example.cl/portal"}, None),
        ({"PUBLIC_URL": "https://ana@soporte.example.cl"}, None),
        ({"PUBLIC_URL": "https://soporte.example.cl?x=1"}, None),
        ({"SECRET_KEY": "a" * 40, "MAIL_FROM": "soporte"}, None),
        # Each key of several, for what an older one has signed counts too.
        ({"SECRET_KEY": f"{SECRET_KEY},{'ab' * 32}"}, None),
        ({"MAIL_FROM": "soporte@example.cl\nBcc: x@example.cl"}, None),
        ({"SMTP_URL": "smtp.example.cl"}, None),
        ({"SMTP_URL": "smtp://user:p#ss@smtp.example.cl"}, None),
        ({"MERCADOPAGO_ACCESS_TOKEN": "TEST-1", "WEBPAY_API_KEY": "K\nX"}, None),
        ({"WEBPAY_COMMERCE_CODE": "5970-1234"}, None),
        (
            {
                "WEBPAY_COMMERCE_CODE": WEBPAY_TEST_CODE,
                "WEBPAY_API_KEY": WEBPAY_TEST_KEY,
                "WEBPAY_API_URL": "https://webpay3gint.transbank.cl",
                "MERCADOPAGO_API_URL": "http://localhost:1",
                "PORTAL_NOW": "2026-11-24T12:00:00-03:00",
            },
            None,
        ),
        (NUMBERS, None),
        (
            {"DATABASE_URL": "mysql://x", "METRICS_TOKEN": "x", "LOG_LEVEL": "debug"},
            None,
        ),
        ({"PORTAL_NOW": "mañana"}, None),
    ],
)
def test_bad_configuration_is_refused_with_all_reasons(
    tmp_path: Path, values: dict[str, str], wanted: list[str] | None
) -> None:
    problems = refused(tmp_path, **values)
    assert named(problems) == (wanted or sorted(values))
    for value in filter(
        None, (GOOD["SECRET_KEY"], values.get("SECRET_KEY", "").strip(" ,"))
    ):
        assert value not in "".join(problems)


def test_of_a_malformed_database_one_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default one, which a demo may have used before, is not meant."""
    monkeypatch.setattr(config, "ROOT", tmp_path)
    (tmp_path / "var").mkdir()
    demo = f"sqlite:///{tmp_path}/var/portal.sqlite3\n"
    (tmp_path / "var" / DEMO_MARK).write_text(demo)
    assert named(refused(tmp_path, DATABASE_URL="mysql://x")) == ["DATABASE_URL"]


def test_demo_refuses_the_database_of_production(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    load_settings({"DATABASE_URL": url})
    (tmp_path / PRODUCTION_MARK).write_text(f"sqlite:////other\n{url}\n")
    with pytest.raises(ConfigurationError, match="PORTAL_MODE is not production"):
        load_settings({"DATABASE_URL": url})
    # Another one in the same folder is the demo's own business.
    load_settings({"DATABASE_URL": f"{url}2"})


@pytest.mark.parametrize(
    ("database", "mark"),
    [
        ("sqlite:///{}/x.sqlite3", "sqlite:///{}/x.sqlite3"),
        ("postgresql://a:b@127.0.0.1/x", "postgresql+psycopg://a:***@127.0.0.1/x"),
    ],
)
def test_production_refuses_the_database_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str, mark: str
) -> None:
    monkeypatch.setattr("portal.config.ROOT", tmp_path)
    (tmp_path / "var").mkdir()
    folder = tmp_path if "sqlite" in database else tmp_path / "var"
    (folder / DEMO_MARK).write_text(mark.format(tmp_path))
    own = database.format(tmp_path)
    assert named(refused(tmp_path, DATABASE_URL=own)) == ["DATABASE_URL"]
    # Another database in the same folder is production's own business.
    load_settings({**GOOD, "DATABASE_URL": f"{own}2"})


def run(*command: str, folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    database = f"sqlite:///{folder / 'var' / 'portal.sqlite3'}"
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env={"DATABASE_URL": database, "PORT": "1", **values},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        ("python", "-m", "portal.launch", "granian", "--interface", "rsgi", "wsgi:x"),
        ("flask", "--app", "wsgi", "worker"),
        ("flask", "--app", "wsgi", "db", "upgrade"),
    ],
    ids=["server", "worker", "upgrade"],
)
def test_program_that_is_refused_says_why_once_and_ends(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(*command, folder=tmp_path, PORTAL_MODE="production")
    assert done.returncode == BAD_CONFIGURATION
    assert named(done.stderr.splitlines()) == NEEDED


def test_first_upgrade_makes_a_folder_that_nobody_else_reads(tmp_path: Path) -> None:
    done = run("flask", "--app", "wsgi", "db", "upgrade", folder=tmp_path, **GOOD)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var" / "portal.sqlite3").exists()


@pytest.mark.parametrize("command", ["setup", "verify", "check", "reconcile"])
def test_command_without_tables_says_what_to_do(tmp_path: Path, command: str) -> None:
    (tmp_path / "var").mkdir()
    done = run("flask", "--app", "wsgi", command, folder=tmp_path, **GOOD)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {NO_TABLES} (no such table")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("db", "upgrade"), ("setup",), ("verify",)])
def test_command_without_a_database_says_so_in_a_line(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    away = {"DATABASE_URL": "postgresql://ana:clave@127.0.0.1:1/portal"}
    done = run("flask", "--app", "wsgi", *command, folder=tmp_path, **GOOD | away)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {AWAY}")
    assert len(done.stderr.splitlines()) == 1
    assert "clave" not in done.stderr


def test_what_production_has_used_is_marked(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    for _again in range(2):
        run("flask", "--app", "wsgi", "db", "upgrade", folder=tmp_path, **GOOD)
    assert len((tmp_path / "var" / PRODUCTION_MARK).read_text().splitlines()) == 1
    done = run("flask", "--app", "wsgi", "setup", folder=tmp_path)
    assert done.returncode == BAD_CONFIGURATION
    assert "is a production database" in done.stderr
