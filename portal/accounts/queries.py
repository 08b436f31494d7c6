"""Reading the staff: Core on plain values, for it happens with every poll."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff, StaffSession
from portal.accounts.rules import TECHNICIAN, Person
from portal.db import UtcDateTime
from portal.errors import NotFoundError

# Built once: it is asked with every poll.
_ALL = (
    select(Staff.id, Staff.name, Staff.role, StaffSession.key_hash)
    .join(StaffSession, StaffSession.staff_id == Staff.id)
    .where(StaffSession.expires_at > bindparam("now", type_=UtcDateTime), Staff.active)
)
_LOGGED_IN = _ALL.where(StaffSession.key_hash == bindparam("key_hash"))
_ALL_LOGGED_IN = _ALL.where(
    StaffSession.key_hash.in_(bindparam("key_hashes", expanding=True))
)


def find_logged_in(session: Session, key_hash: str, now: datetime) -> Person | None:
    """Who holds this session: None when it ended or the account was disabled."""
    row = (
        session.connection()
        .execute(_LOGGED_IN, {"key_hash": key_hash, "now": now})
        .first()
    )
    return Person(row.id, row.name, row.role) if row else None


def people_logged_in(
    session: Session, key_hashes: Sequence[str], now: datetime
) -> dict[str, int]:
    """The ids of those who hold these sessions, as `find_logged_in` finds each."""
    rows = session.connection().execute(
        _ALL_LOGGED_IN, {"key_hashes": key_hashes, "now": now}
    )
    return {row.key_hash: row.id for row in rows}


def technicians(session: Session) -> list[Person]:
    """The active technicians, by name."""
    rows = session.execute(
        select(Staff.id, Staff.name, Staff.role)
        .where(Staff.role == TECHNICIAN, Staff.active)
        .order_by(Staff.name, Staff.id)
    )
    return [Person(row.id, row.name, row.role) for row in rows]


def find_technician(session: Session, staff_id: int) -> Staff | None:
    """The active technician with this id, or None."""
    return session.scalar(
        select(Staff).where(
            Staff.id == staff_id, Staff.role == TECHNICIAN, Staff.active
        )
    )


def find_by_email(session: Session, email: str) -> Staff | None:
    """The account of an address, which is given in lower case."""
    return session.scalar(select(Staff).where(Staff.email == email))


def get(session: Session, staff_id: int, *, lock: bool = False) -> Staff:
    """The member of staff with this id. Raises NotFoundError.

    `lock` holds the row until the transaction ends, read anew.
    """
    staff = session.get(
        Staff, staff_id, with_for_update=lock or None, populate_existing=lock
    )
    if staff is None:
        raise NotFoundError("No encontramos esa cuenta.")
    return staff
