"""In which order tests begin when several processes share them.

pytest-xdist gives each process an equal stretch of the collection; whoever is done
takes the end of another's. A long test met near an end is waited for by all, so each
stretch begins with its share of those marked `long`. The tests over the one demo stay
together, at the very beginning: a second process that met one would start a demo too.
"""

import pytest


def deal(items: list[pytest.Item], processes: int) -> None:
    """Reorder the collection in place for so many processes; the same in each."""
    demo = [each for each in items if "live_stack" in getattr(each, "fixturenames", ())]
    long = [each for each in items if each.get_closest_marker("long")]
    first = {id(each) for each in (*demo, *long)}
    rest = [each for each in items if id(each) not in first]
    dealt: list[pytest.Item] = []
    for number in range(processes):
        begin = [*(demo if number == 0 else ()), *long[number::processes]]
        # As many as xdist gives to the next of those that are left.
        size = (len(items) - len(dealt)) // (processes - number)
        filled = max(0, size - len(begin))
        dealt += [*begin, *rest[:filled]]
        del rest[:filled]
    items[:] = [*dealt, *rest]
