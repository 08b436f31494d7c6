"""What every gateway offers to the portal, and the words it may answer with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any, Protocol

from portal.db import in_transaction
from portal.errors import PortalError

# At most this many requests wait for gateways at once: half of the server's threads
# (docs/architecture.md), so that slow gateways never stop boards and pages.
MAX_CALLS = 8
SLOT_WAIT_SECONDS = 2.0
# A commit that finds no slot would lose a payment that the bank has authorised.
COMMIT_WAIT_SECONDS = 15.0


class GatewayRefusedError(PortalError):
    """The gateway said no, definitely: nothing happened there."""


class GatewayUnreachableError(PortalError):
    """The call never left: no connection, so nothing happened there."""


class GatewayUnknownError(PortalError):
    """No usable answer: it may or may not have happened. Unknown is not failed."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a gateway must know to take a payment. `amount` is in pesos."""

    payment_id: int
    buy_order: str
    reference: str
    amount: int
    service_slug: str
    service_name: str
    order_number: str
    name: str
    email: str
    phone: str
    rut: str | None
    address: str | None
    created_at: datetime
    pay_until: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Where the customer goes: `url`, with the POST field `token` for Webpay."""

    url: str
    token: str | None = None
    preference_id: str | None = None
    account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the gateway's API said of one payment, read by us, never from a URL.

    `word` is approved, pending, rejected, partly_refunded, refunded, charged_back, or
    `open` (nothing decided yet). Amounts are pesos. None: the gateway does not tell.
    """

    word: str
    gateway_payment_id: str | None = None
    amount: int | None = None
    amount_is_whole: bool = True
    currency: str | None = None
    reference: str | None = None
    buy_order: str | None = None
    account: str | None = None
    live: bool | None = None
    refunded_amount: int = 0
    detail: str = ""
    approved_at: datetime | None = None
    method: str = ""
    card_last4: str = ""
    authorization_code: str = ""
    payment_type: str = ""
    installments: int = 0
    installment_amount: int | None = None

    def record(self) -> dict[str, Any]:
        """What is kept with the payment: no secret reference in it."""
        kept = asdict(self)
        kept.pop("reference")
        if self.approved_at:
            kept["approved_at"] = self.approved_at.isoformat()
        return kept

    @classmethod
    def kept(cls, record: dict[str, Any] | None, **said: Any) -> "Evidence":
        """What `record` kept (the receipt needs it), with something newer said."""
        names = {field.name for field in fields(cls)}
        known = {name: it for name, it in (record or {}).items() if name in names}
        if known.get("approved_at"):
            known["approved_at"] = datetime.fromisoformat(known["approved_at"])
        return cls(**{**known, **said})


@dataclass(frozen=True, kw_only=True)
class Question:
    """How an attempt is found at its gateway: by token, or by secret reference."""

    token: str | None
    reference: str


class Gateway(Protocol):
    """One medium of payment. Every method may wait for the network (seconds)."""

    name: str

    def begin(self, attempt: Attempt) -> Begun:
        """Open the attempt at the gateway. Raises the three Gateway errors."""
        ...

    def look_up(self, question: "Question") -> list[Evidence]:
        """All that the gateway knows of an attempt; changes nothing there."""
        ...


_slots = BoundedSemaphore(MAX_CALLS)


@contextmanager
def gateway_call(wait_seconds: float = SLOT_WAIT_SECONDS) -> Iterator[None]:
    """Guards each call over the network: never in a transaction, never too many.

    Raises GatewayUnreachableError when every slot stays taken so long.
    """
    if in_transaction():
        raise RuntimeError("no network call inside a write transaction")
    if not _slots.acquire(timeout=wait_seconds):
        raise GatewayUnreachableError("too many gateway calls at once")
    try:
        yield
    finally:
        _slots.release()


def whole_pesos(value: object) -> tuple[int | None, bool]:
    """A gateway's amount as pesos, and whether it was a whole number."""
    if isinstance(value, bool) or value is None:
        return None, False
    if isinstance(value, int):
        return value, True
    try:
        number = float(str(value))
    except ValueError:
        return None, False
    if number != number or abs(number) > 1e12:
        return None, False
    return int(number), number == int(number)
