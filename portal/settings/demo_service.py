"""Filling in the demo's business."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.journal.service import SYSTEM
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.models import Setting
from portal.settings.service import write


def fill_missing(session: Session, now: datetime) -> int:
    """Write what nobody set, in the caller's transaction; how many values."""
    present = set(session.scalars(select(Setting.name)))
    missing = [name for name in DEMO_VALUES if name not in present]
    for name in missing:
        write(session, name, DEMO_VALUES[name], actor=SYSTEM, now=now)
    return len(missing)
