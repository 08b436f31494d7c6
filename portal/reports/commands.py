"""`flask report` and `flask demo month`."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import clock
from portal.db import db
from portal.errors import PortalError
from portal.money import format_pesos
from portal.reports.demo_service import add_demo_month
from portal.reports.queries import read_month
from portal.reports.rules import parse_month
from portal.reports.summary_rules import as_dict, summary_lines

_WIDTH = 36


@click.command("report")
@click.argument("month", metavar="YYYY-MM")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
@with_appcontext
def report(month: str, as_json: bool) -> None:
    """Print the figures of a month of Santiago; amounts are pesos."""
    now = clock.utcnow()
    try:
        wanted = parse_month(month, now)
    except PortalError as error:
        raise click.UsageError(str(error)) from error
    figures = read_month(db.session(), wanted, now)
    if as_json:
        click.echo(json.dumps(as_dict(figures), ensure_ascii=False, indent=2))
        return
    click.echo(wanted.title.capitalize())
    for label, number in summary_lines(figures):
        click.echo(f"  {label:<{_WIDTH}}{format_pesos(number)[1:]:>14}")


@click.command("month")
@with_appcontext
def demo_month() -> None:
    """Fill the two months before this one with invented orders."""
    settings = current_app.extensions["portal_settings"]
    if not settings.is_demo:
        raise click.ClickException("demo month is refused in production.")
    try:
        added = add_demo_month(key=settings.secret_keys[0], now=clock.utcnow())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{added} orders added: flask report or /informes shows them.")
