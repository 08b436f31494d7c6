"""A shop with its services, topics and terms."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from shop_forms import NOW, stock
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.db import db
from portal.journal.service import SYSTEM
from portal.orders.models import Order
from portal.settings import service as settings_service


@pytest.fixture
def app(app: Flask) -> Flask:
    return stock(app)


@pytest.fixture
def orders(app: Flask) -> Callable[[], list[Order]]:
    """Every order there is, read anew, oldest first."""

    def read() -> list[Order]:
        with app.app_context():
            found = list(db.session().scalars(select(Order).order_by(Order.id)))
            db.session.expunge_all()
            db.session.remove()
        return found

    return read


@pytest.fixture
def count(app: Flask) -> Callable[[Any], int]:
    """How many rows a table has."""

    def read(model: Any) -> int:
        with app.app_context():
            session: Session = db.session()
            found = session.scalar(select(func.count()).select_from(model))
            db.session.remove()
        return int(found or 0)

    return read


@pytest.fixture
def change(app: Flask) -> Callable[..., None]:
    """The owner changes settings."""

    def write(**values: Any) -> None:
        with app.app_context():
            settings_service.change(values, actor=SYSTEM, now=NOW)
            db.session.remove()

    return write
