"""What the gateways say of a month against what the portal says. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.money import format_pesos
from portal.payments import states
from portal.payments.gateways.base import Evidence

THERE_NOT_HERE = "Pagado allá y no aquí"
HERE_NOT_THERE = "Pagado aquí y no allá"
OTHER_AMOUNT = "Otro monto"
OTHER_STATE = "Otro estado"
MISPLACED = {
    states.SURPLUS: "Pago de más",
    states.LATE: "Pago que llegó tarde",
    states.MISMATCH: "Pago que no coincide",
}
PENDING_REFUND = "Devolución pendiente"
NO_ANSWER = "Sin respuesta"
_GONE = (states.REFUNDED, states.CHARGED_BACK)
_UNRESOLVED = (states.UNKNOWN, states.COMMITTING, states.PENDING)
WORDS = {
    "approved": "aprobado",
    "pending": "pendiente",
    "rejected": "rechazado",
    "partly_refunded": "devuelto en parte",
    "refunded": "devuelto",
    "charged_back": "contracargo",
    "open": "sin decidir",
    "unknown": "sin respuesta",
    "committing": "confirmándose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One payment as the portal has it, with the gateway's last word. Pesos.

    `word` and `said` are state and amount as the gateway last told them; None when it
    never told. `in_month`: approved in the month, or begun in it when never approved.
    """

    payment_id: int
    number: int
    gateway: str
    state: str
    disposition: str | None
    charged: int
    refunded: int
    gateway_number: str | None
    asked_at: datetime | None
    word: str | None
    said: int | None
    refund_pending: bool
    in_month: bool = True

    @property
    def has_money(self) -> bool:
        """Whether the portal says that it was paid."""
        return self.state in states.SETTLED


@dataclass(frozen=True, slots=True)
class Difference:
    """One row to act on: what is odd, and what each side says."""

    kind: str
    gateway: str
    here: str
    there: str
    asked_at: datetime | None
    gateway_number: str
    number: int | None
    payment_id: int | None


def _of(known: Known, kind: str, there: str) -> Difference:
    return Difference(
        kind,
        states.GATEWAY_NAMES[known.gateway],
        side(known.state, known.charged, known.refunded),
        there,
        known.asked_at,
        known.gateway_number or "",
        known.number,
        known.payment_id,
    )


def side(word: str | None, pesos: int | None, refunded: int = 0) -> str:
    """'aprobado, $19.990' with what went back of it."""
    if word is None:
        return "nada todavía"
    said = WORDS.get(word, word)
    amount = f", {format_pesos(pesos)}" if pesos is not None else ""
    back = f", devuelto {format_pesos(refunded)}" if refunded else ""
    return f"{said}{amount}{back}"


def own_differences(payments: Iterable[Known]) -> list[Difference]:
    """What the portal itself knows to be unsettled, by each payment's last answer."""
    found = []
    for known in payments:
        there = side(known.word, known.said)
        left = known.state not in _GONE and known.refunded < known.charged
        if known.disposition in MISPLACED and left:
            found.append(_of(known, MISPLACED[known.disposition], there))
        elif known.has_money and known.said not in (None, known.charged):
            found.append(_of(known, OTHER_AMOUNT, there))
        if known.refund_pending:
            found.append(_of(known, PENDING_REFUND, there))
        if known.state in _UNRESOLVED:
            found.append(_of(known, NO_ANSWER, there))
    return found


def compare(theirs: Sequence[Evidence], ours: Sequence[Known]) -> list[Difference]:
    """What a search at Mercado Pago tells apart from the portal's payments."""
    by_number = {known.gateway_number: known for known in ours if known.gateway_number}
    found = []
    for evidence in theirs:
        known = by_number.pop(evidence.gateway_payment_id or "", None)
        paid = evidence.word in states.SETTLED
        if paid and (known is None or not known.has_money):
            found.append(_stranger(evidence, known))
        elif known is not None and known.has_money:
            found += _apart(evidence, known)
    found += [
        _of(known, HERE_NOT_THERE, "no aparece")
        for known in by_number.values()
        if known.has_money and known.in_month
    ]
    return found


def _stranger(evidence: Evidence, known: Known | None) -> Difference:
    return Difference(
        THERE_NOT_HERE,
        states.GATEWAY_NAMES[states.MERCADOPAGO],
        side(known.state, known.charged) if known else "no existe",
        side(evidence.word, evidence.amount, evidence.refunded_amount),
        None,
        evidence.gateway_payment_id or "",
        known.number if known else None,
        known.payment_id if known else None,
    )


def _apart(evidence: Evidence, known: Known) -> list[Difference]:
    there = side(evidence.word, evidence.amount, evidence.refunded_amount)
    if evidence.amount != known.charged:
        return [_of(known, OTHER_AMOUNT, there)]
    charged_back = {evidence.word, known.state} & {states.CHARGED_BACK}
    # What was given back by hand shows here alone: the gateway's money is the same.
    apart = (
        evidence.word not in states.SETTLED
        or evidence.refunded_amount > known.refunded
        or (charged_back and evidence.word != known.state)
    )
    return [_of(known, OTHER_STATE, there)] if apart else []
