"""The tax document of an order, as the owner notes it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class OrderDocument(Base):
    """The boleta or factura issued apart for one order: its number and its day."""

    __tablename__ = "order_documents"
    __table_args__ = (
        CheckConstraint("kind IN ('boleta', 'factura')", name="kind"),
        UniqueConstraint("kind", "folio"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    folio: Mapped[str] = mapped_column(String(12))
    issued_on: Mapped[date] = mapped_column(Date)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
