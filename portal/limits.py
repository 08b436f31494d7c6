"""Rate limits counted in the database: one count for all processes and hosts."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from limits.storage import Storage
from sqlalchemy import Integer, String, bindparam, delete, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, UtcDateTime, db


class RequestCount(Base):
    """How often something was asked in a window of time that ends at `expires_at`."""

    __tablename__ = "request_counts"

    # An HMAC: what is counted by is an address or a mail.
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


# A window that is over, or of a clock that was moved back since, begins anew.
_OVER = "request_counts.expires_at <= :now OR request_counts.expires_at > :until"
_ADD = text(
    f"""
    INSERT INTO request_counts (key, count, expires_at) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN {_OVER} THEN :amount
        ELSE request_counts.count + :amount END,
      expires_at = CASE WHEN {_OVER} THEN :until ELSE request_counts.expires_at END
    RETURNING count
    """  # noqa: S608 (our own words)
).bindparams(
    bindparam("key", type_=String),
    bindparam("amount", type_=Integer),
    bindparam("now", type_=UtcDateTime),
    bindparam("until", type_=UtcDateTime),
)


class DatabaseStorage(Storage):
    """The storage that Flask-Limiter finds under `database://`.

    Each count is one statement in a transaction of its own, whatever the request does
    with its session.
    """

    STORAGE_SCHEME = ["database"]  # noqa: RUF012 (the base class wants a list)

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count of the window, this one included; `expiry` is its length (s)."""
        now = clock.utcnow()
        until = now + timedelta(seconds=expiry)
        values = {"key": _hidden(key), "amount": amount, "now": now, "until": until}
        with _writing() as connection:
            count = int(connection.execute(_ADD, values).scalar_one())
            connection.execute(
                delete(RequestCount).where(RequestCount.expires_at <= now)
            )
        return count

    def get(self, key: str) -> int:
        row = self._row(key)
        return int(row.count) if row else 0

    def get_expiry(self, key: str) -> float:
        row = self._row(key)
        return (row.expires_at if row else clock.utcnow()).timestamp()

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with _writing() as connection:
            return int(connection.execute(delete(RequestCount)).rowcount)

    def clear(self, key: str) -> None:
        with _writing() as connection:
            connection.execute(
                delete(RequestCount).where(RequestCount.key == _hidden(key))
            )

    def _row(self, key: str) -> Any:
        wanted = select(RequestCount.__table__).where(
            RequestCount.key == _hidden(key), RequestCount.expires_at > clock.utcnow()
        )
        with db.engine.connect() as connection:
            return connection.execute(wanted).one_or_none()


def _hidden(key: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()


def _writing() -> Any:
    """A write transaction on a connection of its own."""
    engine = db.engine.execution_options(sqlite_begin_immediate=True)
    return engine.begin()
