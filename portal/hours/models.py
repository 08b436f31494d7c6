"""The owner's week and days."""

from datetime import date, datetime, time

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    String,
    Time,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class WeeklyWindow(Base):
    """One window of the week; with no row at all the defaults hold."""

    __tablename__ = "weekly_windows"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("kind IN ('normal', 'special')", name="kind"),
        CheckConstraint("opens < closes", name="order"),
        UniqueConstraint("weekday", "opens"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    weekday: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)


class DayOverrideRow(Base):
    """The owner's word for one day; `windows` holds [kind, "HH:MM", "HH:MM"] lists."""

    __tablename__ = "day_overrides"
    __table_args__ = (CheckConstraint("state IN ('closed', 'open')", name="state"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    windows: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(String(200), default="")
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
