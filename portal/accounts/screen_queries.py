"""Reading shared screens: one query, for it happens with every poll."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, select
from sqlalchemy.orm import Session

from portal.accounts.models import Screen, Staff
from portal.accounts.rules import TECHNICIAN, Person
from portal.accounts.screen_rules import ScreenView
from portal.db import UtcDateTime
from portal.errors import NotFoundError

# Built once: it is asked with every poll.
_SCREENS = (
    select(
        Screen.key_hash,
        Screen.id,
        Screen.name,
        Screen.turn_until,
        Screen.waits_until,
        Staff.id.label("staff_id"),
        Staff.name.label("staff_name"),
        Staff.role,
    )
    .outerjoin(
        Staff,
        and_(
            Staff.id == Screen.turn_id,
            Staff.active,
            Screen.turn_until > bindparam("now", type_=UtcDateTime),
        ),
    )
    .where(Screen.revoked_at.is_(None))
)
_SCREEN = _SCREENS.where(Screen.key_hash == bindparam("key_hash"))
_MANY = _SCREENS.where(Screen.key_hash.in_(bindparam("key_hashes", expanding=True)))


def find_screen(session: Session, key_hash: str, now: datetime) -> ScreenView | None:
    """The paired screen with this key and its turn: None when it was revoked."""
    row = (
        session.connection()
        .execute(_SCREEN, {"key_hash": key_hash, "now": now})
        .first()
    )
    return _view(row, now) if row else None


def find_screens(
    session: Session, key_hashes: Sequence[str], now: datetime
) -> dict[str, ScreenView]:
    """The paired screens with these keys, as `find_screen` finds each."""
    asked = {"key_hashes": key_hashes, "now": now}
    rows = session.connection().execute(_MANY, asked)
    return {row.key_hash: _view(row, now) for row in rows}


def _view(row: Row[*tuple[Any, ...]], now: datetime) -> ScreenView:
    turn = Person(row.staff_id, row.staff_name, row.role) if row.staff_id else None
    waits = row.waits_until if row.waits_until and row.waits_until > now else None
    return ScreenView(row.id, row.name, turn, row.turn_until if turn else None, waits)


def get(session: Session, screen_id: int, *, lock: bool = False) -> Screen:
    """The screen with this id. Raises NotFoundError."""
    statement = select(Screen).where(Screen.id == screen_id)
    found = session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise NotFoundError("No encontramos esa pantalla.")
    return found


def find_by_code(session: Session, code_hash: str, now: datetime) -> Screen | None:
    """The screen that waits for this pairing code, its row locked."""
    return session.scalar(
        select(Screen)
        .where(
            Screen.code_hash == code_hash,
            Screen.code_until > now,
            Screen.revoked_at.is_(None),
        )
        .with_for_update()
    )


def list_screens(session: Session) -> list[Screen]:
    """Every screen that was not revoked, the newest first."""
    living = select(Screen).where(Screen.revoked_at.is_(None))
    return list(session.scalars(living.order_by(Screen.id.desc())))


@dataclass(frozen=True, slots=True)
class Tile:
    """An active technician, and whether a PIN opens a turn."""

    id: int
    name: str
    has_pin: bool


def tiles(session: Session) -> list[Tile]:
    """The active technicians by name."""
    rows = session.execute(
        select(Staff.id, Staff.name, Staff.pin_hash)
        .where(Staff.role == TECHNICIAN, Staff.active)
        .order_by(Staff.name, Staff.id)
    )
    return [Tile(row.id, row.name, row.pin_hash is not None) for row in rows]
