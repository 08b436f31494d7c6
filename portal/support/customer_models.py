"""What comes in after the payment: the customer's words, and the errand's log."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime
from portal.support.errand_rules import ERRAND_ENTRY_KINDS
from portal.support.rating_rules import MAX_STARS, MIN_STARS

_KINDS = ", ".join(f"'{kind}'" for kind in ERRAND_ENTRY_KINDS)
_IS_HELD = text("remote_code IS NOT NULL")


class AttentionMessage(Base):
    """One message of the customer to whoever attends; only page and card show it."""

    __tablename__ = "attention_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RemoteCode(Base):
    """The code that opens the customer's computer, sealed; NULL once it is wiped.

    `consented_at` is when the customer agreed to the connection.
    """

    __tablename__ = "remote_codes"
    __table_args__ = (
        # The worker looks for these every two seconds.
        Index(
            "ix_remote_codes_held",
            "attention_id",
            sqlite_where=_IS_HELD,
            postgresql_where=_IS_HELD,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), unique=True)
    remote_code: Mapped[str | None] = mapped_column(String(400))
    times: Mapped[int] = mapped_column(default=1)
    consented_at: Mapped[datetime] = mapped_column(UtcDateTime)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    wiped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Rating(Base):
    """What the customer thought of one closed attention, said once."""

    __tablename__ = "ratings"
    __table_args__ = (
        CheckConstraint(f"stars BETWEEN {MIN_STARS} AND {MAX_STARS}", name="stars"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attention_id: Mapped[int] = mapped_column(ForeignKey("attentions.id"), unique=True)
    stars: Mapped[int]
    comment: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ErrandEntry(Base):
    """One act on an errand: who set a date, did it or cancelled it, with which words.

    The customer reads what was agreed and what was done; why it was cancelled, too.
    """

    __tablename__ = "errand_entries"
    __table_args__ = (CheckConstraint(f"kind IN ({_KINDS})", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    errand_id: Mapped[int] = mapped_column(ForeignKey("errands.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text, default="")
    scheduled_for: Mapped[datetime | None] = mapped_column(UtcDateTime)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
