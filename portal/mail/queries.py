"""Reading the outbox, and the folder where a demo's mails lie."""

import os
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.mail.models import OutboxRow
from portal.mail.rules import is_file_name

SHOWN_FILES = 100


def oldest_waiting(session: Session, now: datetime) -> datetime | None:
    """Since when the oldest mail that should be out by now waits; None when none does.

    A mail that was put off on purpose waits from its hour on, one that failed from the
    beginning.
    """
    since = case((OutboxRow.tries == 0, OutboxRow.next_at), else_=OutboxRow.created_at)
    oldest: datetime | None = session.scalar(
        select(func.min(since, type_=OutboxRow.created_at.type)).where(
            OutboxRow.state == "pending", since <= now
        )
    )
    return oldest


@dataclass(frozen=True)
class MailFile:
    """One mail of the folder, as the demo shows it."""

    name: str
    sender: str
    to: str
    subject: str
    date: datetime
    message_id: str
    text: str


def _part(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""


def _parse(path: Path) -> MailFile:
    message = message_from_bytes(path.read_bytes(), policy=SMTP)
    return MailFile(
        name=path.name,
        sender=str(message["From"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=message["Date"].datetime,
        message_id=str(message["Message-ID"]),
        text=_part(message),
    )


def list_files(folder: Path) -> list[MailFile]:
    """The mails of the folder, newest first."""
    if not folder.is_dir():
        return []
    entries = [entry for entry in os.scandir(folder) if is_file_name(entry.name)]
    entries.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name), reverse=True)
    return [_parse(Path(entry.path)) for entry in entries[:SHOWN_FILES]]


def read_mail_file(folder: Path, name: str) -> MailFile:
    """One mail of the folder. Raises NotFoundError, whatever the name holds."""
    if is_file_name(name) and (path := folder / name).is_file():
        return _parse(path)
    raise NotFoundError("No encontramos ese correo.")
