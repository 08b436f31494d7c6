"""The append-only history."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime, make_append_only

_IS_CHARGEBACK = text("object_kind = 'payment' AND to_state = 'charged_back'")

# Acts of the staff that open a customer's data.
VIEW_ACTIONS = ("customer.history_read", "order.seen", "orders.searched", "person.seen")
_listed = ", ".join(f"'{action}'" for action in VIEW_ACTIONS)
# The words of the partial index: a query that repeats them is answered from it.
IS_VIEW = f"actor_kind = 'staff' AND action IN ({_listed})"


class JournalEntry(Base):
    """Who, when, what, from, to, why. Never updated, never with personal data."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("ix_journal_entries_object", "object_kind", "object_id", "id"),
        # The month's report asks for these, a handful among millions of lines.
        Index(
            "ix_journal_entries_chargebacks",
            "to_state",
            "at",
            sqlite_where=_IS_CHARGEBACK,
            postgresql_where=_IS_CHARGEBACK,
        ),
        # Who looked at whose data: the newest, of all that there ever were.
        Index(
            "ix_journal_entries_views",
            "at",
            sqlite_where=text(IS_VIEW),
            postgresql_where=text(IS_VIEW),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None]
    object_kind: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(60))
    from_state: Mapped[str | None] = mapped_column(String(30))
    to_state: Mapped[str | None] = mapped_column(String(30))
    reason: Mapped[str | None] = mapped_column(String(500))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


make_append_only(JournalEntry)
