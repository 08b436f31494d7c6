"""The version of the customer's page, and whether it still holds. Pure.

`<rows>-<shown>.<from>-<until>`: marks of the rows and of all that is shown, and between
which instants (milliseconds) the first tells everything. Without instants (money is
being waited for) the page must be worked out to know.
"""

import hashlib
from datetime import UTC, datetime

# Anybody may write a version: no instant of ours is in the year 5138.
_FAR = 10**14


def _mark(facts: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def page_version(
    rows: tuple[object, ...],
    shown: tuple[object, ...],
    now: datetime,
    until: datetime | None,
) -> str:
    """The version of a page drawn at `now`; `until` is when time itself changes it."""
    edge = f"{_milliseconds(now)}-{_milliseconds(until)}" if until else ""
    return f"{_mark(rows)}-{_mark(shown)}.{edge}"


def rows_hold(asked: str, rows: tuple[object, ...], now: datetime) -> bool:
    """Whether the rows alone tell that the page which `asked` has nothing new."""
    mark, _, edge = asked.partition(".")
    since, _, until = edge.partition("-")
    both = since + until
    if not (since and until and both.isascii() and both.isdigit() and len(both) < 30):
        return False
    in_time = int(since) <= _milliseconds(now) < int(until)
    return in_time and mark.partition("-")[0] == _mark(rows)


def holds_until(asked: str) -> datetime:
    """Until when a version that holds by its rows does so."""
    until = min(int(asked.rpartition("-")[2]), _FAR)
    return datetime.fromtimestamp(until / 1000, UTC)


def is_same(asked: str, version: str) -> bool:
    """Whether a page that was worked out shows what it did.

    One that gets new instants is drawn anew, so that its next polls are cheap.
    """
    mark, _, edge = version.partition(".")
    return not edge and asked.partition(".")[0] == mark
