"""The staff and their sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.rules import ROLES
from portal.db import Base, UtcDateTime

_ROLES = ", ".join(f"'{role}'" for role in ROLES)


class Staff(Base):
    """A person who works here: a technician, or the owner."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
        CheckConstraint("email = lower(email)", name="email"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(12))
    password_hash: Mapped[str] = mapped_column(String(255))
    # Opens a turn on a shared screen; none until the owner sets it.
    pin_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StaffSession(Base):
    """One log-in on one device. Its row gone, every copy of its cookie is worthless.

    The cookie holds the key; the row only its SHA-256.
    """

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Screen(Base):
    """A shared board screen. Its device's cookie holds the key; the row its SHA-256.

    `code_hash` is the pairing code's until it is used. A technician's PIN opens a turn,
    which lasts until `turn_until`.
    """

    __tablename__ = "screens"
    __table_args__ = (
        CheckConstraint("(key_hash IS NULL) = (paired_at IS NULL)", name="paired"),
        CheckConstraint("(turn_id IS NULL) = (turn_until IS NULL)", name="turn"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    key_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    paired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    turn_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Wrong PINs since the last right one, and until when none is taken.
    wrong_pins: Mapped[int] = mapped_column(default=0)
    waits_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
