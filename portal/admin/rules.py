"""What money out of place means and what the owner does about it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from portal.payments import states
from portal.payments.states import GATEWAY_NAMES

UNRESOLVED = "unresolved"
# Webpay tells within seconds; after an hour its silence is for a person to look at.
UNRESOLVED_AFTER = timedelta(hours=1)
UNRESOLVED_STATES = (states.UNKNOWN, states.COMMITTING)
NOT_GIVEN_BACK = (states.APPROVED, states.PARTLY_REFUNDED)
MAX_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of money out of place, in plain words; `refund`: it goes back."""

    word: str
    text: str
    advice: str
    refund: bool = True


MEANINGS = {
    states.SURPLUS: Meaning(
        "Pago de más",
        "El pedido ya tenía su pago y este llegó además: el cliente pagó dos veces.",
        "Devuélvalo completo.",
    ),
    states.LATE: Meaning(
        "Llegó tarde",
        "El cliente pagó cuando el pedido ya había vencido. No se le abrió ninguna "
        "atención: pagó y todavía no recibe nada.",
        "El cliente puede elegir en su enlace que le atiendan o que le devuelvan. Si "
        "no elige, hágalo usted.",
    ),
    states.MISMATCH: Meaning(
        "No coincide",
        "El cobro existe, pero no calza con el pedido en monto, moneda, cuenta o "
        "referencia. Por eso no lo pagó.",
        "Compruebe el cobro y devuélvalo completo.",
    ),
    UNRESOLVED: Meaning(
        "Sin respuesta",
        "Pedimos confirmar el pago y no sabemos qué se decidió. Puede que el cliente "
        "haya pagado.",
        "Pregunte de nuevo. Si sigue igual, búsquelo a mano: si no aparece, no se "
        "cobró nada; si aparece aprobado, devuélvalo.",
        refund=False,
    ),
}

_STATE_WORDS = {
    states.PENDING: "sigue pendiente",
    states.APPROVED: "está aprobado",
    states.REJECTED: "fue rechazado, no se cobró nada",
    states.PARTLY_REFUNDED: "fue devuelto en parte",
    states.REFUNDED: "fue devuelto",
    states.CHARGED_BACK: "fue desconocido por el cliente (contracargo)",
}


def kind_of(disposition: str | None) -> str:
    """The key of MEANINGS: what the money did, or that nobody knows yet."""
    return disposition or UNRESOLVED


@dataclass(frozen=True, slots=True)
class Panel:
    """Where the owner gives money back by hand, and which number finds it there."""

    place: str
    number: str


PANELS = {
    states.WEBPAY: Panel("el portal de clientes de Transbank", "Orden de compra"),
    states.MERCADOPAGO: Panel(
        "la actividad de su cuenta de Mercado Pago", "Número de operación"
    ),
}


def answer_words(
    gateway: str, number: str, unanswered: int, told: Iterable[str]
) -> str:
    """What came of asking a gateway again; `told` are the new states, in order."""
    name, subject = GATEWAY_NAMES[gateway], f"el pago del pedido {number}"
    new = [_STATE_WORDS[state] for state in told if state in _STATE_WORDS]
    if new:
        return f"{name} contestó: {subject} {new[-1]}."
    if unanswered:
        return f"{name} no contestó sobre {subject}. Inténtelo en unos minutos."
    return f"{name} contestó: {subject} sigue igual."


def age_words(seconds: int) -> str:
    """5 -> 'hace 5 s'; 130 -> 'hace 2 min'; 7300 -> 'hace 2 h'."""
    if seconds < 60:
        return f"hace {seconds} s"
    if seconds < 2 * 3600:
        return f"hace {seconds // 60} min"
    return f"hace {seconds // 3600} h"
