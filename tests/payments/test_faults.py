"""The core part of `make torture`: every small history of events, and SIGKILLs."""

import pytest
from money_world import World

from bench.torture import events, kills

# Of the causal orders of five events, one in so many; torture plays all of ten.
EVERY = 16
KILLS = 3


@pytest.mark.parametrize("part", range(2))
def test_causal_orders_of_five_events_break_nothing(world: World, part: int) -> None:
    for history in list(events.orders(5))[part::2][::EVERY]:
        assert events.play(world, history) == []


@pytest.mark.long
def test_kills_under_purchases_lose_and_double_nothing() -> None:
    with kills.stack_on("sqlite") as (stack, shop, _cluster):
        seen = kills.kill_often(stack, shop, KILLS)
        # A purchase that nobody kills goes through to the end.
        path = shop.place()
        kills._buy(stack, shop, path, "webpay")
        assert shop.paid() >= 1
    assert seen.problems == []
