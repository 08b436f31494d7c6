"""Changing the owner's values."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.journal.service import Actor, record
from portal.settings.models import Setting
from portal.settings.queries import REVISION
from portal.settings.rules import NAMES


def bump_revision(session: Session, now: datetime) -> None:
    """Tell the live screens that something the owner edits has changed."""
    row = session.get(Setting, REVISION, with_for_update=True)
    if row is None:
        session.add(Setting(name=REVISION, value=1, updated_at=now))
        session.flush()
        return
    row.value = int(row.value) + 1
    row.updated_at = now


def write(
    session: Session, name: str, value: Any, *, actor: Actor, now: datetime
) -> None:
    """Set one value in the caller's transaction, with its line of history."""
    if name not in NAMES:
        raise ValueError(f"no such setting: {name}")
    value = list(value) if isinstance(value, tuple) else value
    row = session.get(Setting, name)
    before = row.value if row else None
    if row is None:
        session.add(Setting(name=name, value=value, updated_at=now))
    else:
        row.value, row.version, row.updated_at = value, row.version + 1, now
    record(
        session,
        at=now,
        actor=actor,
        action="setting.changed",
        object_kind="setting",
        object_id=0,
        data={"name": name, "before": before, "after": value},
    )
    bump_revision(session, now)


def change(values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Set several values in one transaction of their own."""
    with transaction() as session:
        for name, value in values.items():
            write(session, name, value, actor=actor, now=now)
