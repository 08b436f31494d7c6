"""The owner, logged in, and a shop whose gateways are the simulator's."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import Shop, open_shop
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff, log_in_as

from portal import clock as portal_clock
from portal.db import transaction
from portal.payments.models import Payment


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Elena", "owner").id
    return log_in_as(app, number)


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    return open_shop(app, session, portal_clock.utcnow())


@pytest.fixture
def put_payment(app: Flask) -> Callable[..., int]:
    """Writes one payment of a new order: approved a while ago unless told."""

    def put(*, hours: float = 2, order: dict[str, Any] | None = None, **it: Any) -> int:
        at = portal_clock.utcnow() - timedelta(hours=hours)
        state = it.get("state", "approved")
        settled = state not in ("unknown", "committing")
        values = {
            "gateway": "webpay",
            "state": state,
            "disposition": "surplus" if settled else None,
            "amount": 19_990,
            "buy_order": secrets.token_hex(8).upper(),
            "seed": secrets.token_hex(16),
            "reference_hash": secrets.token_hex(32),
            "created_at": at,
            "redirected_at": at,
            "approved_at": at if settled else None,
            **it,
        }
        with app.app_context(), transaction() as session:
            made = add_order(session, now=at, **(order or {}))
            payment = Payment(order_id=made.id, **values)
            session.add(payment)
            session.flush()
            return payment.id

    return put
