"""Changing the owner's values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import StaleStateError
from portal.journal.service import Actor, record
from portal.settings.models import Setting
from portal.settings.queries import REVISION, load, version_of
from portal.settings.rules import NAMES, BusinessSettings


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


def _differs(business: BusinessSettings, name: str, value: Any) -> bool:
    if name not in NAMES:
        raise ValueError(f"no such setting: {name}")
    return bool(
        getattr(business, name) != (tuple(value) if isinstance(value, list) else value)
    )


def write_all(
    session: Session,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> list[str]:
    """Set in the caller's transaction those that differ; their names.

    `version` is what `queries.version_of` said of these names when they were read.
    Raises StaleStateError when somebody has changed one of them since.
    """
    session.get(Setting, REVISION, with_for_update=True)  # one writer at a time
    if version is not None and version != version_of(session, values):
        raise StaleStateError("Otra persona cambió estos datos entre tanto.")
    business = load(session)
    changed = [name for name in values if _differs(business, name, values[name])]
    for name in changed:
        write(session, name, values[name], actor=actor, now=now)
    return changed


def change(
    values: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> list[str]:
    """Set several values in one transaction of their own, as `write_all` says."""
    with transaction() as session:
        return write_all(session, values, actor=actor, now=now, version=version)
