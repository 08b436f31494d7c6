"""Mails that do not go out: trying one now, or giving one up."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import NotFoundError
from portal.journal.service import Actor, record
from portal.mail.models import OutboxRow

PENDING, WITHDRAWN = "pending", "withdrawn"


def try_now(row_id: int, *, now: datetime) -> None:
    """Let the worker try it at once. Raises NotFoundError when it waits no more."""
    with transaction() as session:
        _waiting(session, row_id).next_at = now


def give_up(row_id: int, *, actor: Actor, now: datetime) -> None:
    """Send it no more; the history keeps who decided that.

    Raises NotFoundError when it waits no more.
    """
    with transaction() as session:
        row = _waiting(session, row_id)
        row.state, row.leased_until = WITHDRAWN, None
        record(
            session,
            at=now,
            actor=actor,
            action="mail.given_up",
            object_kind="mail",
            object_id=row.id,
            order_id=row.order_id or None,
            from_state=PENDING,
            to_state=WITHDRAWN,
            data={"kind": row.kind},
        )


def _waiting(session: Session, row_id: int) -> OutboxRow:
    row = session.scalar(
        select(OutboxRow).where(OutboxRow.id == row_id).with_for_update()
    )
    if row is None or row.state != PENDING or row.tries == 0:
        raise NotFoundError("Ese correo ya salió o ya no se envía.")
    return row
