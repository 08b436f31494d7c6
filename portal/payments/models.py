"""Attempts to pay, and the gateway's notifications about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime
from portal.payments.refund_rules import STATES as REFUND_STATES
from portal.payments.states import (
    DISPOSITIONS,
    GATEWAYS,
    LIVING,
    MISMATCH,
    SETTLED,
    STATES,
)


def _listed(values: tuple[str, ...] | frozenset[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


_IS_APPLIED = text("disposition = 'applied'")
_IS_MISPLACED = text("disposition <> 'applied'")
_IS_ASKED_ABOUT = text("next_check_at IS NOT NULL")
_IS_OPEN_PREFERENCE = text(
    "disposition IS NOT NULL AND preference_id IS NOT NULL "
    "AND preference_closed_at IS NULL"
)
_IS_LIVING = text(f"state IN ({_listed(LIVING)})")


class Payment(Base):
    """One attempt to pay an order (pesos) through one gateway.

    The secret reference that the gateway gets (Mercado Pago's external reference,
    Webpay's session id) is computed from the seed, and Webpay's token is sealed, so
    that a copy of the database cannot replay a return.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(f"state IN ({_listed(STATES)})", name="state"),
        CheckConstraint(f"gateway IN ({_listed(GATEWAYS)})", name="gateway"),
        CheckConstraint(
            f"disposition IN ({_listed(DISPOSITIONS)})", name="disposition"
        ),
        # I2 as a rule of the schema: money always has a disposition, and only money.
        CheckConstraint(
            f"(state IN ({_listed(SETTLED)})) = (disposition IS NOT NULL)",
            name="money_has_disposition",
        ),
        CheckConstraint("amount > 0 OR gateway = 'manual'", name="amount"),
        CheckConstraint("amount >= 0 AND refunded_amount >= 0", name="amounts"),
        UniqueConstraint("gateway", "gateway_payment_id"),
        Index(
            "uq_payments_applied",
            "order_id",
            unique=True,
            sqlite_where=_IS_APPLIED,
            postgresql_where=_IS_APPLIED,
        ),
        Index(
            "uq_payments_living",
            "order_id",
            "gateway",
            unique=True,
            sqlite_where=_IS_LIVING,
            postgresql_where=_IS_LIVING,
        ),
        # With the gateway, so that counting them reads the index alone.
        Index("ix_payments_state", "state", "gateway"),
        Index("ix_payments_due", "next_check_at"),
        Index(
            "ix_payments_due_at_gateway",
            "gateway",
            "next_check_at",
            sqlite_where=_IS_ASKED_ABOUT,
            postgresql_where=_IS_ASKED_ABOUT,
        ),
        Index(
            "ix_payments_open_preferences",
            "order_id",
            sqlite_where=_IS_OPEN_PREFERENCE,
            postgresql_where=_IS_OPEN_PREFERENCE,
        ),
        Index(
            "ix_payments_out_of_place",
            "state",
            "created_at",
            sqlite_where=_IS_MISPLACED,
            postgresql_where=_IS_MISPLACED,
        ),
        Index(
            "ix_payments_misplaced",
            "approved_at",
            sqlite_where=_IS_MISPLACED,
            postgresql_where=_IS_MISPLACED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    gateway: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=1)
    disposition: Mapped[str | None] = mapped_column(String(10))
    amount: Mapped[int]
    refunded_amount: Mapped[int] = mapped_column(default=0)
    buy_order: Mapped[str] = mapped_column(String(26), unique=True)
    seed: Mapped[str] = mapped_column(String(32))
    reference_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_sealed: Mapped[str | None] = mapped_column(String(300))
    # The account that must receive the money, as the gateway said when it began.
    account: Mapped[str | None] = mapped_column(String(40))
    preference_id: Mapped[str | None] = mapped_column(String(120))
    preference_closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    redirect_url: Mapped[str | None] = mapped_column(String(500))
    gateway_payment_id: Mapped[str | None] = mapped_column(String(64))
    # The gateway's last word about the attempt, for the page and for the owner.
    detail: Mapped[str | None] = mapped_column(String(80))
    # Payments that were rejected while the form stayed open for another try.
    rejected_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    redirected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Until when the gateway lets the customer pay with this attempt.
    form_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Who holds the commit, until when: a crash in it shows by the lease running out.
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checks: Mapped[int] = mapped_column(default=0)
    last_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def charged(self) -> int:
        """Pesos that the gateway took: not what was asked for when they disagree."""
        said = (self.evidence or {}).get("amount")
        if self.disposition == MISMATCH and isinstance(said, int) and said > 0:
            return said
        return self.amount

    @property
    def left(self) -> int:
        """Pesos of it that have not gone back."""
        return self.charged - self.refunded_amount


class Notification(Base):
    """A signed notification, kept until what it points at was read from the API."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("gateway", "topic", "resource_id", "request_id"),
        Index("ix_notifications_due", "done_at", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(String(12))
    topic: Mapped[str] = mapped_column(String(40))
    resource_id: Mapped[str] = mapped_column(String(40))
    request_id: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(20))


_IS_IN_FLIGHT = text("state IN ('requested', 'sent')")


class Refund(Base):
    """Money (pesos) that goes back for one payment, from the request to its end."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint(f"state IN ({_listed(REFUND_STATES)})", name="state"),
        CheckConstraint("source IN ('customer', 'owner', 'gateway')", name="source"),
        CheckConstraint("amount > 0", name="amount"),
        Index(
            "uq_refunds_in_flight",
            "payment_id",
            unique=True,
            sqlite_where=_IS_IN_FLIGHT,
            postgresql_where=_IS_IN_FLIGHT,
        ),
        Index("ix_refunds_due", "state", "next_try_at"),
        Index("ix_refunds_answered", "state", "answered_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=1)
    source: Mapped[str] = mapped_column(String(10))
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(300), default="")
    # The same key at every try, so that the gateway gives it back once.
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    detail: Mapped[str | None] = mapped_column(String(120))
    # The customer went back to the queue instead of waiting for refused money.
    dropped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
