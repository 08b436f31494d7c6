"""Several workers: what only one should do is done once, and goes on when one dies."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from sqlalchemy.orm import Session

from portal.clock import local
from portal.privacy.commands import jobs as privacy_jobs
from portal.worker import service, turns_service
from portal.worker.rules import Job
from portal.worker.service import run_job
from portal.worker.turns_service import end_turn, lead, leave, take_turn

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FOUR = time(4)
pytestmark = pytest.mark.postgres


def test_work_is_done_by_one_of_two_and_again_the_next_time(
    session: Session,
) -> None:
    now = TUESDAY_NOON
    assert take_turn("back up", now, now, "a:1")
    assert not take_turn("back up", now, now, "b:1")
    end_turn("back up", now, now, "a:1", well=True)
    assert not take_turn("back up", now, now + HOUR - SECOND, "b:1")
    assert take_turn("back up", now + HOUR, now + HOUR, "b:1")


def test_work_of_a_dead_worker_and_failed_work_are_taken_up_by_another(
    session: Session,
) -> None:
    since = now = TUESDAY_NOON
    assert take_turn("verify", since, now, "dead:1")
    assert not take_turn("verify", since, now + timedelta(minutes=29), "b:1")
    now += timedelta(minutes=30)
    assert take_turn("verify", since, now, "b:1")
    # What the dead one says when it wakes up counts for nothing.
    end_turn("verify", now, now, "dead:1", well=True)
    assert not take_turn("verify", since, now, "c:1")
    end_turn("verify", now, now, "b:1", well=False)
    assert not take_turn("verify", since, now + timedelta(minutes=4), "c:1")
    assert take_turn("verify", since, now + timedelta(minutes=5), "c:1")


def test_a_lane_has_one_leader_until_it_dies_or_leaves(session: Session) -> None:
    now = TUESDAY_NOON
    assert lead("webpay", now, "a:1")
    assert not lead("webpay", now, "b:1")
    # It renews in time, so the other never gets in.
    assert lead("webpay", now + timedelta(seconds=45), "a:1")
    assert not lead("webpay", now + timedelta(seconds=100), "b:1")
    assert lead("webpay", now + timedelta(seconds=105), "b:1")
    leave("b:1")
    assert lead("webpay", now + timedelta(seconds=106), "a:1")


def test_clock_that_is_moved_back_blocks_nobody(session: Session) -> None:
    assert lead("webpay", TUESDAY_NOON, "a:1")
    assert take_turn("verify", TUESDAY_NOON, TUESDAY_NOON, "a:1")
    end_turn("verify", TUESDAY_NOON, TUESDAY_NOON, "a:1", well=True)
    earlier = TUESDAY_NOON - timedelta(days=3)
    assert lead("webpay", earlier, "b:1")
    assert take_turn("verify", earlier, earlier, "b:1")


def test_the_worker_asks_for_its_turn(
    session: Session, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[datetime] = []
    jobs = (
        Job("hourly", 3600, ran.append, "audit", True),
        Job("ask", 5, ran.append, "webpay"),
    )
    for name in ("a:1", "b:1"):
        monkeypatch.setattr(turns_service, "own_name", lambda name=name: name)
        for job in jobs:
            assert service.run_job(job)
    assert len(ran) == 2
    clock.advance(hours=1)
    assert all(service.run_job(job) for job in jobs)
    assert len(ran) == 4


# When it is due: points that stand still --------------------------------


@dataclass
class Desk:
    """A job, and what came of looking whether it is due."""

    clock: FrozenClock
    at: time | None = FOUR
    every_seconds: float = 86_400
    ran: list[datetime] = field(default_factory=list)
    breaks: bool = False
    takes: timedelta = timedelta(0)

    def _run(self, now: datetime) -> None:
        self.ran.append(now)
        self.clock.now += self.takes
        if self.breaks:
            raise OSError("full")

    def look(self) -> bool:
        """Whether the job ran just now, well or not."""
        before = len(self.ran)
        job = Job("work", self.every_seconds, self._run, "audit", True, self.at)
        run_job(job)
        return len(self.ran) > before

    def look_from(self, begin: str, end: str, every: timedelta) -> list[str]:
        """When it ran, on Santiago's clock: looked at from `begin` until `end`."""
        self.ran.clear()
        self.clock.set(datetime.fromisoformat(begin))
        last = datetime.fromisoformat(end)
        while self.clock.now <= last:
            self.look()
            self.clock.now += every
        return [local(at).strftime("%d %H:%M") for at in self.ran]


def test_a_turn_that_comes_late_every_day_moves_no_other(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock)
    for day in range(14):
        clock.set(datetime(2026, 11, 3 + day, 7, tzinfo=UTC))
        assert desk.look(), f"day {day}: not due at its hour"
        # The next look comes late, and the next day's is not later for it.
        clock.advance(hours=5)
        assert not desk.look()
    hourly = Desk(clock, at=None, every_seconds=3600)
    found = hourly.look_from(
        "2026-12-01T00:00:59Z", "2026-12-01T14:00:00Z", timedelta(seconds=700)
    )
    assert len(found) == 14
    assert max(at[-2:] for at in found) <= "11"


def test_a_look_just_before_the_hour_runs_nothing(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock)
    clock.set(datetime(2026, 11, 24, 7, tzinfo=UTC))
    assert desk.look()
    clock.set(datetime(2026, 11, 25, 6, 59, 59, tzinfo=UTC))
    assert not desk.look()
    clock.advance(seconds=1)
    assert desk.look()


def test_a_failure_does_not_move_the_next_day(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock, breaks=True)
    clock.set(datetime(2026, 11, 24, 7, tzinfo=UTC))
    assert desk.look()
    desk.breaks = False
    clock.advance(minutes=11)
    assert desk.look()
    clock.set(datetime(2026, 11, 25, 7, tzinfo=UTC))
    assert desk.look()


def test_a_failed_try_is_made_again_five_minutes_after_its_end(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock, breaks=True, takes=timedelta(minutes=6))
    assert desk.look()
    assert not desk.look()
    clock.advance(minutes=4, seconds=59)
    assert not desk.look()
    clock.advance(seconds=1)
    assert desk.look()


def test_three_days_asleep_are_made_up_for_by_one_turn(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock)
    clock.set(datetime(2026, 11, 20, 7, tzinfo=UTC))
    assert desk.look()
    found = desk.look_from(
        "2026-11-23T10:00:00-03:00", "2026-11-24T03:59:00-03:00", timedelta(minutes=7)
    )
    assert found == ["23 10:00"]
    assert desk.look_from(
        "2026-11-24T04:00:00-03:00", "2026-11-24T23:00:00-03:00", timedelta(minutes=7)
    ) == ["24 04:00"]


@pytest.mark.parametrize("at", [FOUR, time(0, 30), time(23, 30)], ids=str)
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("2026-04-03T00:00:00-03:00", "2026-04-08T00:00:00-04:00"),
        ("2026-09-04T00:00:00-04:00", "2026-09-09T00:00:00-03:00"),
    ],
)
def test_each_day_has_one_turn_when_the_clocks_change(
    session: Session, clock: FrozenClock, begin: str, end: str, at: time
) -> None:
    """On 4 April 23:30 comes twice, on 6 September 00:30 never."""
    desk = Desk(clock, at)
    first = clock.set(datetime.fromisoformat(begin))
    assert desk.look()
    wanted = [f"0{local(first).day + day} {at:%H:%M}" for day in range(5)]
    if (first.month, at) == (9, time(0, 30)):
        wanted[2] = "06 01:30"
    assert desk.look_from(begin, end, timedelta(minutes=30)) == wanted


def test_a_first_turn_comes_soon_after_the_first_start_and_then_at_its_hour(
    session: Session, clock: FrozenClock
) -> None:
    """A new portal learns at once whether backups and checks work."""
    desk = Desk(clock)
    assert desk.look_from(
        "2026-11-24T12:00:00-03:00", "2026-11-26T12:00:00-03:00", timedelta(minutes=10)
    ) == ["24 12:00", "25 04:00", "26 04:00"]


def test_a_clock_set_back_by_days_owes_a_turn_and_by_a_moment_none(
    session: Session, clock: FrozenClock
) -> None:
    desk = Desk(clock)
    clock.set(datetime(2026, 11, 24, 7, 0, 3, tzinfo=UTC))
    assert desk.look()
    # Another host, whose clock is a few seconds behind, and passes the hour itself.
    clock.set(datetime(2026, 11, 24, 6, 59, 58, tzinfo=UTC))
    assert not desk.look()
    clock.advance(seconds=2)
    assert not desk.look()
    clock.advance(days=-3)
    assert desk.look()
    assert not desk.look()


def test_everything_daily_is_done_when_no_desk_is_open(app: Flask) -> None:
    settings = app.extensions["portal_settings"]
    gateways = app.extensions["portal_gateways"]
    jobs = service.make_jobs(settings, {}, gateways)
    jobs += tuple(Job(*each) for each in privacy_jobs(settings))
    daily = [job for job in jobs if job.every_seconds == service.DAY_SECONDS]
    assert all(job.once and job.lane == "audit" for job in daily)
    hours = [job.at for job in daily if job.at]
    assert len(hours) == len(set(hours)) == len(daily) == 4
    assert all(time(4) < at < time(5) for at in hours)
