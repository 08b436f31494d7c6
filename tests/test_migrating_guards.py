"""What stands around a migration: one at a time, and none that breaks what it moves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SECRET_KEY
from flask import Flask
from flask_migrate import downgrade, upgrade
from postgres_cluster import Cluster
from sqlalchemy import create_engine, inspect, text

from portal import create_app
from portal.config import database_url, load_settings
from portal.db import db


@contextmanager
def over(url: str) -> Iterator[Flask]:
    app = create_app(load_settings({"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url}))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_two_hosts_that_start_together_migrate_one_after_the_other(
    postgres_cluster: Cluster,
) -> None:
    """The first host's migration is under way: the second one's waits for its end."""
    url = postgres_cluster.url(postgres_cluster.create_database())
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = :kind")
    watching = create_engine(database_url(url), isolation_level="AUTOCOMMIT")

    def migrate() -> None:
        with over(url):
            upgrade()

    second = threading.Thread(target=migrate)
    with over(url), db.engine.connect() as first, watching.connect() as watch:
        lock = "SELECT pg_advisory_xact_lock(5270418)"
        first.exec_driver_sql(lock)
        second.start()
        waited = False
        while second.is_alive() and not waited:
            waited = bool(watch.scalar(waits, {"kind": "advisory"}))
        found = inspect(watch).get_table_names()
        first.rollback()
        second.join()
        assert waited
        assert found == []
        assert "orders" in inspect(watch).get_table_names()
    watching.dispose()


def test_migration_that_breaks_a_foreign_key_is_undone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rebuilding a table switches foreign keys off, so the end looks at all of them."""
    with over(f"sqlite:///{tmp_path}/bare.sqlite3"):
        upgrade()
        version = text("SELECT version_num FROM alembic_version")
        with db.engine.connect() as connection:
            newest = connection.scalar(version)
            connection.rollback()  # inside a transaction the PRAGMA means nothing
            driver = connection.connection.dbapi_connection
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("INSERT INTO drafts VALUES (9, 9, 'nota', '', '2026-11-24')")
            driver.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(SystemExit):
            downgrade(revision="-1")
        assert "the migration broke foreign keys: [('drafts'" in caplog.text
        with db.engine.connect() as connection:
            assert connection.scalar(version) == newest
