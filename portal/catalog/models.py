"""What is sold, and what the support does and does not solve."""

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Service(Base):
    """Something with a button of its own. Prices are pesos with IVA.

    `price_special` is the price of special hours; None means one price at any hour.
    """

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint("price_normal > 0", name="price_normal_positive"),
        CheckConstraint("price_special > 0", name="price_special_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    summary: Mapped[str] = mapped_column(String(200))
    details: Mapped[str] = mapped_column(Text)
    price_normal: Mapped[int]
    price_special: Mapped[int | None]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class Topic(Base):
    """One thing that can happen to a customer, and the answer to it.

    `service_slug` is the service that does solve an excluded topic, if there is one.
    """

    __tablename__ = "topics"
    __table_args__ = (
        CheckConstraint(
            "NOT covered OR service_slug IS NULL", name="covered_needs_no_other"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    covered: Mapped[bool]
    answer: Mapped[str] = mapped_column(Text)
    service_slug: Mapped[str | None] = mapped_column(ForeignKey("services.slug"))
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class CannedSolution(Base):
    """A text that a technician may take instead of typing it.

    `topic_slug` is the topic it belongs to; None offers it with every topic. `slug`
    names those of the first day, so that they are added once.
    """

    __tablename__ = "canned_solutions"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str | None] = mapped_column(String(60), unique=True)
    topic_slug: Mapped[str | None] = mapped_column(ForeignKey("topics.slug"))
    title: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
