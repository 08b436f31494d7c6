"""Reading how the machine is: the last word about each thing, and the things."""

import shutil

from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from portal.audit.watch_rules import NUMBERS, TROUBLE, Finding
from portal.config import Settings
from portal.db import is_busy
from portal.journal.models import JournalEntry

WATCH = "watch"


def last_findings(session: Session) -> dict[str, Finding]:
    """The last word about each thing that was ever looked at."""
    newest = (
        select(func.max(JournalEntry.id))
        .where(JournalEntry.object_kind == WATCH)
        .group_by(JournalEntry.object_id)
    )
    rows = session.scalars(select(JournalEntry).where(JournalEntry.id.in_(newest)))
    kinds = {number: kind for kind, number in NUMBERS.items()}
    found = {}
    for row in rows:
        words = str(row.data.get("words", "")) if row.to_state == TROUBLE else ""
        kind = kinds[row.object_id]
        found[kind] = Finding(kind, words, row.at)
    return found


def free_bytes(settings: Settings) -> int:
    """The room on the disk of the portal's data."""
    folder = settings.state_dir
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def damage(session: Session) -> str:
    """Empty when SQLite finds its file whole; another database answers for itself."""
    if session.get_bind().dialect.name != "sqlite":
        return ""
    words = "SQLite encontró dañado el archivo de la base de datos."
    try:
        told = session.execute(text("PRAGMA quick_check(1)")).scalar()
    except DatabaseError as error:
        if is_busy(error):
            raise
        return words
    return "" if told == "ok" else words
