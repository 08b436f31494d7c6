"""Pure rules of money: references, what evidence is worth, when to ask again."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal.orders import states as order_states
from portal.orders.rules import derive, fingerprint
from portal.payments import states

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

BUY_ORDER_PREFIX = "ITP"
# How long a gateway's form may be used after it was opened. Webpay: 5 to 10 minutes
# by Transbank's own texts; a token is only sent again while it is surely fresh.
WEBPAY_FORM = timedelta(minutes=10)
WEBPAY_REUSE = timedelta(minutes=3)
# Webpay tells the state of a transaction for 7 days; Mercado Pago for much longer,
# but a payment that appears after a month goes to the owner by its notification.
WEBPAY_WINDOW = timedelta(days=7)
MERCADOPAGO_WINDOW = timedelta(days=30)
COMMIT_LEASE = timedelta(seconds=40)
_WEBPAY_TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MERCADOPAGO_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
# Seconds between questions about an attempt that is not final.
_PAUSES = (20, 20, 20, 30, 30, 60, 60, 120, 300, 300, 600, 900, 1800, 3600, 7200)
_LAST_PAUSE = 6 * 3600


def new_buy_order() -> str:
    """A fresh public number of an attempt: 19 characters, [A-Z0-9], never reused."""
    return BUY_ORDER_PREFIX + base64.b32encode(secrets.token_bytes(10)).decode()


def reference_of(key: str, seed: str) -> str:
    """The secret reference that the gateway gets: 43 characters, ASCII."""
    return "itp" + derive(key, "payment-reference", seed)[:20].hex()


def find_reference(keys: Iterable[str], seed: str, stored_hash: str) -> str:
    """The reference under whichever key it was made with. Raises LookupError."""
    for key in keys:
        reference = reference_of(key, seed)
        if hmac.compare_digest(fingerprint(reference), stored_hash):
            return reference
    raise LookupError("no current key makes this payment's reference")


def _sealer(keys: Iterable[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # here: a start does without

    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(hashlib.sha256(f"seal:{k}".encode()).digest())
            )
            for k in keys
        ]
    )


def seal(keys: Iterable[str], text: str) -> str:
    """Encrypt a gateway's token for the database."""
    return _sealer(keys).encrypt(text.encode()).decode()


def unseal(keys: Iterable[str], sealed: str) -> str:
    """The inverse of `seal`. Raises LookupError when no key fits."""
    from cryptography.fernet import InvalidToken

    try:
        return _sealer(keys).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise LookupError("no current key opens this token") from error


def is_webpay_token(text: str) -> bool:
    """The only form in which Webpay makes tokens; anything else is never sent on."""
    return _WEBPAY_TOKEN.fullmatch(text) is not None


def is_mercadopago_id(text: str) -> bool:
    """Whether the text is a payment id of Mercado Pago (digits, at most 20)."""
    return _MERCADOPAGO_ID.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What was frozen when the attempt was made."""

    gateway: str
    amount: int
    reference: str
    buy_order: str
    account: str | None
    live: bool | None


@dataclass(frozen=True, kw_only=True)
class Said:
    """The part of the gateway's evidence that must agree."""

    amount: int | None
    amount_is_whole: bool
    currency: str | None
    reference: str | None
    buy_order: str | None
    account: str | None
    live: bool | None


def disagreements(expected: Expected, said: Said) -> tuple[str, ...]:
    """Names of what differs between attempt and evidence; empty when all agree."""
    found = []
    if not said.amount_is_whole or said.amount != expected.amount:
        found.append("amount")
    if said.reference != expected.reference:
        found.append("reference")
    if expected.gateway == states.WEBPAY:
        if said.buy_order != expected.buy_order:
            found.append("buy_order")
        return tuple(found)
    if said.currency != "CLP":
        found.append("currency")
    if expected.account is not None and said.account != expected.account:
        found.append("account")
    if expected.live is not None and said.live is not expected.live:
        found.append("live_mode")
    return tuple(found)


def disposition(order_state: str, problems: tuple[str, ...], word: str) -> str:
    """What approved money does to its order.

    Money that was given back before we ever saw it pays nothing any more: it is late.
    """
    if problems:
        return states.MISMATCH
    if order_state == order_states.AWAITING_PAYMENT:
        gone = word in (states.REFUNDED, states.CHARGED_BACK)
        return states.LATE if gone else states.APPLIED
    if order_state in order_states.EVER_PAID:
        return states.SURPLUS
    return states.LATE


def next_check(checks: int, now: datetime, until: datetime) -> datetime | None:
    """When to ask the gateway again about an attempt; None: its window is over."""
    pause = _PAUSES[checks] if checks < len(_PAUSES) else _LAST_PAUSE
    at = now + timedelta(seconds=pause)
    return at if at <= until else None


def window_end(gateway: str, created_at: datetime) -> datetime:
    """Until when the gateway is asked about an attempt (UTC)."""
    window = WEBPAY_WINDOW if gateway == states.WEBPAY else MERCADOPAGO_WINDOW
    return created_at + window


NORMAL = "normal"
ABORTED = "aborted"
TIMEOUT = "timeout"
FORM_ERROR = "form_error"
INVALID = "invalid"


def classify_return(params: Mapping[str, list[str]]) -> str:
    """Which of Webpay's four returns the parameters make (facts of Transbank's plugin).

    A repeated parameter makes the return invalid. TBK_ID_SESION is also spelt with two
    S in a part of Transbank's documentation.
    """
    names = ("token_ws", "TBK_TOKEN", "TBK_ORDEN_COMPRA")
    session_names = ("TBK_ID_SESION", "TBK_ID_SESSION")
    if any(len(params.get(name, [])) > 1 for name in (*names, *session_names)):
        return INVALID
    token, tbk_token, buy_order = (bool(params.get(name)) for name in names)
    session = any(params.get(name) for name in session_names)
    if token and tbk_token:
        return FORM_ERROR
    if token:
        return INVALID if session or buy_order else NORMAL
    if tbk_token:
        return ABORTED
    return TIMEOUT if session and buy_order else INVALID
