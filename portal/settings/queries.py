"""Reading the owner's values."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.settings.models import Setting
from portal.settings.rules import NAMES, BusinessSettings

REVISION = "revision"
# Built once: every page asks it.
_ALL = select(Setting.name, Setting.value)


def load(session: Session) -> BusinessSettings:
    """The owner's values as they stand, defaults where nothing was set."""
    rows = session.execute(_ALL).all()
    values: dict[str, Any] = {
        row.name: tuple(row.value) if isinstance(row.value, list) else row.value
        for row in rows
        if row.name in NAMES
    }
    return BusinessSettings(**values)


def revision(session: Session) -> int:
    """A number that grows with every change of a value, a window or an override."""
    value = session.scalar(select(Setting.value).where(Setting.name == REVISION))
    return int(value or 0)


def version_of(session: Session, names: Iterable[str]) -> int:
    """A number that grows with every change of one of these values."""
    versions = select(func.sum(Setting.version)).where(Setting.name.in_(list(names)))
    return int(session.scalar(versions) or 0)
