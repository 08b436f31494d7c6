"""What a command says when the database is away: one sentence, not a trace."""

import functools
import re
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from portal.errors import PortalError

_ABSENT = re.compile(r"no such (?:table|column)|(?:relation|column) .* does not exist")
NO_TABLES = "The database lacks tables or is of another version. Now: flask db upgrade."
AWAY = "The database cannot be read or written; look at DATABASE_URL and at it."


def tell_plainly(group: click.Group) -> None:
    """Let every command below the group end with a sentence and status 1."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            tell_plainly(command)
        elif command.callback:
            command.callback = plain(command.callback)


def plain(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The callback, with a database away turned into what click prints."""
    if getattr(callback, "tells_plainly", False):
        return callback

    @functools.wraps(callback)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(words(error)) from error
        except PortalError as error:
            raise click.ClickException(str(error)) from error

    guarded.tells_plainly = True  # type: ignore[attr-defined]
    return guarded


def words(error: DBAPIError) -> str:
    """What to do, and the driver's own first line, which holds no customer's data.

    Both kinds are of connections, locks and tables: rows are quoted by others.
    """
    said = str(error.orig).partition("\n")[0].strip()
    return f"{NO_TABLES if _ABSENT.search(said) else AWAY} ({said})"
