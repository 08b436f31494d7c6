"""Accounts of the staff: opening and closing them, logging in and out."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from portal.accounts import queries
from portal.accounts.models import Staff, StaffSession
from portal.accounts.rules import (
    ROLES,
    SESSION_LIFE,
    check_chosen,
    check_email,
    check_name,
    check_password,
    key_hash,
    new_session_key,
    normal_email,
    normal_password,
)
from portal.db import reading, transaction
from portal.errors import RefusedError
from portal.journal.service import SYSTEM, Actor, record
from portal.mail.service import enqueue
from portal.settings.queries import load as load_business

# 32 MiB and three passes: the OWASP minimum for scrypt of this memory.
METHOD = "scrypt:32768:8:3"


def add_user(
    email: str,
    name: str,
    role: str,
    password: str,
    *,
    now: datetime,
    actor: Actor = SYSTEM,
) -> Staff:
    """Open an account. Raises RefusedError, in Spanish, for anything malformed."""
    try:
        email, name = check_email(email), check_name(name)
        hashed = _hash(check_password(password))
    except ValueError as error:
        raise RefusedError(str(error)) from error
    if role not in ROLES:
        raise RefusedError("El rol es owner o technician.")
    with transaction() as session:
        if queries.find_by_email(session, email):
            raise RefusedError("Ya hay una cuenta con ese correo.")
        staff = Staff(
            email=email, name=name, role=role, password_hash=hashed, created_at=now
        )
        session.add(staff)
        session.flush()
        _record(session, "staff.added", staff.id, actor, now, role=role)
        return staff


def disable(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Close an account; whoever is logged in with it is out at the next request."""
    with transaction() as session:
        disable_in(session, staff_id, actor=actor, now=now)


def disable_in(session: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """`disable` in the caller's transaction."""
    staff = queries.get(session, staff_id)
    if not staff.active:
        return
    staff.active = False
    _end_sessions(session, staff_id)
    _record(session, "staff.disabled", staff_id, actor, now)


def set_password(staff_id: int, password: str, *, actor: Actor, now: datetime) -> None:
    """Change a password and end every session of the account.

    Raises RefusedError when the password will not do.
    """
    try:
        hashed = _hash(check_password(password))
    except ValueError as error:
        raise RefusedError(str(error)) from error
    with transaction() as session:
        queries.get(session, staff_id).password_hash = hashed
        _end_sessions(session, staff_id)
        _record(session, "staff.password_changed", staff_id, actor, now)


class WrongPasswordError(RefusedError):
    """The present password was not the one that was typed."""

    def __init__(self) -> None:
        super().__init__("Esa no es su contraseña actual.")


def change_own_password(staff_id: int, present: str, new: str, *, now: datetime) -> str:
    """Change one's own password; the key of the only session that is left.

    The person is told by mail. Raises WrongPasswordError, or RefusedError when the new
    one will not do.
    """
    with reading() as session:
        staff = queries.get(session, staff_id)
        stored, about = staff.password_hash, (staff.email, staff.name)
        business = load_business(session).business_name
    if not check_password_hash(stored, normal_password(present)):
        raise WrongPasswordError
    try:
        fresh = check_chosen(new, *about, business)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    if fresh == normal_password(present):
        raise RefusedError("La contraseña nueva es igual a la actual.")
    hashed = _hash(fresh)
    with transaction() as session:
        staff = queries.get(session, staff_id, lock=True)
        # Another device, or the owner, was faster: what was checked is worth nothing.
        if not staff.active or staff.password_hash != stored:
            raise WrongPasswordError
        staff.password_hash = hashed
        _end_sessions(session, staff_id)
        key = _add_session(session, staff_id, now)
        actor = Actor("staff", staff_id)
        _record(session, "staff.password_changed", staff_id, actor, now)
        enqueue(session, kind="staff.password", key=_told(staff_id, now), now=now)
    return key


def _told(staff_id: int, now: datetime) -> str:
    return f"{staff_id}-{int(now.timestamp() * 1000)}"


def log_in(email: str, password: str, *, now: datetime) -> str | None:
    """The key of a new session, or None: unknown, disabled and wrong look the same."""
    password = normal_password(password)
    with reading() as session:
        staff = queries.find_by_email(session, normal_email(email))
        known = (staff.id, staff.password_hash) if staff and staff.active else None
    # An unknown address costs the same time as a known one.
    stored = known[1] if known else _decoy()
    if not check_password_hash(stored, password) or known is None:
        return None
    fresh = None if stored.startswith(f"{METHOD}$") else _hash(password)
    return _open_session(*known, fresh, now)


def _open_session(
    staff_id: int, checked_hash: str, fresh_hash: str | None, now: datetime
) -> str | None:
    with transaction() as session:
        staff = queries.get(session, staff_id)
        if not staff.active or staff.password_hash != checked_hash:
            return None
        if fresh_hash:
            staff.password_hash = fresh_hash
        session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))
        key = _add_session(session, staff_id, now)
        _record(session, "staff.logged_in", staff_id, Actor("staff", staff_id), now)
    return key


def _add_session(session: Session, staff_id: int, now: datetime) -> str:
    key = new_session_key()
    session.add(
        StaffSession(
            staff_id=staff_id,
            key_hash=key_hash(key),
            created_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    return key


def log_out(key: str, *, now: datetime) -> None:
    """End one session: every copy of its cookie is worthless from now on."""
    with transaction() as session:
        person = queries.find_logged_in(session, key_hash(key), now)
        session.execute(
            delete(StaffSession).where(StaffSession.key_hash == key_hash(key))
        )
        if person:
            actor = Actor("staff", person.id)
            _record(session, "staff.logged_out", person.id, actor, now)


def _end_sessions(session: Session, staff_id: int) -> None:
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def _hash(password: str) -> str:
    return generate_password_hash(password, METHOD)


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hash(new_session_key())


def _record(
    session: Session,
    action: str,
    staff_id: int,
    actor: Actor,
    now: datetime,
    **data: str,
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="staff",
        object_id=staff_id,
        data=data,
    )
