"""The published notices, what people ask about their data, and the breaches."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime, make_append_only
from portal.privacy.rules import RIGHTS
from portal.privacy.states import STATES

_RIGHTS = ", ".join(f"'{right}'" for right in RIGHTS)
_STATES = ", ".join(f"'{state}'" for state in STATES)


class NoticeVersion(Base):
    """One published notice: `body` is the exact text, `sha256` that of its UTF-8."""

    __tablename__ = "notice_versions"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


make_append_only(NoticeVersion)


class PrivacyRequest(Base):
    """What one person asks about their data; the answer is kept as proof.

    The link that proves the address is computed from the seed, as an order's is.
    `due_on` is the last day (Santiago) to answer.
    """

    __tablename__ = "privacy_requests"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"kind IN ({_RIGHTS})", name="kind"),
        CheckConstraint(
            "state NOT IN ('answered', 'refused') OR answered_at IS NOT NULL",
            name="answer",
        ),
        Index("ix_privacy_requests_due", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120), index=True)
    text: Mapped[str] = mapped_column(Text)
    seed: Mapped[str] = mapped_column(String(32))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirm_until: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_on: Mapped[date] = mapped_column(Date)
    extended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    extension_reason: Mapped[str | None] = mapped_column(String(500))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    answer: Mapped[str | None] = mapped_column(Text)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def number(self) -> str:
        """What the person quotes."""
        return f"D-{1000 + self.id}"


class DataBreach(Base):
    """One breach of personal data, as art. 14 sexies of Ley 19.628 has it registered.

    Kept for ever; `version` marks what a page showed. Days are Santiago's.
    """

    __tablename__ = "data_breaches"
    __table_args__ = (CheckConstraint("people >= 0", name="people"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    noticed_on: Mapped[date] = mapped_column(Date)
    occurred: Mapped[str] = mapped_column(String(120))
    cause: Mapped[str] = mapped_column(Text)
    affected: Mapped[str] = mapped_column(Text)
    people: Mapped[int | None] = mapped_column()
    effects: Mapped[str] = mapped_column(Text)
    measures: Mapped[str] = mapped_column(Text)
    agency_on: Mapped[date | None] = mapped_column(Date)
    people_on: Mapped[date | None] = mapped_column(Date)
    untold_reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def is_told(self) -> bool:
        """Whether the Agency was told, or the reason why not stands written."""
        return self.agency_on is not None or bool(self.untold_reason)
