"""The list of seeded defects follows the code: each guard and its test are there."""

from dataclasses import replace

import pytest

from bench.torture.defects import DEFECTS, is_there


def test_every_guard_and_the_test_that_should_miss_it_are_there() -> None:
    assert [it.name for it in DEFECTS if not is_there(it)] == []
    assert len({it.name for it in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize(
    "gone",
    [
        {"old": "no such text"},
        {"old": "    "},
        {"first": f"{DEFECTS[0].tests[0]}::test_that_was_renamed"},
        {"tests": ("tests/test_that_was_moved.py",)},
    ],
)
def test_what_is_not_there_is_told(gone: dict[str, str]) -> None:
    assert not is_there(replace(DEFECTS[0], **gone))
