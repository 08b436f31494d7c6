"""Orders, staff and attentions as tests of the desk want them, written directly."""

import secrets
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from portal import clock
from portal.accounts.models import Staff, StaffSession
from portal.accounts.rules import SESSION_LIFE, Person, key_hash, new_session_key
from portal.db import transaction
from portal.orders.models import Contact, Order
from portal.orders.rules import fingerprint, link_token, new_seed
from portal.support import service
from portal.support.models import Attention

_numbers = count(1)


def add_staff(
    session: Session, name: str = "Ana", role: str = "technician", **values: Any
) -> Staff:
    """A member of staff who never logs in (the password is none)."""
    staff = Staff(
        name=name,
        email=f"{name.lower()}{next(_numbers)}@example.cl",
        role=role,
        password_hash="x",
        created_at=clock.utcnow(),
        **values,
    )
    session.add(staff)
    session.flush()
    return staff


def add_order(
    session: Session, *, now: datetime, key: str = "k", **values: Any
) -> Order:
    """A paid order; `key` is the SECRET_KEY that its link is made with."""
    contact = Contact(
        name=values.pop("name", "María Soto"),
        email="maria@example.cl",
        phone=values.pop("phone", "+56987654321"),
    )
    session.add(contact)
    session.flush()
    seed = new_seed()
    order = Order(
        **{
            "state": "paid",
            "contact_id": contact.id,
            "service_slug": "soporte-online",
            "service_name": "Soporte online",
            "price": 19_990,
            "regime_kind": "normal",
            "regime_decision": {},
            "topic_slug": "errores",
            "topic_title": "Un error en pantalla",
            "problem": "La caja no abre.",
            "terms_version": 1,
            "form_key": secrets.token_hex(8),
            "link_seed": seed,
            "link_hash": fingerprint(link_token(key, seed)),
            "created_at": now,
            "expires_at": now + timedelta(minutes=30),
            "paid_at": now,
            **values,
        }
    )
    session.add(order)
    session.flush()
    return order


def add_attention(session: Session, *, now: datetime, **values: Any) -> Attention:
    """The attention of a new paid order, opened as a payment opens it."""
    order = add_order(session, now=now, **values)
    service.open_for_order(session, order, now=now)
    return session.query(Attention).filter_by(order_id=order.id).one()


def person(staff: Staff) -> Person:
    """The staff member as who is logged in."""
    return Person(staff.id, staff.name, staff.role)


def log_in_as(app: Flask, staff_id: int) -> FlaskClient:
    """A browser in which this member of staff is logged in."""
    key = new_session_key()
    now = clock.utcnow()
    with app.app_context(), transaction() as session:
        session.add(
            StaffSession(
                staff_id=staff_id,
                key_hash=key_hash(key),
                created_at=now,
                expires_at=now + SESSION_LIFE,
            )
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = key
        cookie.permanent = True
    return client


def enter_as(app: Flask, page: Page, staff_id: int, portal_url: str) -> None:
    """Log them in on this page's browser, by the cookie that a log-in would leave."""
    cookie = log_in_as(app, staff_id).get_cookie("portal")
    assert cookie is not None
    page.context.add_cookies(
        [{"name": "portal", "value": cookie.value, "url": portal_url}]
    )
