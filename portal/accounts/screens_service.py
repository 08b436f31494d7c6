"""Shared screens: pairing and revoking them, PINs, and the turns they open."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from portal.accounts import queries, screen_queries
from portal.accounts.models import Screen
from portal.accounts.rules import TECHNICIAN, key_hash, new_session_key
from portal.accounts.screen_rules import (
    CODE_LIFE,
    TURN,
    WAIT,
    WRONG_PINS,
    check_pin,
    check_screen_name,
    code_hash,
    new_code,
)
from portal.accounts.service import METHOD
from portal.db import reading, transaction
from portal.errors import RefusedError
from portal.journal.service import SYSTEM, Actor, record
from portal.mail.service import enqueue
from portal.settings.service import bump_revision


class ScreenWaitsError(RefusedError):
    """Too many wrong PINs: this screen takes none until `until` (UTC)."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("Demasiados PIN equivocados: esta pantalla espera un minuto.")


def open_pairing(name: str, *, actor: Actor, now: datetime) -> str:
    """Make a screen that waits for its device; its code, which is told only here.

    Raises RefusedError without a name that will do.
    """
    try:
        name = check_screen_name(name)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    code = new_code()
    with transaction() as session:
        screen = Screen(
            name=name,
            created_at=now,
            code_hash=code_hash(code),
            code_until=now + CODE_LIFE,
        )
        session.add(screen)
        session.flush()
        _record(session, "screen.opened", screen.id, actor, now)
    return code


def pair(typed: str, *, now: datetime) -> str | None:
    """The key of the device that typed a code: None when the code is nobody's.

    A code pairs one device.
    """
    key = new_session_key()
    with transaction() as session:
        screen = screen_queries.find_by_code(session, code_hash(typed), now)
        if screen is None:
            return None
        screen.code_hash = screen.code_until = None
        screen.key_hash, screen.paired_at = key_hash(key), now
        _record(session, "screen.paired", screen.id, SYSTEM, now)
    return key


def revoke(screen_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a screen out: at its next poll it leaves the board."""
    with transaction() as session:
        screen = screen_queries.get(session, screen_id, lock=True)
        if screen.revoked_at is not None:
            return
        screen.revoked_at = now
        screen.code_hash = screen.code_until = None
        screen.turn_id = screen.turn_until = None
        _record(session, "screen.revoked", screen_id, actor, now)


def set_pin(staff_id: int, pin: str, *, actor: Actor, now: datetime) -> None:
    """Set a technician's PIN. Raises RefusedError when it will not do."""
    try:
        hashed = generate_password_hash(check_pin(pin), METHOD)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    with transaction() as session:
        staff = queries.get(session, staff_id)
        if staff.role != TECHNICIAN or not staff.active:
            raise RefusedError("Solo un técnico activo lleva PIN.")
        staff.pin_hash = hashed
        record(
            session,
            at=now,
            actor=actor,
            action="staff.pin_set",
            object_kind="staff",
            object_id=staff_id,
        )
        bump_revision(session, now)


def open_turn(screen_id: int, staff_id: int, pin: str, *, now: datetime) -> bool:
    """Open a technician's turn on a screen; False for a wrong PIN.

    A try is counted before the PIN is read, so tries at once gain nothing. Raises
    ScreenWaitsError while the screen takes no PIN.
    """
    _count_try(screen_id, now)
    with reading() as session:
        staff = queries.find_technician(session, staff_id)
        stored = staff.pin_hash if staff else None
    # Whoever has no PIN costs the same time as who has.
    right = check_password_hash(stored or _decoy(), pin[:20]) and stored is not None
    with transaction() as session:
        screen = screen_queries.get(session, screen_id, lock=True)
        if not right:
            _answer_wrong(session, screen, now)
            return False
        screen.wrong_pins, screen.waits_until = 0, None
        screen.turn_id, screen.turn_until = staff_id, now + TURN
        _record(session, "screen.turn_opened", screen_id, Actor("staff", staff_id), now)
    return True


def _count_try(screen_id: int, now: datetime) -> None:
    with transaction() as session:
        screen = screen_queries.get(session, screen_id, lock=True)
        waits = screen.waits_until
        if waits is None or waits <= now:
            if screen.wrong_pins < WRONG_PINS:
                screen.wrong_pins += 1
                return
            # Tries that never came to an end: a process died, or many came at once.
            waits = _let_wait(session, screen, now)
    raise ScreenWaitsError(waits)


def _answer_wrong(session: Session, screen: Screen, now: datetime) -> None:
    if screen.wrong_pins >= WRONG_PINS:
        _let_wait(session, screen, now)


def _let_wait(session: Session, screen: Screen, now: datetime) -> datetime:
    """The screen waits a minute; the owner sees it in the history and by mail."""
    until = now + WAIT
    screen.wrong_pins, screen.waits_until = 0, until
    screen.turn_id = screen.turn_until = None
    _record(session, "screen.wrong_pins", screen.id, SYSTEM, now)
    enqueue(
        session,
        kind="alert.pins",
        key=f"{screen.id}-{int(now.timestamp())}",
        now=now,
    )
    return until


def keep_turn(screen_id: int, *, now: datetime) -> None:
    """An act was done: the turn lasts from now on."""
    with transaction() as session:
        screen = screen_queries.get(session, screen_id, lock=True)
        if screen.turn_until is not None and screen.turn_until > now:
            screen.turn_until = now + TURN


def end_turn(screen_id: int, *, now: datetime) -> None:
    """The technician leaves the screen."""
    with transaction() as session:
        screen = screen_queries.get(session, screen_id, lock=True)
        if screen.turn_id is None:
            return
        actor = Actor("staff", screen.turn_id)
        screen.turn_id = screen.turn_until = None
        _record(session, "screen.turn_closed", screen_id, actor, now)


@lru_cache(maxsize=1)
def _decoy() -> str:
    return generate_password_hash(new_session_key(), METHOD)


def _record(
    session: Session, action: str, screen_id: int, actor: Actor, now: datetime
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="screen",
        object_id=screen_id,
    )
