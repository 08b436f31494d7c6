"""The work that a paid order asks for, and the log of what was done."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime
from portal.support.states import (
    CLOSED,
    ENTRY_KINDS,
    ERRAND_STATES,
    HELD,
    OUTCOMES,
    RUNNING,
    STATES,
)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_IS_MISSED = text("promise_missed_at IS NOT NULL")


class Attention(Base):
    """The support session of a paid order, with its 90-minute clock.

    `queued_at` is the place in the queue: the instant of payment, whatever happens
    later. `promise_at` is until when we promised to call, in normal hours.
    """

    __tablename__ = "attentions"
    __table_args__ = (
        CheckConstraint(f"state IN ({_listed(STATES)})", name="state"),
        CheckConstraint(
            "regime_kind IN ('normal', 'special', 'closed')", name="regime_kind"
        ),
        CheckConstraint(
            f"outcome IS NULL OR outcome IN ({_listed(OUTCOMES)})", name="outcome"
        ),
        # I8 as a rule of the schema: who holds it is one person, and somebody.
        CheckConstraint(
            f"state NOT IN ({_listed(tuple(sorted(HELD)))}) "
            "OR technician_id IS NOT NULL",
            name="held",
        ),
        CheckConstraint(
            f"state <> '{RUNNING}' OR (started_at IS NOT NULL AND ends_at IS NOT NULL)",
            name="clock",
        ),
        CheckConstraint(
            f"state <> '{CLOSED}' OR (outcome IS NOT NULL AND closed_at IS NOT NULL)",
            name="closing",
        ),
        CheckConstraint("paused_seconds >= 0", name="paused_seconds"),
        CheckConstraint("calls >= 0", name="calls"),
        Index("ix_attentions_state", "state", "queued_at"),
        # The closed of today are few, and nearly all that there ever were are closed.
        Index("ix_attentions_state_changed", "state", "changed_at"),
        Index("ix_attentions_changed", "changed_at"),
        Index("ix_attentions_queued", "queued_at"),
        Index(
            "ix_attentions_missed",
            "promise_missed_at",
            sqlite_where=_IS_MISSED,
            postgresql_where=_IS_MISSED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(default=1)
    regime_kind: Mapped[str] = mapped_column(String(10))
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    promise_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The opening that the customer chose, when the payment landed out of hours.
    deferred_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    technician_id: Mapped[int | None] = mapped_column(
        ForeignKey("staff.id"), index=True
    )
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contacted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # How often the customer was called, and when last.
    calls: Mapped[int] = mapped_column(default=0)
    called_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The promise that was last found missed: a new promise may be missed again.
    promise_missed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    no_answer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the 90 minutes are over; a pause that ends moves it.
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the pause ends by itself.
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_seconds: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))
    # The last change of state or holder: what it was before, when, and by whom.
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    state_before: Mapped[str | None] = mapped_column(String(12))


class AttentionEntry(Base):
    """One line that the customer reads: what we will do, or what we did."""

    __tablename__ = "attention_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_listed(ENTRY_KINDS)})", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    technician_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class AttentionNote(Base):
    """One internal line. No customer's page, mail or export ever reads this table."""

    __tablename__ = "attention_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    technician_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class AttentionPause(Base):
    """One pause of the clock: why, by whom, from when to when (planned, then real)."""

    __tablename__ = "attention_pauses"
    __table_args__ = (CheckConstraint("until_at >= from_at", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), index=True)
    reason: Mapped[str] = mapped_column(String(120))
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime] = mapped_column(UtcDateTime)
    technician_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class Draft(Base):
    """What a technician has typed on a card and not sent: theirs, on any screen."""

    __tablename__ = "drafts"

    attention_id: Mapped[int] = mapped_column(
        ForeignKey("attentions.id"), primary_key=True
    )
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    act: Mapped[str] = mapped_column(String(12), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Errand(Base):
    """The work to coordinate for a paid service that has no clock."""

    __tablename__ = "errands"
    __table_args__ = (
        CheckConstraint(f"state IN ({_listed(ERRAND_STATES)})", name="state"),
        Index("ix_errands_changed", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    scheduled_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
