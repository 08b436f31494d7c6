"""The published texts and the proof of who accepted which.

The tables are append-only, and the database itself says so: a trigger refuses every
UPDATE and DELETE on SQLite and on PostgreSQL. The triggers are made with the tables
(`portal.db.make_append_only`); so does the migration that creates them.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime, make_append_only


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


class TermsWording(Base):
    """The owner's words, with marks: the `draft`, and the one `in_force`, if any.

    Without one in force the program's own text is published.
    """

    __tablename__ = "terms_wordings"
    __table_args__ = (CheckConstraint("kind IN ('draft', 'in_force')", name="kind"),)

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProofLink(Base):
    """One link of the chain of proofs: an acceptance, or its confirmation by mail.

    `sha256` is that of the file "previous, line feed, content, line feed" in UTF-8, so
    that `sha256sum` alone can check it; the unique `previous` lets no chain fork. No
    name, mail, phone or RUT is in it.
    """

    __tablename__ = "proof_links"
    __table_args__ = (
        UniqueConstraint("order_id", "kind"),
        CheckConstraint("kind IN ('accepted', 'confirmed')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)


for _model in (TermsVersion, TermsAcceptance, ProofLink):
    make_append_only(_model)
