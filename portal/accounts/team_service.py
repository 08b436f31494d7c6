"""The owner looks after the staff: adding, renaming, disabling, new passwords."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import queries, service
from portal.accounts.models import Staff
from portal.accounts.rules import OWNER, check_name
from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.service import Actor, record

# Without letters and digits that are taken for one another when read aloud.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """A fresh password of 16 characters in four groups, to be read aloud once."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def add(email: str, name: str, role: str, *, actor: Actor, now: datetime) -> str:
    """Open an account; its password, which nobody can read again.

    Raises RefusedError, in Spanish, for anything malformed.
    """
    password = new_password()
    service.add_user(email, name, role, password, now=now, actor=actor)
    return password


def reset(staff_id: int, *, actor: Actor, now: datetime) -> str:
    """Give an account a new password and end its sessions; the password.

    Raises NotFoundError.
    """
    password = new_password()
    service.set_password(staff_id, password, actor=actor, now=now)
    return password


def rename(staff_id: int, name: str, *, actor: Actor, now: datetime) -> None:
    """Change a name; what is signed with it shows the new one. Raises RefusedError."""
    try:
        name = check_name(name)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    with transaction() as session:
        staff = queries.get(session, staff_id)
        if staff.name != name:
            staff.name = name
            _record(session, "staff.renamed", staff_id, actor, now)


def disable(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Close an account: its sessions die at once.

    Raises RefusedError for the last owner's, and for one's own.
    """
    if actor.id == staff_id:
        raise RefusedError("No puede desactivar su propia cuenta.")
    with transaction() as session:
        staff = queries.get(session, staff_id)
        owners = _owners(session)
        if staff.active and staff.role == OWNER and owners == 1:
            raise RefusedError("Es la única cuenta de dueña: no se puede desactivar.")
        service.disable_in(session, staff_id, actor=actor, now=now)


def enable(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Open a closed account again, with its old password. Raises NotFoundError."""
    with transaction() as session:
        staff = queries.get(session, staff_id)
        if not staff.active:
            staff.active = True
            _record(session, "staff.enabled", staff_id, actor, now)


def _owners(session: Session) -> int:
    """How many owners can log in, their rows locked: two may not disable each other."""
    active = select(Staff).where(Staff.role == OWNER, Staff.active)
    return len(session.scalars(active.with_for_update()).all())


def _record(
    session: Session, action: str, staff_id: int, actor: Actor, now: datetime
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="staff",
        object_id=staff_id,
    )
