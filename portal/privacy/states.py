"""The machine of a request over personal data (docs/architecture.md, "States")."""

from portal.journal.service import Transitions

UNVERIFIED = "unverified"
OPEN = "open"
ANSWERED = "answered"
REFUSED = "refused"

TRANSITIONS: Transitions = {
    # By the link that was mailed to the address that the request gives.
    UNVERIFIED: frozenset({OPEN}),
    OPEN: frozenset({ANSWERED, REFUSED}),
    ANSWERED: frozenset(),
    REFUSED: frozenset(),
}
STATES = tuple(TRANSITIONS)
OVER = frozenset({ANSWERED, REFUSED})
STATE_WORDS = {
    UNVERIFIED: "Sin confirmar",
    OPEN: "Por contestar",
    ANSWERED: "Contestada",
    REFUSED: "Negada",
}
