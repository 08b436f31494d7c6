"""The migrations make exactly the schema of the models, on both databases."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import SECRET_KEY
from flask import Flask
from flask_migrate import downgrade, upgrade
from postgres_cluster import Cluster
from sqlalchemy import CheckConstraint, inspect, text

from portal import create_app
from portal.config import load_settings
from portal.db import db

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bare_app(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Flask]:
    """The application over a database without any table."""
    url = f"sqlite:///{tmp_path}/bare.sqlite3"
    if database_kind == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        url = cluster.url(cluster.create_database())
    app = create_app(load_settings({"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url}))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


# SQLAlchemy cannot read an index over an expression back from SQLite; PostgreSQL's is
# compared here, and the test below knows both by name.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expr")
def test_migrations_make_what_the_models_describe(bare_app: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_constraints_of_a_migrated_table_are_those_of_the_models(
    bare_app: Flask,
) -> None:
    """Autogenerate compares no check constraints: their names are compared here."""
    upgrade()
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        made = {found["name"] for found in inspector.get_check_constraints(table.name)}
        wanted = {
            str(db.engine.dialect.identifier_preparer.format_constraint(found))
            for found in table.constraints
            if isinstance(found, CheckConstraint)
        }
        assert made == {name.strip('"') for name in wanted}, table.name


def test_indexes_of_a_migrated_table_are_those_of_the_models(bare_app: Flask) -> None:
    upgrade()
    asked = "SELECT indexname FROM pg_indexes"
    if db.engine.dialect.name == "sqlite":
        asked = "SELECT name FROM sqlite_master WHERE type = 'index'"
    with db.engine.connect() as connection:
        made = set(connection.scalars(text(asked)))
    tables = db.metadata.sorted_tables
    wanted = {str(found.name) for table in tables for found in table.indexes}
    assert {name for name in made if name.startswith("ix_")} == {
        name for name in wanted if name.startswith("ix_")
    }


def test_migrations_can_be_undone_and_done_again(bare_app: Flask) -> None:
    upgrade()
    downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    upgrade()


def test_migrating_twice_changes_nothing_and_keeps_foreign_keys_on(
    bare_app: Flask,
) -> None:
    told = bare_app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert told.exit_code == 0, told.output
    tables = inspect(db.engine).get_table_names()
    upgrade()
    assert inspect(db.engine).get_table_names() == tables
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


KILLED = """
import os, signal, sys
from flask_migrate import upgrade
from sqlalchemy import event
from portal import create_app
from portal.config import load_settings
from portal.db import db

key, url, point = sys.argv[1:]
app = create_app(load_settings({"SECRET_KEY": key, "DATABASE_URL": url}))

def kill(_connection, _cursor, statement, *_rest):
    if point in statement:
        os.kill(os.getpid(), signal.SIGKILL)

with app.app_context():
    event.listen(db.engine, "after_cursor_execute", kill)
    upgrade()
"""


def test_migration_that_is_killed_leaves_what_was_there(
    bare_app: Flask,
) -> None:
    """From the start to the last step it is one transaction, on SQLite too."""
    url = db.engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, SECRET_KEY, url, "CREATE TABLE job_turns"],
        cwd=ROOT,
    )
    assert done.returncode == -signal.SIGKILL
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    db.engine.dispose()
    upgrade()
    assert inspect(db.engine).has_table("request_counts")
