"""A shop whose gateways are the simulator's."""

import pytest
from flask import Flask
from payment_cases import Shop, open_shop
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session

from portal import clock as portal_clock


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    return open_shop(app, session, portal_clock.utcnow())
