"""Pauses, addresses and the exact bytes of a mail. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote, urlsplit

from portal.clock import local

RETRY_MINUTES = (1, 2, 5, 15, 30, 60)
# The owner hears of a mail when it has failed this many times.
ALERT_AT_TRIES = 3
MAX_SUBJECT = 150
MAX_REPLY = 200

Security = Literal["none", "tls", "starttls"]
_SECURITY: Mapping[str, tuple[Security, int]] = MappingProxyType(
    {
        "smtp": ("none", 25),
        "smtps": ("tls", 465),
        "smtp+starttls": ("starttls", 587),
    }
)
_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ADDRESS_LIKE = re.compile(r"\S*@\S*")
_ONE_ADDRESS = re.compile(r"""[^\s@<>,;:"()\[\]\\]{1,64}@[^\s@<>,;:"()\[\]\\]{1,255}""")


@dataclass(frozen=True)
class Mail:
    """What a renderer gives back: one person's address, plain text and maybe HTML.

    `files` are texts to keep, by name, attached byte for byte.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed over; `user` empty means no log-in."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""


@dataclass(frozen=True)
class Envelope:
    """What the outbox row fixes for every try of its mail."""

    row_id: int
    mail_from: str
    message_id: str
    created_at: datetime
    kind: str = ""


def parse_smtp_url(url: str) -> SmtpServer:
    """`smtp://`, `smtps://` or `smtp+starttls://`, with user and password if any."""
    parts = urlsplit(url)
    security, port = _SECURITY[parts.scheme]
    return SmtpServer(
        host=parts.hostname or "",
        port=parts.port or port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def retry_at(now: datetime, tries: int) -> datetime:
    """When to try again after `tries` failures (1 or more): growing pauses, capped."""
    index = min(max(tries, 1), len(RETRY_MINUTES)) - 1
    return now + timedelta(minutes=RETRY_MINUTES[index])


def needs_alert(kind: str, tries: int) -> bool:
    """Whether this failure is told to the owner; an alert never alerts about itself."""
    return tries == ALERT_AT_TRIES and not kind.startswith("alert.")


def domain_of(mail_from: str) -> str:
    """The domain of the sender's address, in ASCII."""
    domain = parseaddr(mail_from)[1].rpartition("@")[2]
    return domain.encode("idna").decode("ascii") if domain else "localhost"


def message_id(row_id: int, subject_of: str, created_at: datetime, sender: str) -> str:
    """The Message-ID of a row, the same at every try and in no other database."""
    seed = f"{row_id}:{subject_of}:{created_at.astimezone(UTC).isoformat()}"
    digest = hashlib.sha256(seed.encode()).hexdigest()[:20]
    return f"<outbox-{row_id}.{digest}@{domain_of(sender)}>"


def clean_header(text: str) -> str:
    """The text in one line without control characters: no header can be smuggled in."""
    return " ".join(_BREAKING.sub(" ", text).split())[:MAX_SUBJECT]


def _address(text: str) -> Address:
    """Raises ValueError unless the text is exactly one plain address."""
    if not _ONE_ADDRESS.fullmatch(text) or _BREAKING.search(text):
        raise ValueError("not one plain mail address")
    try:
        return Address(addr_spec=text)
    except HeaderParseError as error:
        raise ValueError("not one plain mail address") from error


def _sender(mail_from: str) -> Address:
    name, address = parseaddr(mail_from)
    return Address(display_name=clean_header(name), addr_spec=address)


def build_message(mail: Mail, envelope: Envelope) -> EmailMessage:
    """The message, byte for byte the same at every try.

    Raises ValueError when the address of the mail is not exactly one.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _sender(envelope.mail_from)
    message["To"] = _address(mail.to)
    message["Subject"] = clean_header(mail.subject)
    message["Date"] = format_datetime(local(envelope.created_at))
    message["Message-ID"] = envelope.message_id
    # Asks answering machines for silence.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "es-CL"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
        digest = hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]
        message.set_boundary(f"portal-{digest}")
    for name, body in mail.files:
        message.add_attachment(
            body.encode(),
            maintype="text",
            subtype="plain",
            filename=name,
            params={"charset": "utf-8"},
        )
    if mail.files:
        digest = hashlib.sha256(f"files {envelope.message_id}".encode()).hexdigest()
        message.set_boundary(f"portal-{digest[:32]}")
    return message


def clean_reply(code: int, words: bytes) -> str:
    """What the server answered when it took a mail, without any address in it."""
    told = clean_header(words.decode("ascii", "replace"))
    return f"{code} {_ADDRESS_LIKE.sub('[...]', told)}"[:MAX_REPLY]


def text_hash(text: str) -> str:
    """SHA-256 of a text's UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_name(envelope: Envelope) -> str:
    """The name of the mail's file, the same at every try."""
    moment = envelope.created_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    return f"{moment}-{envelope.row_id:08d}.eml"


_FILE_NAME = re.compile(r"\d{8}T\d{6}-\d{8,12}\.eml", re.ASCII)


def is_file_name(text: str) -> bool:
    """Whether a text from outside can be the name of a mail's file."""
    return _FILE_NAME.fullmatch(text) is not None
