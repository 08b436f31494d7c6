"""Looking at the machine: of what is in trouble the owner hears, and the history."""

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from portal.audit import check_service, watch_queries, watch_rules
from portal.audit.watch_rules import TROUBLE, WELL, Finding
from portal.config import Settings
from portal.db import reading, transaction
from portal.journal.service import SYSTEM, record
from portal.mail.service import enqueue
from portal.payments.gateways import Gateways
from portal.payments.states import MERCADOPAGO, WEBPAY

CONNECT_SECONDS = 10.0
_KEYS = {MERCADOPAGO: watch_rules.MERCADOPAGO_KEY, WEBPAY: watch_rules.WEBPAY_KEY}


def note(kind: str, problem: str, *, now: datetime, mailed: bool = True) -> None:
    """Write down how one thing is when that changed; of a trouble, mail the owner.

    An empty `problem` is well. `mailed` is False where another mail tells it.
    """
    with transaction() as session:
        before = watch_queries.last_findings(session).get(kind)
        if (before.words if before else "") != problem:
            was = TROUBLE if before and before.is_trouble else WELL
            record(
                session,
                at=now,
                actor=SYSTEM,
                action="watch.found" if problem else "watch.cleared",
                object_kind=watch_queries.WATCH,
                object_id=watch_rules.NUMBERS[kind],
                from_state=was,
                to_state=TROUBLE if problem else WELL,
                data={"words": problem},
            )
            before = Finding(kind, problem, now)
        if problem and before and mailed:
            key = watch_rules.mail_key(before, now)
            enqueue(session, kind="alert.watch", key=key, now=now)


def look_at_disk(settings: Settings, *, now: datetime) -> None:
    """Whether there is room for the data."""
    free = watch_queries.free_bytes(settings)
    note(watch_rules.DISK, watch_rules.disk_problem(free), now=now)


def look_at_database(*, now: datetime) -> None:
    """Whether the database's file is whole."""
    with reading() as session:
        problem = watch_queries.damage(session)
    note(watch_rules.DATABASE, problem, now=now)


def look_outside(gateways: Gateways, settings: Settings, *, now: datetime) -> None:
    """The certificate that visitors meet, and whether the gateways still know us.

    Only in production: a demo has neither. What gives no answer stays as it was.
    """
    if settings.is_demo:
        return
    _look_at_certificate(settings.public_url, now)
    told = check_service.try_gateways(gateways, settings, actor=SYSTEM, now=now)
    for gateway, words in told.items():
        if words != check_service.NO_ANSWER:
            problem = "" if words == check_service.ACCEPTED else f"{words}."
            note(_KEYS[gateway], problem, now=now)


def _look_at_certificate(url: str, now: datetime) -> None:
    parts = urlsplit(url)
    try:
        ends = certificate_end(parts.hostname or "", parts.port or 443)
        problem = watch_rules.certificate_problem(ends, now)
    except ssl.SSLCertVerificationError:
        problem = "El certificado HTTPS no es válido: los navegadores lo rechazan."
    except OSError:
        return  # A firewall may keep the server from its own address.
    note(watch_rules.CERTIFICATE, problem, now=now)


def certificate_end(
    host: str, port: int, context: ssl.SSLContext | None = None
) -> datetime:
    """When the certificate of an HTTPS address ends (UTC).

    Raises SSLCertVerificationError when a browser would refuse it, OSError when there
    is no answer within CONNECT_SECONDS.
    """
    context = context or ssl.create_default_context()
    address = (host, port)
    with (
        socket.create_connection(address, timeout=CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        certificate = secure.getpeercert() or {}
    seconds = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return datetime.fromtimestamp(seconds, UTC)
