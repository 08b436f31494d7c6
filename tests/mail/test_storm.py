"""Faults, four workers, deaths: each mail comes, and only under one Message-ID."""

import pytest
from conftest import TUESDAY_NOON
from flask import Flask
from mail_storm import GUARDS, blow
from sqlalchemy.orm import Session

from portal.config import Settings


def test_every_mail_comes_through_the_storm(
    app: Flask, session: Session, settings: Settings
) -> None:
    storm = blow(app, settings, mails=60, now=TUESDAY_NOON)
    assert storm.problems == []
    assert storm.faults > 10
    assert storm.deaths


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_the_judge_sees_it(
    app: Flask, session: Session, settings: Settings, guard: str
) -> None:
    storm = blow(app, settings, mails=60, now=TUESDAY_NOON, without=guard)
    assert any(GUARDS[guard] in problem for problem in storm.problems)
