"""Reading what the go-live list looks at."""

import hashlib
from datetime import datetime, timedelta

import pysqlite3.dbapi2
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.accounts.rules import OWNER
from portal.audit.check_rules import Facts, Trial
from portal.catalog.queries import confirmed_services, list_services
from portal.config import Settings
from portal.db import SAFE_SQLITE
from portal.journal.models import JournalEntry
from portal.journal.queries import last_of
from portal.mail.models import OutboxRow
from portal.payments.states import MERCADOPAGO, WEBPAY
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.queries import load
from portal.settings.rules import BusinessSettings
from portal.terms import queries as terms_queries

TRIED = "check.gateway_tried"
MAIL = "check.mail"
_BUSINESS = {
    "business_rut": "RUT",
    "business_address": "dirección",
    "business_email": "correo",
    "legal_representative": "representante legal",
    "public_phone": "teléfono público",
}
_CHANNELS = {
    "office_phone": "teléfono de la oficina",
    "whatsapp": "WhatsApp",
    "support_email": "correo de soporte",
}
_DEMO_HOST = "%@demo.cl"


def mark(settings: Settings, gateway: str) -> str:
    """Which credentials a trial was about, without telling them."""
    secret = {
        MERCADOPAGO: settings.mercadopago_access_token,
        WEBPAY: f"{settings.webpay_commerce_code}:{settings.webpay_api_key}",
    }[gateway]
    return hashlib.sha256(f"check:{gateway}:{secret}".encode()).hexdigest()[:16]


def gather(session: Session, settings: Settings, now: datetime) -> Facts:
    """The state of everything that must be well before real money flows."""
    business, current = load(session), terms_queries.current(session)
    confirmed = confirmed_services(session)
    words, is_safe = _database(settings)
    return Facts(
        production=not settings.is_demo,
        https=settings.public_url.startswith("https://"),
        secret_length=len(settings.secret_keys[0]),
        database_words=words,
        database_is_safe=is_safe,
        missing_business=_missing(business, _BUSINESS),
        missing_phones=_missing(business, _CHANNELS),
        processors=len(business.processors),
        special_mobiles=len(set(business.special_mobiles)),
        unconfirmed_prices=tuple(
            it.name for it in list_services(session) if it.id not in confirmed
        ),
        terms_number=current.number if current else 0,
        terms_differ=current is None or current.body != terms_queries.preview(session),
        has_backup=_has_backup(session, now),
        owners=_count(session, Staff.role == OWNER, Staff.active),
        demo_accounts=_count(session, Staff.email.like(_DEMO_HOST), Staff.active),
        demo_values=_demo_values(business),
        smtp=settings.smtp_url is not None,
        mail_sent=_mail_sent(session),
        mercadopago=_trial(session, settings, MERCADOPAGO),
        webpay=_trial(session, settings, WEBPAY),
    )


def _has_backup(session: Session, now: datetime) -> bool:
    """Whether a backup younger than a day was read back whole, invariants included."""
    made = last_of(session, "backup", "backup.made")
    return made is not None and now - made.at < timedelta(days=1)


def _database(settings: Settings) -> tuple[str, bool]:
    if not settings.database_url.startswith("sqlite"):
        return "PostgreSQL", True
    version = pysqlite3.dbapi2.sqlite_version_info
    return f"SQLite {pysqlite3.dbapi2.sqlite_version}", version >= SAFE_SQLITE


def _missing(business: BusinessSettings, names: dict[str, str]) -> tuple[str, ...]:
    return tuple(word for name, word in names.items() if not getattr(business, name))


def _demo_values(business: BusinessSettings) -> tuple[str, ...]:
    """The invented data that still stand where the owner's should."""
    named = {**_BUSINESS, **_CHANNELS, "special_mobiles": "celulares"}
    return tuple(
        word
        for name, word in named.items()
        if getattr(business, name)
        == (tuple(it) if isinstance(it := DEMO_VALUES[name], list) else it)
    )


def _count(session: Session, *where: object) -> int:
    wanted = select(func.count()).select_from(Staff).where(*where)  # type: ignore[arg-type]
    return session.scalar(wanted) or 0


def _mail_sent(session: Session) -> bool:
    wanted = select(OutboxRow.id).where(
        OutboxRow.kind == MAIL, OutboxRow.state == "sent"
    )
    return session.scalar(wanted.limit(1)) is not None


def _trial(session: Session, settings: Settings, gateway: str) -> Trial | None:
    """The last trial of these very credentials."""
    rows = session.scalars(
        select(JournalEntry)
        .where(
            JournalEntry.object_kind == "check",
            JournalEntry.object_id == 0,
            JournalEntry.action == TRIED,
        )
        .order_by(JournalEntry.id.desc())
        .limit(20)
    )
    wanted = gateway, mark(settings, gateway)
    for row in rows:
        said = row.data
        if (said.get("gateway"), said.get("mark")) == wanted:
            return Trial(ok=bool(said.get("ok")), words=str(said.get("words", "")))
    return None
