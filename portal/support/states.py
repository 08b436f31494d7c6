"""The machines of attentions and errands (docs/architecture.md, "States")."""

from portal.journal.service import Transitions

DEFERRED = "deferred"
WAITING = "waiting"
TAKEN = "taken"
RUNNING = "running"
PAUSED = "paused"
TIMED_OUT = "timed_out"
CLOSED = "closed"
NO_SHOW = "no_show"
CANCELLED = "cancelled"

TRANSITIONS: Transitions = {
    DEFERRED: frozenset({WAITING, CANCELLED}),
    # Deferred again when the day ends before anybody took it.
    WAITING: frozenset({TAKEN, DEFERRED, NO_SHOW, CANCELLED}),
    TAKEN: frozenset({WAITING, RUNNING, NO_SHOW, CANCELLED}),
    RUNNING: frozenset({PAUSED, CLOSED, TIMED_OUT}),
    PAUSED: frozenset({RUNNING, CLOSED}),
    TIMED_OUT: frozenset({CLOSED}),
    CLOSED: frozenset(),
    NO_SHOW: frozenset({WAITING, CANCELLED}),
    # A refund that the gateway refused: the customer may return to the old place.
    CANCELLED: frozenset({WAITING}),
}
STATES = tuple(TRANSITIONS)

# Within ten seconds, by the technician who did it.
UNDO: Transitions = {
    RUNNING: frozenset({TAKEN}),
    PAUSED: frozenset({RUNNING}),
    CLOSED: frozenset({RUNNING, PAUSED, TIMED_OUT}),
}

# With a technician who holds it, and nobody else.
HELD = frozenset({TAKEN, RUNNING, PAUSED, TIMED_OUT})
NOT_STARTED = frozenset({DEFERRED, WAITING, TAKEN, NO_SHOW})
# On the board until somebody ends it.
LIVING = frozenset(STATES) - {CLOSED, CANCELLED}

RESOLVED = "resuelto"
PARTLY = "parcial"
UNRESOLVED = "no resuelto"
OUTCOMES = (RESOLVED, PARTLY, UNRESOLVED)

ERRAND_OPEN = "open"
ERRAND_SCHEDULED = "scheduled"
ERRAND_DONE = "done"
ERRAND_CANCELLED = "cancelled"

ERRAND_TRANSITIONS: Transitions = {
    ERRAND_OPEN: frozenset({ERRAND_SCHEDULED, ERRAND_DONE, ERRAND_CANCELLED}),
    ERRAND_SCHEDULED: frozenset({ERRAND_DONE, ERRAND_CANCELLED}),
    ERRAND_DONE: frozenset(),
    ERRAND_CANCELLED: frozenset(),
}
ERRAND_STATES = tuple(ERRAND_TRANSITIONS)

# What a public entry tells the customer: before something is applied, and after.
WILL_DO = "haremos"
DONE = "hecho"
ENTRY_KINDS = (WILL_DO, DONE)
