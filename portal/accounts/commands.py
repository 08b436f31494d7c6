"""`flask user`: accounts of the staff, from the server."""

import sys

import click
from flask.cli import AppGroup

from portal import clock
from portal.accounts import queries, service
from portal.accounts.rules import ROLES, check_chosen
from portal.db import reading
from portal.errors import RefusedError
from portal.journal.service import SYSTEM

user = AppGroup("user", help="Accounts of the staff.")
_from_standard_input = click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    help="Read the password from standard input, where no list of processes shows it.",
)


def _typed_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


@user.command("add")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--email", required=True)
@click.option("--name", required=True)
@_from_standard_input
def add(role: str, email: str, name: str, password_stdin: bool) -> None:
    """Open an account; the password is the first line of standard input."""
    password, now = _typed_password(), clock.utcnow()
    try:
        check_chosen(password, email, name)
        staff = service.add_user(email, name, role, password, now=now)
    except (RefusedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Account {staff.id} added: {role}.")


@user.command("password")
@click.option("--email", required=True)
@_from_standard_input
def password(email: str, password_stdin: bool) -> None:
    """Give an account another password; its devices must log in again.

    For an owner who forgot hers and has nobody who could give her another.
    """
    typed, now = _typed_password(), clock.utcnow()
    with reading() as session:
        staff = queries.find_by_email(session, email.strip().lower())
        about = (staff.id, staff.email, staff.name) if staff else None
    if about is None:
        raise click.ClickException("No hay una cuenta con ese correo.")
    try:
        check_chosen(typed, *about[1:])
        service.set_password(about[0], typed, actor=SYSTEM, now=now)
    except (RefusedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Account {about[0]} has another password.")
