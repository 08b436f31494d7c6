"""The `flask` commands: one group a noun, each in a section of its own."""

import json
import signal
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from threading import Event
from types import FrameType

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo, with_appcontext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from portal import clock, logs, watchdog
from portal.accounts import queries as accounts_queries
from portal.accounts import screens_service
from portal.accounts import service as accounts_service
from portal.accounts.commands import user
from portal.accounts.rules import TECHNICIAN
from portal.audit import check_queries, check_rules, check_service
from portal.audit.ledger_queries import read_ledger
from portal.audit.queries import broken_invariants
from portal.backups import commands as backups_commands
from portal.catalog import service as catalog_service
from portal.command_errors import tell_plainly
from portal.db import db, transaction
from portal.errors import PortalError
from portal.hours.models import WeeklyWindow
from portal.hours.queries import DEFAULT_CALENDAR, load_calendar
from portal.hours.rules import CLOSED, Calendar, Regime, regime_at
from portal.journal.service import SYSTEM
from portal.payments import notifications as payment_notifications
from portal.payments import reconcile as payment_reconcile
from portal.payments import refunds as payment_refunds
from portal.privacy import commands as privacy_commands
from portal.privacy import notice_service
from portal.reports.commands import demo_month, report
from portal.reports.rules import parse_month
from portal.settings import demo_service
from portal.terms import service as terms_service
from portal.web import settings_of
from portal.worker import service as worker_service
from portal.worker.rules import Job

# --- flask hours -----------------------------------------------------------------

hours = AppGroup("hours", help="When the help desk is open.")

# The library knows Chile's holidays up to 2100, and a search looks a year ahead.
FIRST_YEAR, LAST_YEAR = 1970, 2098
_KIND_WORDS = {"normal": "normal", "special": "especial", "closed": "cerrado"}


def _parse_instant(text: str) -> datetime:
    """Raises UsageError (exit 2) unless the text is an instant with its offset."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text!a} is not an ISO instant.") from error
    if not text.isprintable():  # Python 3.11 reads over a NUL at the end
        raise click.UsageError(f"{text!a} is not an ISO instant.")
    if instant.tzinfo is None:
        raise click.UsageError(f"{text!a} needs an offset, like -03:00 or Z.")
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise click.UsageError(
            f"{text!a} is outside the years {FIRST_YEAR} to {LAST_YEAR}."
        )
    return instant


def _lines_of_standard_input() -> list[str]:
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("the standard input is not UTF-8.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _instants(arguments: Iterable[str]) -> list[datetime]:
    """All of them, read before anything is printed; `-` stands for standard input."""
    texts: list[str] = []
    for argument in arguments:
        texts += _lines_of_standard_input() if argument == "-" else [argument]
    return [_parse_instant(text) for text in texts]


def _calendar() -> Calendar:
    session = db.session()
    try:
        if inspect(session.connection()).has_table(WeeklyWindow.__tablename__):
            return load_calendar(session)
    except DBAPIError as error:
        raise click.ClickException("the database cannot be read.") from error
    click.echo("The database has no tables yet: default hours.", err=True)
    return DEFAULT_CALENDAR


def _local_iso(instant: datetime | None) -> str | None:
    return clock.local(instant).isoformat() if instant else None


def _as_json(regime: Regime) -> str:
    answer = {
        "kind": regime.kind,
        "closes_at": _local_iso(regime.closes_at),
        "next_opening": _local_iso(regime.next_opening),
        "reason": regime.reason,
    }
    return json.dumps(answer, ensure_ascii=False)


def _as_row(instant: datetime, regime: Regime) -> str:
    edge = regime.closes_at or regime.next_opening
    word = "abre" if regime.kind == CLOSED else "hasta"
    shown = f"{word} {clock.local(edge):%d-%m-%Y %H:%M}" if edge else "sin apertura"
    return (
        f"{clock.local(instant):%d-%m-%Y %H:%M:%S}  {_KIND_WORDS[regime.kind]:<8}  "
        f"{shown:<22}  {regime.reason}"
    )


@hours.command("at")
@click.argument("instants", nargs=-1, required=True, metavar="INSTANT...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def hours_at(instants: tuple[str, ...], as_json: bool) -> None:
    """Say which regime holds at each ISO INSTANT; `-` reads standard input."""
    wanted = _instants(instants)
    calendar = _calendar()
    lines = (
        []
        if as_json
        else ["Hora de Santiago     Horario   Cambia                  Motivo"]
    )
    for instant in wanted:
        regime = regime_at(calendar, instant)
        lines.append(_as_json(regime) if as_json else _as_row(instant, regime))
    if lines:
        click.echo("\n".join(lines))


# --- flask setup -----------------------------------------------------------------


@click.command("setup")
@with_appcontext
def setup() -> None:
    """Add the services, topics and terms that are missing; change nothing else."""
    number = terms_service.set_up(clock.utcnow())
    notice_service.publish(clock.utcnow())
    click.echo(f"Services, topics and terms are in place: version {number}.")


# --- flask worker ----------------------------------------------------------------


@click.command("worker")
@click.pass_obj
def worker(info: ScriptInfo) -> None:
    """Do the periodic work until SIGTERM or Ctrl-C; what has begun is finished."""
    app = info.load_app()
    logs.to_json(settings_of(app))
    stop = Event()

    def stop_soon(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_soon)
    settings = settings_of(app)
    jobs = worker_service.make_jobs(
        settings,
        app.extensions["mail_renderers"],
        app.extensions["portal_gateways"],
    )
    jobs += tuple(Job(*each) for each in privacy_commands.jobs(settings))
    listener = watchdog.start_child(watchdog.SILENCE_SECONDS)
    click.echo("The worker has started.")
    worker_service.work_in_lanes(
        jobs, stop, app.app_context, lambda: watchdog.give_sign(listener)
    )
    click.echo("The worker has stopped.")


# --- flask demo ------------------------------------------------------------------

demo = AppGroup("demo", help="The demonstration's data; refused in production.")

DEMO_PASSWORD = "demo-portal"  # noqa: S105 (shown on the demo's own panel)
DEMO_PIN = "2580"
DEMO_STAFF = (
    ("owner", "duena@demo.cl", "Elena Demo"),
    ("technician", "tecnico1@demo.cl", "Ana Demo"),
    ("technician", "tecnico2@demo.cl", "Beto Demo"),
    ("technician", "tecnico3@demo.cl", "Carla Demo"),
)


@demo.command("seed")
def demo_seed() -> None:
    """Fill in the demo's business, catalogue, terms and accounts where they miss."""
    if not settings_of(current_app).is_demo:
        raise click.ClickException("demo seed is refused in production.")
    now = clock.utcnow()
    with transaction() as session:
        demo_service.fill_missing(session, now)
        catalog_service.ensure_defaults(session, now)
        # The next version only when the text that they give is another.
        terms_service.publish_in(session, actor=SYSTEM, now=now)
    notice_service.publish(now)
    known = {email for _role, email, _name in DEMO_STAFF if _has_account(email)}
    for role, email, name in DEMO_STAFF:
        if email not in known:
            staff = accounts_service.add_user(email, name, role, DEMO_PASSWORD, now=now)
            if role == TECHNICIAN:
                screens_service.set_pin(staff.id, DEMO_PIN, actor=SYSTEM, now=now)
    click.echo(f"The demo is ready ({len(DEMO_STAFF) - len(known)} accounts added).")


def _has_account(email: str) -> bool:
    return accounts_queries.find_by_email(db.session(), email) is not None


# --- flask reconcile, flask verify -----------------------------------------------


@click.command("reconcile")
@with_appcontext
def reconcile() -> None:
    """Ask the gateways about every open attempt, now, whatever the pauses."""
    gateways = current_app.extensions["portal_gateways"]
    now = clock.utcnow()
    read = payment_notifications.process_due(gateways, now=now)
    found = payment_reconcile.reconcile_due(
        gateways, now=now, everything=True, limit=10_000
    )
    followed = payment_refunds.follow_due(gateways, now=now, limit=10_000)
    expired = payment_reconcile.expire_due(now=now)
    click.echo(
        f"notifications read {read}, refunds looked at {followed}, "
        f"orders expired {expired}"
    )
    for line in found.lines():
        click.echo(line)


_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("verify")
@click.option("--month", metavar="YYYY-MM", help="The ledger of that month alone.")
@with_appcontext
def verify(month: str | None) -> None:
    """Check the invariants over the whole database; exit 1 if any is broken.

    Then print the ledger: every peso that came and went.
    """
    try:
        wanted = parse_month(month, clock.utcnow()) if month else None
    except PortalError as error:
        raise click.UsageError(str(error)) from error
    broken = broken_invariants(db.session())
    for fault in broken:
        click.echo(fault.line())
    if broken:
        sys.exit(1)
    click.echo("Every invariant holds.")
    since, until = _FIRST, clock.utcnow() + timedelta(days=1)
    if wanted:
        since, until = wanted.begins, wanted.ends
    ledger = read_ledger(db.session(), since, until)
    click.echo(
        f"Ledger in pesos: in {ledger.came} (orders {ledger.income}, out of place "
        f"{ledger.out_of_place}), out {ledger.went} (given back {ledger.given_back}, "
        f"charged back {ledger.taken_back})."
    )


# --- flask check -----------------------------------------------------------------


@click.command("check")
@click.option(
    "--ask", is_flag=True, help="First ask the gateways whether they know us."
)
@with_appcontext
def check(ask: bool) -> None:
    """Say what is missing before real money may flow; exit 1 if anything is."""
    settings = settings_of(current_app)
    if ask:
        gateways = current_app.extensions["portal_gateways"]
        check_service.try_gateways(gateways, settings, actor=SYSTEM, now=clock.utcnow())
    facts = check_queries.gather(db.session(), settings, clock.utcnow())
    found = check_rules.items(facts)
    for item in found:
        click.echo(f"  bien   {item.title}" if item.ok else f"  FALTA  {item.title}")
        if not item.ok:
            click.echo(f"         {item.mend}")
    missing = sum(not item.ok for item in found)
    click.echo(f"Faltan {missing} de {len(found)}.")
    if missing:
        sys.exit(1)


# --- registration ----------------------------------------------------------------


def register(app: Flask, make_app: backups_commands.Factory) -> None:
    """Hang every group of commands on the application, which `make_app` builds."""
    app.cli.add_command(hours)
    app.cli.add_command(user)
    app.cli.add_command(setup)
    app.cli.add_command(worker)
    demo.add_command(demo_month)
    app.cli.add_command(demo)
    app.cli.add_command(report)
    app.cli.add_command(reconcile)
    app.cli.add_command(verify)
    app.cli.add_command(check)
    app.cli.add_command(backups_commands.backup)
    app.cli.add_command(backups_commands.restore)
    app.cli.add_command(backups_commands.copy_to_command(make_app))
    app.cli.add_command(privacy_commands.retention)
    tell_plainly(app.cli)
