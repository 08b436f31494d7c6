"""`flask retention`, and what the worker does over personal data."""

from collections.abc import Callable
from datetime import datetime, time

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import clock
from portal.config import Settings
from portal.privacy import notice_service, requests_service, retention_service

DAY_SECONDS = 24 * 60 * 60
# Santiago: after the backup and the check of the night, which still see what goes.
LET_GO_AT = time(4, 40)


Work = tuple[str, float, Callable[[datetime], object], str, bool, time | None]


def jobs(settings: Settings) -> tuple[Work, ...]:
    """Name, pause in seconds, what runs, lane, whether one worker does it for all.

    The last is the hour of Santiago at which it is done each day, if it is.
    """

    def let_go(now: datetime) -> None:
        retention_service.run(settings.secret_keys, now=now)

    look = requests_service.alert_due
    return (
        ("publish the notice", 60, notice_service.publish, "desk", True, None),
        ("watch the terms of requests", 600, look, "desk", True, None),
        ("let go of what is old", DAY_SECONDS, let_go, "audit", True, LET_GO_AT),
    )


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only say how many would go.")
@with_appcontext
def retention(dry_run: bool) -> None:
    """Delete or blank what is past its term; the worker does it once a day."""
    now = clock.utcnow()
    if dry_run:
        counts = retention_service.what_is_due(now)
    else:
        settings = current_app.extensions["portal_settings"]
        counts = retention_service.run(settings.secret_keys, now=now)
    for name, count in counts.items():
        click.echo(f"  {name:<28}{count:>8}")
    done = "would go" if dry_run else "gone"
    click.echo(f"{sum(counts.values())} {done}.")
