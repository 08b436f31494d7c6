"""When and how much may be given back, by the gateways' own rules. Pure."""

from datetime import datetime, timedelta

from portal.journal.service import Transitions
from portal.payments import states as pay

REQUESTED = "requested"
SENT = "sent"
CONFIRMED = "confirmed"
REJECTED = "rejected"
PAID_BY_HAND = "paid_by_hand"

TRANSITIONS: Transitions = {
    REQUESTED: frozenset({SENT}),
    SENT: frozenset({CONFIRMED, REJECTED}),
    # The owner tries again, or gives the money back by transfer.
    REJECTED: frozenset({REQUESTED, PAID_BY_HAND}),
    CONFIRMED: frozenset(),
    PAID_BY_HAND: frozenset(),
}
STATES = tuple(TRANSITIONS)
IN_FLIGHT = (REQUESTED, SENT)
# Money that is still here, at least a part of it.
GIVABLE = (pay.APPROVED, pay.PARTLY_REFUNDED)
# The same refund asked for again so soon is a second tap, not a second refund.
SECOND_TAP = timedelta(minutes=1)

# Why a refund is rejected when no gateway refused it.
UNREADABLE = "unreadable"
UNCONFIRMED = "unconfirmed"
NO_KEY = "no_key"
_REJECTED_WORDS = {
    UNREADABLE: "El medio de pago ya no dice si la hizo. Búsquela antes en su panel "
    "(en Webpay, el portal de Transbank): si figura hecha, anótela; si no, intente "
    "de nuevo.",
    UNCONFIRMED: "El medio de pago nunca la confirmó. Búsquela en su panel.",
    NO_KEY: "El portal ya no puede abrir este pago: se cambió la clave SECRET_KEY. "
    "Devuélvalo en el portal de Transbank o por transferencia.",
}

# Until when a gateway takes a refund (facts of Transbank and Mercado Pago).
LIMITS = {pay.WEBPAY: timedelta(days=90), pay.MERCADOPAGO: timedelta(days=180)}
# Transbank: debit and prepaid sales, and sales in instalments, only in full.
_ONLY_IN_FULL = {
    "VD": "Las ventas con débito se devuelven solo completas.",
    "VP": "Las ventas con prepago se devuelven solo completas.",
    "VC": "Las ventas en cuotas se devuelven solo completas.",
    "SI": "Las ventas en cuotas se devuelven solo completas.",
    "S2": "Las ventas en cuotas se devuelven solo completas.",
    "NC": "Las ventas en cuotas se devuelven solo completas.",
}
# A refund that was sent and is not confirmed is asked about, then sent again while
# the gateway says that it was not done, so many times before the owner must act.
MAX_TRIES = 6
_PAUSES = (15, 60, 300, 1800, 7200, 21600)


def problem(
    *,
    gateway: str,
    state: str,
    paid: int,
    refunded: int,
    amount: int,
    payment_type: str,
    approved_at: datetime | None,
    now: datetime,
) -> str | None:
    """Why this amount (pesos) cannot be given back now; None when it can."""
    if state not in GIVABLE:
        return "Este pago ya no se puede devolver."
    if amount <= 0 or amount > paid - refunded:
        return "El monto debe ser mayor que cero y no pasar de lo que queda."
    if gateway == pay.MANUAL:
        return "Este pago se hizo por transferencia: devuélvalo por el mismo medio."
    if approved_at is not None and now - approved_at > LIMITS[gateway]:
        return f"Pasaron los {LIMITS[gateway].days} días del medio de pago."
    if gateway == pay.WEBPAY and amount != paid:
        return _ONLY_IN_FULL.get(payment_type)
    return None


def next_try(tries: int, now: datetime) -> datetime:
    """When to ask about, or send again, a refund that is not confirmed (UTC)."""
    return now + timedelta(seconds=_PAUSES[min(tries, len(_PAUSES) - 1)])


def covered(amounts: list[int], refunded: int) -> int:
    """How many refunds, oldest first, the pesos given back account for."""
    for done, amount in enumerate(amounts):
        refunded -= amount
        if refunded < 0:
            return done
    return len(amounts)


def rejection_words(detail: str | None) -> str:
    """Why a refund was rejected, for the owner: our own words, or the gateway's."""
    if detail in _REJECTED_WORDS:
        return _REJECTED_WORDS[detail]
    return f"El medio de pago no la aceptó ({detail or 'sin detalle'})."
