"""How Alembic meets the portal's database: one transaction, and only one at a time."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine

from portal.db import UtcDateTime, db

# Any constant of ours: hosts that start together migrate one after the other.
POSTGRES_LOCK = 5_270_418


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    """A migration stands alone: it names SQL types, never a class of the portal."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def drop_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no file when the models and the database agree already."""
    asked = getattr(context.config.cmd_opts, "autogenerate", False)
    if asked and directives[0].upgrade_ops.is_empty():
        directives[:] = []
        context.config.print_stdout("No changes in the schema.")


def options() -> dict[str, Any]:
    return {
        **current_app.extensions["migrate"].configure_args,
        "target_metadata": db.metadata,
        "render_item": render_item,
        "compare_type": True,
        # SQLite cannot alter a constraint: the table is rebuilt instead.
        "render_as_batch": True,
        # A migration that fails half-way leaves nothing behind, on SQLite too.
        "transactional_ddl": True,
        "process_revision_directives": drop_empty,
    }


def set_foreign_keys(connection: Connection, on: bool) -> None:
    """Rebuilding a table drops it for a moment, which no foreign key must notice.

    The PRAGMA means nothing inside a transaction, so it goes to the driver directly.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA foreign_keys = {int(on)}")


def check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration broke foreign keys: {broken[:5]}")


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, **options())
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
        context.run_migrations()
        check_foreign_keys(connection)


def run_online(engine: Engine) -> None:
    immediate = engine.execution_options(sqlite_begin_immediate=True)
    with immediate.connect() as connection:
        set_foreign_keys(connection, on=False)
        try:
            migrate(connection)
        finally:
            connection.rollback()
            set_foreign_keys(connection, on=True)


def run_offline(engine: Engine) -> None:
    context.configure(url=engine.url, literal_binds=True, **options())
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline(db.engine)
else:
    run_online(db.engine)
