"""Several workers: what only one should do is done once, and goes on when one dies."""

from datetime import datetime, timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from sqlalchemy.orm import Session

from portal.worker import service, turns_service
from portal.worker.rules import Job
from portal.worker.turns_service import end_turn, lead, leave, take_turn

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.postgres


def test_daily_work_is_done_by_one_of_two_and_again_the_next_time(
    session: Session,
) -> None:
    now = TUESDAY_NOON
    assert take_turn("back up", HOUR, now, "a:1")
    assert not take_turn("back up", HOUR, now, "b:1")
    end_turn("back up", now, "a:1", well=True)
    assert not take_turn("back up", HOUR, now + HOUR - timedelta(seconds=1), "b:1")
    assert take_turn("back up", HOUR, now + HOUR, "b:1")


def test_work_of_a_dead_worker_and_failed_work_are_taken_up_by_another(
    session: Session,
) -> None:
    now = TUESDAY_NOON
    assert take_turn("verify", HOUR, now, "dead:1")
    assert not take_turn("verify", HOUR, now + timedelta(minutes=29), "b:1")
    now += timedelta(minutes=30)
    assert take_turn("verify", HOUR, now, "b:1")
    # What the dead one says when it wakes up counts for nothing.
    end_turn("verify", now, "dead:1", well=True)
    assert not take_turn("verify", HOUR, now, "c:1")
    end_turn("verify", now, "b:1", well=False)
    assert not take_turn("verify", HOUR, now + timedelta(minutes=4), "c:1")
    assert take_turn("verify", HOUR, now + timedelta(minutes=5), "c:1")


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
    assert take_turn("verify", HOUR, TUESDAY_NOON, "a:1")
    end_turn("verify", TUESDAY_NOON, "a:1", well=True)
    earlier = TUESDAY_NOON - timedelta(days=3)
    assert lead("webpay", earlier, "b:1")
    assert take_turn("verify", HOUR, earlier, "b:1")


def test_the_worker_asks_for_its_turn(
    session: Session, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[datetime] = []
    jobs = (
        Job("daily", 3600, ran.append, "audit", True),
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
