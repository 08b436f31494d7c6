"""A shop whose gateways are the simulator's."""

import pytest
from flask import Flask
from payment_cases import Shop, open_shop
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session

from portal import clock as portal_clock
from portal.journal.service import SYSTEM
from portal.settings import service as settings_service


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    shop = open_shop(app, session, portal_clock.utcnow())
    settings_service.change(
        {
            "office_phone": "+56222222222",
            "whatsapp": "+56988888888",
            "support_email": "soporte@demo.cl",
            "special_mobiles": ["+56977777777", "+56966666666"],
            "public_phone": "+56223333333",
        },
        actor=SYSTEM,
        now=portal_clock.utcnow(),
    )
    return shop
