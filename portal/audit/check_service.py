"""Trying what the go-live list asks for: the gateways' credentials, a mail."""

from collections.abc import Callable
from datetime import datetime

from portal.audit.check_queries import TRIED, mark
from portal.config import Settings
from portal.db import transaction
from portal.journal.service import Actor, record
from portal.mail.service import enqueue
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import (
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
)
from portal.payments.states import MERCADOPAGO, WEBPAY

ACCEPTED = "Las acepta"
NO_ANSWER = "No contestó como se esperaba"
_REFUSED = "Las rechaza: revise que sean las de producción"


def try_gateways(
    gateways: Gateways, settings: Settings, *, actor: Actor, now: datetime
) -> dict[str, str]:
    """Ask both gateways whether they know us, and keep what each said.

    No payment is made anywhere.
    """
    told = {}
    for name, ask in (
        (MERCADOPAGO, gateways.mercadopago.accepts_credentials),
        (WEBPAY, gateways.webpay.accepts_credentials),
    ):
        ok, words = _ask(ask)
        told[name] = words
        with transaction() as session:
            record(
                session,
                at=now,
                actor=actor,
                action=TRIED,
                object_kind="check",
                object_id=0,
                data={
                    "gateway": name,
                    "mark": mark(settings, name),
                    "ok": ok,
                    "words": words,
                },
            )
    return told


def _ask(ask: Callable[[], bool]) -> tuple[bool, str]:
    try:
        ok = ask()
    except (GatewayRefusedError, GatewayUnknownError, GatewayUnreachableError):
        return False, NO_ANSWER
    return ok, ACCEPTED if ok else _REFUSED


def ask_mail(*, now: datetime) -> None:
    """Ask for one mail to the owner; a second tap in the same minute sends no other."""
    with transaction() as session:
        enqueue(session, kind="check.mail", key=f"{now:%Y%m%d%H%M}", now=now)
