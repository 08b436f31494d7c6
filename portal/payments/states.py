"""The payment's machine (docs/architecture.md, "States"), one table a gateway."""

from portal.journal.service import Transitions

MERCADOPAGO = "mercadopago"
WEBPAY = "webpay"
MANUAL = "manual"
GATEWAYS = (MERCADOPAGO, WEBPAY, MANUAL)
# As customers and the owner read them.
GATEWAY_NAMES = {
    MERCADOPAGO: "Mercado Pago",
    WEBPAY: "Webpay",
    MANUAL: "Transferencia",
}

FREE_NAME = "Sin costo"

CREATED = "created"
REDIRECTED = "redirected"
COMMITTING = "committing"
PENDING = "pending"
UNKNOWN = "unknown"
APPROVED = "approved"
REJECTED = "rejected"
ABORTED = "aborted"
TIMED_OUT = "timed_out"
FAILED = "failed"
PARTLY_REFUNDED = "partly_refunded"
REFUNDED = "refunded"
CHARGED_BACK = "charged_back"

STATES = (
    CREATED,
    REDIRECTED,
    COMMITTING,
    PENDING,
    UNKNOWN,
    APPROVED,
    REJECTED,
    ABORTED,
    TIMED_OUT,
    FAILED,
    PARTLY_REFUNDED,
    REFUNDED,
    CHARGED_BACK,
)
# Money that reached us, whatever became of it later: these have a disposition.
SETTLED = frozenset({APPROVED, PARTLY_REFUNDED, REFUNDED, CHARGED_BACK})
# Attempts that the gateway may still turn into money at any moment.
IN_FLIGHT = frozenset({CREATED, REDIRECTED, COMMITTING, PENDING, UNKNOWN})
# Attempts whose outcome only a gateway, or at last the owner, can tell.
WITHOUT_ANSWER = (UNKNOWN, COMMITTING, PENDING)
# Attempts of which at most one may live per order and gateway.
LIVING = (CREATED, REDIRECTED, COMMITTING)

APPLIED = "applied"
SURPLUS = "surplus"
LATE = "late"
MISMATCH = "mismatch"
DISPOSITIONS = (APPLIED, SURPLUS, LATE, MISMATCH)

_AFTER_APPROVAL: dict[str, frozenset[str]] = {
    APPROVED: frozenset({PARTLY_REFUNDED, REFUNDED, CHARGED_BACK}),
    PARTLY_REFUNDED: frozenset({REFUNDED, CHARGED_BACK}),
    REFUNDED: frozenset(),
    CHARGED_BACK: frozenset(),
}
_ENDED_WITHOUT_MONEY: dict[str, frozenset[str]] = {
    FAILED: frozenset({APPROVED}),
    ABORTED: frozenset({APPROVED}),
    TIMED_OUT: frozenset({APPROVED}),
    REJECTED: frozenset({APPROVED}),
    UNKNOWN: frozenset({APPROVED, REJECTED}),
}
TRANSITIONS: dict[str, Transitions] = {
    WEBPAY: {
        CREATED: frozenset({REDIRECTED, FAILED, UNKNOWN}),
        REDIRECTED: frozenset({COMMITTING, ABORTED, TIMED_OUT}),
        COMMITTING: frozenset({APPROVED, REJECTED, UNKNOWN}),
        **_ENDED_WITHOUT_MONEY,
        **_AFTER_APPROVAL,
    },
    MERCADOPAGO: {
        CREATED: frozenset({REDIRECTED, FAILED, UNKNOWN}),
        REDIRECTED: frozenset({PENDING, APPROVED, TIMED_OUT}),
        PENDING: frozenset({APPROVED, REJECTED}),
        **_ENDED_WITHOUT_MONEY,
        **_AFTER_APPROVAL,
    },
    MANUAL: {CREATED: frozenset({APPROVED}), **_AFTER_APPROVAL},
}


def medium_name(gateway: str, amount: int) -> str:
    """How an order was paid, in words; of nothing (pesos) it was given free."""
    return FREE_NAME if (gateway, amount) == (MANUAL, 0) else GATEWAY_NAMES[gateway]


_GONE = frozenset({PARTLY_REFUNDED, REFUNDED, CHARGED_BACK})
_COMMIT_ASKED = SETTLED | {COMMITTING, UNKNOWN}


def path(gateway: str, state: str, word: str) -> tuple[str, ...]:
    """The states through which the gateway's `word` takes a payment, in order.

    `word` is approved, pending, rejected, partly_refunded, refunded or charged_back.
    Empty when the word tells nothing new; money that was here never becomes unpaid.
    """
    machine = TRANSITIONS[gateway]
    if word in machine[state]:
        return (word,)
    if gateway == WEBPAY and word in _GONE and state not in _COMMIT_ASKED:
        # Never committed by us: Transbank gave it back, so it never was our money.
        return ()
    if word in SETTLED and state not in SETTLED:
        if word == APPROVED:
            return _road_to_approval(machine, state)
        return (*_road_to_approval(machine, state), word)
    if word == REJECTED and state == REDIRECTED and gateway == WEBPAY:
        # Only a commit of ours can have made it: the row of that commit was lost.
        return (COMMITTING, REJECTED)
    return ()


def _road_to_approval(machine: Transitions, state: str) -> tuple[str, ...]:
    """Through the states that must be passed, each a move of the machine."""
    road: tuple[str, ...] = ()
    while APPROVED not in machine[state]:
        state = REDIRECTED if state == CREATED else COMMITTING
        road = (*road, state)
    return (*road, APPROVED)
