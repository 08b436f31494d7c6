"""A shop with an owner, its mails in a folder."""

import pytest
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from privacy_cases import Office
from support_cases import add_staff, log_in_as

from portal.config import Settings
from portal.db import transaction
from portal.journal.service import SYSTEM
from portal.settings import service as settings_service
from portal.terms import service as terms_service


@pytest.fixture
def office(app: Flask, clock: FrozenClock, settings: Settings) -> Office:
    with app.app_context():
        terms_service.set_up(clock.now)
        settings_service.change(
            {"business_name": "Tienda Demo"}, actor=SYSTEM, now=clock.now
        )
        with transaction() as session:
            owner = add_staff(session, "Elena", role="owner")
            office = Office(app, clock, settings, owner.id, owner.email)
    return office


@pytest.fixture
def owner(office: Office) -> FlaskClient:
    """The owner's browser."""
    return log_in_as(office.app, office.owner_id)
