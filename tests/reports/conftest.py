"""The owner, logged in, and a month that was filled with invented orders."""

from datetime import UTC, datetime

import pytest
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from report_cases import fill_month
from support_cases import add_staff, log_in_as

from portal.db import transaction
from portal.reports.rules import Month


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Elena", "owner").id
    return log_in_as(app, number)


@pytest.fixture
def october(app: Flask, clock: FrozenClock) -> Month:
    """October 2026, with the orders that were paid in it and in September."""
    clock.set(datetime(2026, 11, 24, 15, tzinfo=UTC))
    fill_month(app, Month(2026, 9), 40)
    fill_month(app, Month(2026, 10), 120)
    return Month(2026, 10)
