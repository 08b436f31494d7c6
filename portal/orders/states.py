"""The order's machine (docs/architecture.md, "States")."""

from portal.journal.service import Transitions

AWAITING_PAYMENT = "awaiting_payment"
PAID = "paid"
EXPIRED = "expired"
CANCELLED = "cancelled"
REFUNDED = "refunded"
CHARGED_BACK = "charged_back"

TRANSITIONS: Transitions = {
    AWAITING_PAYMENT: frozenset({PAID, EXPIRED, CANCELLED}),
    # Late money that is honoured: by the customer's choice or by the owner.
    EXPIRED: frozenset({PAID}),
    CANCELLED: frozenset(),
    PAID: frozenset({REFUNDED, CHARGED_BACK}),
    REFUNDED: frozenset(),
    CHARGED_BACK: frozenset(),
}
STATES = tuple(TRANSITIONS)
# An order that is, or once was, paid.
EVER_PAID = frozenset({PAID, REFUNDED, CHARGED_BACK})
