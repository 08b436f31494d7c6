"""Publishing the notice: the next version, by itself, whenever its words change."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.chile import format_phone, format_rut
from portal.db import reading, transaction
from portal.journal.service import SYSTEM, record
from portal.privacy import queries
from portal.privacy.models import NoticeVersion
from portal.privacy.notice_rules import NoticeFacts, render_notice
from portal.settings.queries import load
from portal.settings.rules import BusinessSettings
from portal.terms.rules import text_hash


def notice_of(business: BusinessSettings) -> str:
    """The text as it would be published now."""
    return render_notice(
        NoticeFacts(
            business_name=_line(business.business_name),
            business_rut=format_rut(business.business_rut),
            legal_representative=_line(business.legal_representative),
            business_address=_line(business.business_address),
            business_email=_line(business.business_email),
            public_phone=format_phone(business.public_phone),
            remote_tool_name=_line(business.remote_tool_name),
            processors=tuple(_line(each) for each in business.processors),
        )
    )


def _line(text: str) -> str:
    """The text in one line: a line feed would break the paragraphs."""
    return " ".join(text.split())


def publish(now: datetime) -> None:
    """Publish the next version if the text differs from the one in force."""
    with reading() as session:
        if _text_to_publish(session) is None:
            return
    with transaction() as session:
        body = _text_to_publish(session)
        if body is None:
            return
        before = queries.current_notice(session)
        number = before.number + 1 if before else 1
        sha256 = text_hash(body)
        row = NoticeVersion(number=number, body=body, sha256=sha256, published_at=now)
        session.add(row)
        session.flush()
        record(
            session,
            at=now,
            actor=SYSTEM,
            action="notice.published",
            object_kind="notice_version",
            object_id=row.id,
            to_state="published",
            data={"number": number, "sha256": sha256},
        )


def _text_to_publish(session: Session) -> str | None:
    body = notice_of(load(session))
    before = queries.current_notice(session)
    return None if before is not None and before.body == body else body
