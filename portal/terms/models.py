"""The published texts and the proof of who accepted which.

Both tables are append-only, and the database itself says so: a trigger refuses every
UPDATE and DELETE on SQLite and on PostgreSQL. The triggers are made with the tables
(`after_create`); a migration that creates the tables must run `append_only_ddl` too.
"""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKey,
    String,
    Table,
    Text,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class TermsVersion(Base):
    """One published text. `body` is the exact text, `sha256` that of its UTF-8."""

    __tablename__ = "terms_versions"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TermsAcceptance(Base):
    """The proof that the buyer of one order accepted one text, as the law asks.

    `price_shown` is in pesos; `address` is the IP address that sent the form.
    """

    __tablename__ = "terms_acceptances"
    __table_args__ = (
        CheckConstraint("document = 'terms'", name="document"),
        CheckConstraint("checked", name="checked"),
        CheckConstraint("price_shown >= 0", name="price_shown_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    document: Mapped[str] = mapped_column(String(20), default="terms")
    version: Mapped[int] = mapped_column(ForeignKey("terms_versions.number"))
    sha256: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checkbox_text: Mapped[str] = mapped_column(String(200))
    checked: Mapped[bool]
    address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    price_shown: Mapped[int]
    regime_kind: Mapped[str] = mapped_column(String(10))
    regime_rule: Mapped[str] = mapped_column(String(120))
    locale: Mapped[str] = mapped_column(String(10))
    template_version: Mapped[str] = mapped_column(String(40))


def append_only_ddl(dialect: str, table: str) -> list[str]:
    """The statements that make the database refuse to change a row of `table`."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
        "ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ]


def _guard(table: Table, connection: Connection, **_options: object) -> None:
    for statement in append_only_ddl(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)


for _model in (TermsVersion, TermsAcceptance):
    event.listen(_model.__table__, "after_create", _guard)
