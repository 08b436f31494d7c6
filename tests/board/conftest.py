"""Staff who are logged in, without the cost of a password."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support_cases import add_staff, log_in_as, person

from portal.accounts.rules import Person
from portal.db import transaction


@pytest.fixture
def enter(app: Flask) -> Callable[..., tuple[FlaskClient, Person]]:
    """Makes a member of staff and a browser where that person is logged in."""

    def make(name: str = "Ana", role: str = "technician") -> tuple[FlaskClient, Person]:
        with app.app_context(), transaction() as session:
            who = person(add_staff(session, name, role))
        return log_in_as(app, who.id), who

    return make
