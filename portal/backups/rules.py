"""Names of backups, and which of them may go. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime

OBJECT = "backup"
MADE, FAULTY, FAILED = "backup.made", "backup.faulty", "backup.failed"
RESTORED = "backup.restored"
# Stamped in UTC, so that names sort by age.
_NAME = re.compile(r"portal-(\d{8})T\d{6}Z\.(?:sqlite3|pgdump)")


def is_sqlite(database_url: str) -> bool:
    return database_url.startswith("sqlite")


def file_name(now: datetime, database_url: str) -> str:
    """The name of a scheduled backup; `now` is in UTC."""
    kind = "sqlite3" if is_sqlite(database_url) else "pgdump"
    return f"portal-{now:%Y%m%dT%H%M%S}Z.{kind}"


def superfluous(names: Iterable[str], keep: int, days: int) -> list[str]:
    """The names to delete: all but the newest `keep`, and the newest of each of the
    newest `days` days (UTC) that have one. A file with another name is nobody's."""
    ours = sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)
    kept = set(ours[:keep])
    newest_of_day: dict[str, str] = {}
    for name in ours:
        newest_of_day.setdefault(name[7:15], name)
    kept |= set(list(newest_of_day.values())[:days])
    return [name for name in ours if name not in kept]
