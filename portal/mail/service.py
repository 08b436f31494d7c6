"""Putting mails into the outbox."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.mail.models import OutboxRow


def enqueue(
    session: Session,
    *,
    kind: str,
    now: datetime,
    order_id: int = 0,
    key: str = "",
    send_at: datetime | None = None,
) -> None:
    """Ask for one mail in the caller's transaction; asking again changes nothing.

    It never commits. `send_at` (UTC) delays it, for acts that can be undone.
    """
    session.flush()
    exists = session.scalar(
        select(OutboxRow.id).where(
            OutboxRow.order_id == order_id,
            OutboxRow.kind == kind,
            OutboxRow.key == key,
        )
    )
    if exists is None:
        session.add(
            OutboxRow(
                order_id=order_id,
                kind=kind,
                key=key,
                created_at=now,
                next_at=send_at or now,
            )
        )
