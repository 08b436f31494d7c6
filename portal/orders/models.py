"""Purchases and the persons who make them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime
from portal.orders.states import STATES

_STATES = ", ".join(f"'{state}'" for state in STATES)
BLOCKED_WORDS, ERASED_WORDS = "Datos bloqueados", "Datos borrados"


class Contact(Base):
    """The person of an order: the only table with a name, a mail and a phone."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(16), index=True)
    rut: Mapped[str | None] = mapped_column(String(10), index=True)
    blocked: Mapped[bool] = mapped_column(default=False)
    pseudonymised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # A person is one whatever the capitals of their mail.
    __table_args__ = (Index("ix_contacts_email_folded", func.lower(email)),)

    @property
    def is_hidden(self) -> bool:
        """Whether the staff may read none of it: blocked by the person, or gone."""
        return self.blocked or self.pseudonymised_at is not None

    @property
    def shown_name(self) -> str:
        """The name as the staff may read it."""
        if self.pseudonymised_at is not None:
            return ERASED_WORDS
        return BLOCKED_WORDS if self.blocked else self.name

    @property
    def shown_email(self) -> str:
        """The mail address as the staff may read it."""
        return "" if self.is_hidden else self.email

    @property
    def shown_phone(self) -> str:
        """The phone as the staff may read it."""
        return "" if self.is_hidden else self.phone


class Order(Base):
    """One purchase: what was bought, at which price (pesos, IVA included), by whom."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("document IN ('boleta', 'factura')", name="document"),
        CheckConstraint("windows_bits IN ('32', '64', 'unknown')", name="bits"),
        Index("ix_orders_paid", "paid_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    version: Mapped[int] = mapped_column(default=1)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id"), index=True)
    service_slug: Mapped[str] = mapped_column(String(40))
    service_name: Mapped[str] = mapped_column(String(80))
    price: Mapped[int]
    regime_kind: Mapped[str] = mapped_column(String(10))
    # How the regime was decided: rule, versions of the calendar data, instant.
    regime_decision: Mapped[dict[str, Any]] = mapped_column(JSON)
    topic_slug: Mapped[str | None] = mapped_column(String(60))
    topic_title: Mapped[str] = mapped_column(String(120), default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    windows_bits: Mapped[str] = mapped_column(String(8), default="unknown")
    document: Mapped[str] = mapped_column(String(8), default="boleta")
    tax_rut: Mapped[str | None] = mapped_column(String(10), index=True)
    tax_name: Mapped[str | None] = mapped_column(String(100))
    tax_activity: Mapped[str | None] = mapped_column(String(40))
    tax_address: Mapped[str | None] = mapped_column(String(70))
    tax_commune: Mapped[str | None] = mapped_column(String(40))
    address: Mapped[str | None] = mapped_column(String(120))
    commune: Mapped[str | None] = mapped_column(String(40))
    terms_version: Mapped[int]
    # The same form sent twice (double click, back) is the same order.
    form_key: Mapped[str] = mapped_column(String(64), unique=True)
    # The secret link is computed from the seed; the row alone opens nothing.
    link_seed: Mapped[str] = mapped_column(String(32))
    link_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # "Otra atención para este caso": the order that this one continues.
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def number(self) -> str:
        """The number that people say on the phone."""
        return str(1000 + self.id)
