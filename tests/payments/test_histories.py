"""Random histories of money keep every invariant; the ledgers agree at the end."""

import pytest
from history_machine import machine_of
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from money_world import World

HISTORIES = 125
STEPS = 14


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_random_histories_of_money_break_nothing(world: World, part: int) -> None:
    machine = machine_of(world)
    run_state_machine_as_test(
        seed(20261124 + part)(machine),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(machine.seen) > HISTORIES // 2
