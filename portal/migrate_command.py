"""Flask-Migrate, made when it is first asked for: by `flask db` or by `upgrade()`.

Alembic and what it brings are an eighth of a start, and no page needs them.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import click
from flask import Flask

from portal.command_errors import tell_plainly
from portal.config import ROOT
from portal.db import db


class _Migrate:
    """Stands where Flask-Migrate keeps its configuration, and makes it."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _made(self) -> Any:
        from flask_migrate import Migrate

        # The first `flask db upgrade` finds no folder for SQLite's file; what lies in
        # it is nobody else's to read.
        folder: Path = self._app.extensions["portal_settings"].state_dir
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        Migrate(self._app, db, directory=str(ROOT / "migrations"))
        return self._app.extensions["migrate"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


class _Database(click.Command):
    """Stands where `flask db` is, and gives way to Flask-Migrate's own group."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        from flask_migrate.cli import db as group

        tell_plainly(group)
        made: click.Context = group.make_context(info_name, args, parent, **extra)
        return made


def init_app(app: Flask) -> None:
    """Hang `flask db` and what its commands ask for on the application."""
    app.extensions["migrate"] = _Migrate(app)
    app.cli.add_command(_Database("db", short_help="Perform database migrations."))
