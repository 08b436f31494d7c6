"""What two virtual weeks leave behind: memory, files, turns, clocks."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from portal.clock import local

ATTENTION = timedelta(minutes=90)
# A pause is kept in whole seconds, each rounded.
ROUNDED = timedelta(seconds=1)
MB = 2**20


@dataclass(frozen=True)
class Sample:
    """Both processes and the folders at one instant; memory and sizes in bytes."""

    server: int
    worker: int
    server_files: int
    worker_files: int
    backups: int
    backup_bytes: int
    database: int
    others: tuple[str, ...]


def group_of(leader: int) -> list[int]:
    """The processes of the group, oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == leader:
            found.append(int(stat.parent.name))
    return sorted(found)


def memory_of(processes: Iterable[int]) -> int:
    """Resident bytes of all of them."""
    pages = sum(
        int(Path(f"/proc/{process}/statm").read_text().split()[1])
        for process in processes
    )
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files(processes: Iterable[int]) -> int:
    """How many descriptors they hold."""
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in processes)


def leftovers(folder: Path, known: Sequence[str]) -> tuple[str, ...]:
    """Files of the folder, and below, that nothing here is meant to leave."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(tuple(known)):
            found.append(name)
    return tuple(sorted(found))


def growth(values: Sequence[int], warm: int) -> int:
    """How much the last third is above the first one, once `warm` samples are over."""
    after = values[warm:]
    third = max(1, len(after) // 3)
    return round(sum(after[-third:]) / third - sum(after[:third]) / third)


# Turns ---------------------------------------------------------------------


def turn_problems(
    daily: dict[str, Any],
    ran: Sequence[tuple[str, datetime]],
    begin: datetime,
    end: datetime,
    step: timedelta,
) -> list[str]:
    """Daily jobs: at the start, then once a night within a step after their hour."""
    problems = []
    days: list[str] = []
    day = local(begin).date() + timedelta(days=1)
    while day <= local(end).date():
        days.append(day.isoformat())
        day += timedelta(days=1)
    for name, at in daily.items():
        turns = [local(instant) for job, instant in ran if job == name]
        if not turns or turns[0] - local(begin) > step:
            problems.append(f"{name}: no turn at the first start")
        nights = [turn.date().isoformat() for turn in turns[1:]]
        if nights != days:
            problems.append(f"{name}: nights {nights}, not {days}")
        for turn in turns[1:]:
            due = datetime.combine(turn.date(), at, tzinfo=turn.tzinfo)
            if not timedelta(0) <= turn - due <= step:
                problems.append(f"{name}: ran at {turn:%d %H:%M:%S}, due {at:%H:%M}")
    return problems


def lateness(daily: dict[str, Any], ran: Sequence[tuple[str, datetime]]) -> float:
    """Minutes by which the latest turn of a daily job came after its hour."""
    late = [0.0]
    for name, at in daily.items():
        for turn in [local(instant) for job, instant in ran if job == name][1:]:
            due = datetime.combine(turn.date(), at, tzinfo=turn.tzinfo)
            late.append((turn - due).total_seconds() / 60)
    return max(late)


def hourly_problems(
    name: str, ran: Sequence[tuple[str, datetime]], begin: datetime, end: datetime
) -> list[str]:
    """A job of each hour: one turn in every one of them."""
    turns: dict[datetime, int] = defaultdict(int)
    for job, instant in ran:
        if job == name:
            turns[instant.replace(minute=0, second=0, microsecond=0)] += 1
    hour = begin.replace(minute=0, second=0, microsecond=0)
    problems = []
    while hour < end:
        if turns.pop(hour, 0) != 1:
            problems.append(f"{name}: not once in the hour of {hour:%d %H} UTC")
        hour += timedelta(hours=1)
    return problems


# Clocks --------------------------------------------------------------------


def clock_problems(connection: Connection) -> tuple[int, list[str]]:
    """How many clocks ran and were closed, and which of them do not add up.

    The history tells when each ran and when it stood. What the attention says of its
    pauses, and the rows of its pauses, must be the sum of that; and no clock ran for
    longer than 90 minutes.
    """
    spans = _spans(connection)
    pauses: dict[int, timedelta] = defaultdict(timedelta)
    counts: dict[int, int] = defaultdict(int)
    for id, begin, end in connection.execute(
        text("SELECT attention_id, from_at, until_at FROM attention_pauses")
    ):
        pauses[id] += _instant(end) - _instant(begin)
        counts[id] += 1
    problems, clocks = [], 0
    for row in connection.execute(
        text(
            "SELECT id, started_at, ends_at, closed_at, paused_seconds FROM attentions "
            "WHERE started_at IS NOT NULL AND state = 'closed' ORDER BY id"
        )
    ).mappings():
        clocks += 1
        id, said = row["id"], timedelta(seconds=row["paused_seconds"])
        ran, stood, over = (spans[id][k] for k in ("running", "paused", "timed_out"))
        whole = _instant(row["closed_at"]) - _instant(row["started_at"])
        rounded = ROUNDED * (counts[id] + 1)
        if abs(stood - said) > rounded or abs(stood - pauses[id]) > rounded:
            problems.append(f"attention {id} stood {stood}, says {said}, {pauses[id]}")
        if ran + stood + over != whole:
            problems.append(f"attention {id}: {ran} + {stood} + {over} is not {whole}")
        if ran > ATTENTION or (over and ran != ATTENTION):
            problems.append(f"attention {id} ran for {ran}")
        planned = _instant(row["ends_at"]) - _instant(row["started_at"])
        if planned != ATTENTION + stood:
            problems.append(f"attention {id} was to end after {planned}")
    return clocks, problems


def _spans(connection: Connection) -> dict[int, dict[str, timedelta]]:
    """How long the history says that each attention was in each state."""
    spans: dict[int, dict[str, timedelta]] = defaultdict(lambda: defaultdict(timedelta))
    since: dict[int, tuple[str, datetime]] = {}
    for id, state, at in connection.execute(
        text(
            "SELECT object_id, to_state, at FROM journal_entries WHERE "
            "object_kind = 'attention' AND to_state IS NOT NULL ORDER BY id"
        )
    ):
        if id in since:
            before, begin = since[id]
            spans[id][before] += _instant(at) - begin
        since[id] = (state, _instant(at))
    return spans


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
