"""The outbox: what is to be mailed, never the mail itself."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class OutboxRow(Base):
    """One mail of a kind about an order (or a subject outside orders: order 0).

    The worker renders it when it sends, by the state of that moment.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("order_id", "kind", "key"),
        CheckConstraint("state IN ('pending', 'sent', 'withdrawn')", name="state"),
        Index("ix_outbox_due", "state", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(60), default="")
    state: Mapped[str] = mapped_column(String(10), default="pending")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))
    message_id: Mapped[str | None] = mapped_column(String(120))
    # Of the whole message, and of the plain text that its reader sees.
    body_sha256: Mapped[str | None] = mapped_column(String(64))
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    # What the mail server said when it took the mail.
    server_reply: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
