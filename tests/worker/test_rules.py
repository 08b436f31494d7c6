"""Which job comes next, and when the portal is well."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.worker.rules import Job, Schedule, judge, seconds_since

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def make(*pauses: float) -> Schedule:
    return Schedule(
        tuple(Job(str(i), pause, lambda now: None) for i, pause in enumerate(pauses))
    )


def names(schedule: Schedule, second: float) -> list[str]:
    found = []
    while (job := schedule.next(second)) is not None:
        found.append(job.name)
    return found


def test_every_job_runs_first_and_then_by_its_pause() -> None:
    schedule = make(2, 10)
    assert names(schedule, 5) == ["0", "1"]
    assert names(schedule, 6.9) == []
    assert names(schedule, 7) == ["0"]
    assert names(schedule, 15) == ["0", "1"]


def test_slow_job_does_not_keep_the_others_out() -> None:
    schedule = make(1, 10)
    ran = []
    for second in range(0, 300, 3):  # each run takes longer than the first one's pause
        job = schedule.next(second)
        assert job is not None
        ran.append(job.name)
    assert ran.count("1") >= 20


def test_nothing_to_do_is_no_fault() -> None:
    assert make().next(1) is None


@pytest.mark.parametrize(
    ("worker", "outbox", "expected"),
    [
        (0, None, "ok"),
        (59, 599, "ok"),
        (60, None, "degraded"),
        (None, None, "degraded"),
        (0, 600, "degraded"),
    ],
)
def test_status(worker: int | None, outbox: int | None, expected: str) -> None:
    assert judge(worker, outbox) == expected


def test_seconds_are_whole_and_never_negative() -> None:
    assert seconds_since(None, NOW) is None
    assert seconds_since(NOW - timedelta(seconds=61.9), NOW) == 61
    assert seconds_since(NOW + timedelta(days=1), NOW) == 0
