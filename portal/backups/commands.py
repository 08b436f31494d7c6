"""`flask backup`, `flask restore`, `flask copy-to`."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal import clock
from portal.audit.queries import broken_invariants
from portal.backups import service
from portal.backups.files import digest_file
from portal.backups.transfer_service import copy_rows
from portal.config import ROOT, Settings, database_url
from portal.db import db
from portal.errors import PortalError, RefusedError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

Factory = Callable[[Settings], Flask]


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["portal_settings"])


# Alembic is imported by the commands that need it: the server loads this file, too.
def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(ROOT / "migrations"))


def _revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def backup(file: Path) -> None:
    """Write a checked copy of the database to FILE, while the portal sells."""
    try:
        made = service.make(_settings(), file.absolute(), now=clock.utcnow())
    except (PortalError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made.file}: {made.bytes} bytes in {made.seconds:.2f} s, read back.")
    click.echo(f"SHA-256 {made.sha256}")
    for fault in made.faults:
        click.echo(fault)
    if made.faults:
        raise click.ClickException("the copy is whole, but breaks invariants.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", "replacing", is_flag=True, help="Though it holds data.")
@with_appcontext
def restore(file: Path, replacing: bool) -> None:
    """Put a backup in the place of the database, whole or not at all."""
    known = frozenset(script.revision for script in _scripts().walk_revisions())
    db.session.remove()
    db.engine.dispose()
    try:
        kept = service.restore(
            _settings(), file.absolute(), replace=replacing, known=known
        )
    except (PortalError, OSError, DBAPIError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("Restored.")
    if not digest_file(file.absolute()).exists():
        click.echo("No .sha256 lay beside it: only its structure could be checked.")
    if kept:
        click.echo(f"What was there is kept: {kept}")
    _say_state(file)


def _say_state(file: Path) -> None:
    """Whether migrations and invariants are in place; exit 1 when they are not."""
    found = _revision(db.session.connection())
    if found != _scripts().get_current_head():
        raise click.ClickException(
            f"the backup is of migration {found}. Now: flask db upgrade, flask verify."
        )
    broken = broken_invariants(db.session())
    service.tell_restore(file.absolute(), now=clock.utcnow())
    for fault in broken:
        click.echo(fault.line())
    if broken:
        sys.exit(1)
    click.echo("Every invariant holds. The gateways know what is newer than the")
    click.echo("backup: start the worker, or ask them now with flask reconcile.")


def copy_to_command(make_app: Factory) -> click.Command:
    """`flask copy-to`, which builds a second application over the other database."""

    @click.command("copy-to")
    @click.argument("url")
    @with_appcontext
    def copy_to(url: str) -> None:
        """Copy everything into the empty database at URL, with portal stopped."""
        try:
            settings = replace(_settings(), database_url=database_url(url))
            if service.look_at_target(_settings()).in_use:
                raise RefusedError("Stop the portal and its worker first.")
            counts = _copy(make_app(settings))
        except (PortalError, DBAPIError, OSError) as error:
            raise click.ClickException(str(error)) from error
        for name, count in counts.items():
            click.echo(f"{count:>9}  {name}")
        click.echo("Every row arrived as it was, and every invariant holds there.")
        click.echo("Now set DATABASE_URL to it and start.")

    return copy_to


def _copy(other: Flask) -> dict[str, int]:
    """Schema, rows, sequences; one transaction. Raises RefusedError."""
    from flask_migrate import upgrade

    db.session.remove()
    here = db.engine
    with other.app_context():
        upgrade()
        with here.connect() as source, db.engine.begin() as target:
            if _revision(source) != _revision(target):
                raise RefusedError("Bring this database up to date: flask db upgrade.")
            counts = copy_rows(source, target, db.metadata.sorted_tables)
            broken = broken_invariants(Session(target))
            if broken:
                raise RefusedError(broken[0].line())
        db.engine.dispose()
    return counts
