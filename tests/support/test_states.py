"""The machines of attentions and errands, as tables."""

import pytest

from portal.support import states

# Row: from. Columns: every state it may become. Nothing else is a move.
ATTENTION = {
    "deferred": "waiting cancelled",
    "waiting": "taken deferred no_show cancelled",
    "taken": "waiting running no_show cancelled",
    "running": "paused closed timed_out",
    "paused": "running closed",
    "timed_out": "closed",
    "closed": "",
    "no_show": "waiting cancelled",
    "cancelled": "waiting",
}
ERRAND = {
    "open": "scheduled done cancelled",
    "scheduled": "done cancelled",
    "done": "",
    "cancelled": "",
}
UNDO = {"running": "taken", "paused": "running", "closed": "running paused timed_out"}


@pytest.mark.parametrize(
    ("machine", "table"),
    [
        (states.TRANSITIONS, ATTENTION),
        (states.ERRAND_TRANSITIONS, ERRAND),
        (states.UNDO, UNDO),
    ],
)
def test_machine_has_these_moves_and_no_other(machine, table) -> None:
    assert machine == {state: frozenset(to.split()) for state, to in table.items()}


@pytest.mark.parametrize(
    "machine", [states.TRANSITIONS, states.ERRAND_TRANSITIONS, states.UNDO]
)
def test_every_target_is_a_state(machine) -> None:
    known = set(states.STATES) | set(states.ERRAND_STATES)
    assert set().union(*machine.values()) <= known


def test_undo_goes_back_where_a_move_came_from() -> None:
    for state, origins in states.UNDO.items():
        assert all(state in states.TRANSITIONS[origin] for origin in origins)


def test_a_clock_that_ran_is_never_handed_back_to_the_queue() -> None:
    started = {"running", "paused", "timed_out", "closed"}
    for state in started:
        assert states.TRANSITIONS[state] <= started
