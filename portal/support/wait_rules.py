"""How long one waits, said from what happened today. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

# The newest ones: the desk of this hour, not that of the morning.
RECENT = 8
# Fewer say nothing.
ENOUGH = 2


def pace(attended: Sequence[tuple[datetime, datetime]]) -> timedelta | None:
    """What the desk takes to reach the next one; None when today does not tell yet.

    `attended` are the instants at which one entered the queue and was attended. An hour
    in which nobody waited counts for nothing.
    """
    ordered = sorted(attended, key=lambda pair: pair[1])
    spans: list[timedelta] = []
    before: datetime | None = None
    for entered, reached in ordered:
        free = entered if before is None else max(entered, before)
        spans.append(max(reached - free, timedelta(0)))
        before = reached
    if len(spans) < ENOUGH:
        return None
    seconds = median(span.total_seconds() for span in spans[-RECENT:])
    return timedelta(seconds=seconds)


def wait_minutes(place: int, pace_now: timedelta | None) -> int | None:
    """Whole minutes until one's turn, at least 1; None when today does not tell yet."""
    if pace_now is None:
        return None
    return max(1, -int(-(pace_now * place).total_seconds() // 60))
