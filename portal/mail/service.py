"""Putting mails into the outbox, and sending what lies in it."""

import hashlib
import logging
import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal import clock
from portal.config import Settings
from portal.db import is_busy, reading, transaction
from portal.mail.mails import OnSent, RenderContext, Renderers
from portal.mail.models import OutboxRow
from portal.mail.rules import (
    Envelope,
    Mail,
    SmtpServer,
    build_message,
    clean_reply,
    domain_of,
    file_name,
    message_id,
    needs_alert,
    parse_smtp_url,
    retry_at,
    text_hash,
)
from portal.settings.queries import load as load_business

LEASE = timedelta(minutes=5)
SMTP_TIMEOUT_SECONDS = 15.0
# A round ends early: the leases of its last mails must outlive it by far.
ROUND_SECONDS = 30.0
# So many failures one after the other mean that the server is down.
FAILURES_OF_A_DEAD_SERVER = 3

_log = logging.getLogger(__name__)


def enqueue(
    session: Session,
    *,
    kind: str,
    now: datetime,
    order_id: int = 0,
    key: str = "",
    send_at: datetime | None = None,
) -> None:
    """Ask for one mail in the caller's transaction; asking again sends no second one.

    It never commits. `send_at` (UTC) delays it, for acts that can be undone: done
    again after an undo, the act asks for the mail that was withdrawn or still waits.
    """
    session.flush()
    row = session.scalar(
        select(OutboxRow).where(
            OutboxRow.order_id == order_id,
            OutboxRow.kind == kind,
            OutboxRow.key == key,
        )
    )
    if row is not None:
        _ask_again(row, send_at or now)
        return
    session.add(
        OutboxRow(
            order_id=order_id,
            kind=kind,
            key=key,
            created_at=now,
            next_at=send_at or now,
        )
    )


def _ask_again(row: OutboxRow, send_at: datetime) -> None:
    if row.state == "withdrawn":
        row.state, row.next_at, row.tries = "pending", send_at, 0
    elif row.state == "pending" and row.tries == 0:
        row.next_at = max(row.next_at, send_at)


@dataclass
class SendReport:
    """What one round of sending did."""

    sent: int = 0
    withdrawn: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.withdrawn + self.failed


class SendError(Exception):
    """A mail could not be handed over; the text holds no personal data."""


# Hands a mail over and gives back what the server said.
Transport = Callable[[EmailMessage, Envelope], str]
IN_THE_FOLDER = "escrito en la carpeta de correos (sin servidor)"


def send_due(
    renderers: Renderers,
    settings: Settings,
    *,
    now: datetime,
    limit: int = 20,
    kind: str | None = None,
) -> SendReport:
    """Send up to `limit` mails that are due, each leased, sent and marked by itself.

    `kind` sends those of one kind alone.
    Nothing is lost: what fails stays with a growing pause. Only a crash between the
    server's yes and the mark sends a mail again, with the same Message-ID.
    """
    report = SendReport()
    transport = _transport(settings)
    ends = clock.monotonic() + ROUND_SECONDS
    failures = 0
    while report.total < limit and clock.monotonic() < ends:
        row_id = _lease(settings, now, kind)
        if row_id is None:
            break
        outcome = _send_one(row_id, renderers, settings, transport, now)
        setattr(report, outcome, getattr(report, outcome) + 1)
        failures = failures + 1 if outcome == "failed" else 0
        if failures == FAILURES_OF_A_DEAD_SERVER:
            break
    return report


def _lease(settings: Settings, now: datetime, kind: str | None) -> int | None:
    """Take the next due row for a while; another worker will not see it."""
    with transaction() as session:
        row = session.scalar(
            select(OutboxRow)
            .where(
                OutboxRow.state == "pending",
                OutboxRow.next_at <= now,
                OutboxRow.kind == kind if kind else true(),
                (OutboxRow.leased_until.is_(None)) | (OutboxRow.leased_until <= now),
            )
            .order_by(OutboxRow.next_at, OutboxRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.leased_until = now + LEASE
        if row.message_id is None:
            subject = f"{row.order_id}:{row.kind}:{row.key}"
            row.message_id = message_id(
                row.id, subject, row.created_at, settings.mail_from
            )
        return row.id


def _send_one(
    row_id: int,
    renderers: Renderers,
    settings: Settings,
    transport: Transport,
    now: datetime,
) -> str:
    """`sent`, `withdrawn` or `failed`, written to the row as well."""
    try:
        rendered = _render(row_id, renderers, settings, now)
        if rendered is None:
            _mark(row_id, state="withdrawn", now=now)
            return "withdrawn"
        message, envelope = rendered
        reply = transport(message, envelope)
    except Exception as error:
        if isinstance(error, DBAPIError) and is_busy(error):
            raise  # no fault of this mail: the lease runs out and it is tried again
        # Whatever one mail does, the others go out: it waits, counted, with its reason.
        _mark_failed(row_id, _reason(error), now=now)
        return "failed"
    trace = getattr(renderers.get(envelope.kind), "on_sent", None)
    _mark(row_id, state="sent", now=now, sent=Sent(message, reply, trace))
    return "sent"


def _render(
    row_id: int, renderers: Renderers, settings: Settings, now: datetime
) -> tuple[EmailMessage, Envelope] | None:
    with reading() as session:
        row = session.get_one(OutboxRow, row_id)
        renderer = renderers.get(row.kind)
        if renderer is None:
            raise SendError(f"no renderer for {row.kind}")
        business = load_business(session)
        mail = renderer(RenderContext(session, settings, now, business), row)
        if mail is None:
            return None
        envelope = Envelope(
            row.id, settings.mail_from, row.message_id or "", row.created_at, row.kind
        )
    return build_message(mail, envelope), envelope


def _reason(error: Exception) -> str:
    """The kind of fault and the server's code, never its text: it quotes addresses."""
    if isinstance(error, SendError):
        return str(error)
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()


@dataclass(frozen=True)
class Sent:
    """A mail that was taken: the message, the server's words, what to write of it."""

    message: EmailMessage
    reply: str
    trace: OnSent | None

    @property
    def text(self) -> str:
        """The plain text as its reader sees it."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""


def _mark(row_id: int, *, state: str, now: datetime, sent: Sent | None = None) -> None:
    with transaction() as session:
        row = session.get_one(OutboxRow, row_id)
        row.state = state
        row.leased_until = None
        if sent is None:
            return
        row.tries += 1
        row.sent_at = now
        row.body_sha256 = hashlib.sha256(sent.message.as_bytes()).hexdigest()
        row.text_sha256 = text_hash(sent.text)
        row.server_reply = sent.reply
        row.last_error = None
        if sent.trace is not None:
            sent.trace(session, row)


def _mark_failed(row_id: int, reason: str, *, now: datetime) -> None:
    _log.warning("mail %s was not sent: %s", row_id, reason)
    with transaction() as session:
        row = session.get_one(OutboxRow, row_id)
        row.tries += 1
        row.leased_until = None
        row.next_at = retry_at(now, row.tries)
        row.last_error = reason[:200]
        if needs_alert(row.kind, row.tries):
            enqueue(
                session,
                kind="alert.mail",
                order_id=row.order_id,
                key=str(row.id),
                now=now,
            )


def _transport(settings: Settings) -> Transport:
    """SMTP where SMTP_URL says, else files in the mail folder."""
    if settings.smtp_url is None:
        folder = settings.mail_dir
        return lambda message, envelope: _write_file(folder, message, envelope)
    server = parse_smtp_url(settings.smtp_url)
    return lambda message, envelope: _speak_smtp(server, message, envelope)


def send_now(mail: Mail, settings: Settings, *, row_id: int, now: datetime) -> None:
    """Hand a mail over without the outbox, for when there is no database to hold it.

    Raises OSError or SMTPException unless the server took it.
    """
    name = message_id(row_id, mail.subject, now, settings.mail_from)
    envelope = Envelope(row_id, settings.mail_from, name, now)
    _transport(settings)(build_message(mail, envelope), envelope)


def _write_file(folder: Path, message: EmailMessage, envelope: Envelope) -> str:
    """Write the mail whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name(envelope)
    temporary = folder / f".{name}.{os.getpid()}"
    temporary.write_bytes(message.as_bytes())
    os.replace(temporary, folder / name)
    return IN_THE_FOLDER


class _Remembering:
    """Keeps what the server says to the whole mail, which `smtplib` throws away."""

    taken: tuple[int, bytes] = (0, b"")

    def data(self, message: Any) -> tuple[int, bytes]:
        self.taken = super().data(message)  # type: ignore[misc]
        return self.taken


class _Plain(_Remembering, smtplib.SMTP):
    pass


class _Tls(_Remembering, smtplib.SMTP_SSL):
    pass


def _connect(server: SmtpServer, own_name: str) -> _Plain | _Tls:
    if server.security == "tls":
        return _Tls(
            server.host,
            server.port,
            local_hostname=own_name,
            timeout=SMTP_TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )
    return _Plain(
        server.host, server.port, local_hostname=own_name, timeout=SMTP_TIMEOUT_SECONDS
    )


def _speak_smtp(server: SmtpServer, message: EmailMessage, envelope: Envelope) -> str:
    """Hand the mail over. Raises OSError or SMTPException unless the server took it."""
    client = _connect(server, domain_of(envelope.mail_from))
    try:
        if server.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        if server.user:
            client.login(server.user, server.password)
        client.send_message(message)
        # It has the mail: how it says goodbye changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
        return clean_reply(*client.taken)
    finally:
        client.close()
