"""Months for tests of reports: invented, or a few rows put by hand."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff

from portal import clock
from portal.accounts.models import Staff
from portal.db import transaction
from portal.hours.queries import DEFAULT_CALENDAR
from portal.hours.rules import regime_at
from portal.journal.models import JournalEntry
from portal.orders.models import Order
from portal.payments.models import Payment, Refund
from portal.reports.demo_rows_rules import Scribe
from portal.reports.demo_rules import make_month, make_shops
from portal.reports.demo_service import next_numbers, write
from portal.reports.rules import Month
from portal.support.models import Attention
from portal.web import settings_of


def fill_month(app: Flask, month: Month, count: int, seed: str = "test") -> None:
    """Invented orders of a month, whole histories of them."""
    with app.app_context(), transaction() as session:
        staff = technicians(session)
        scribe = Scribe(
            next_numbers(session.connection()),
            staff,
            settings_of(app).secret_keys[0],
            1,
        )
        stories = make_month(
            month,
            count,
            shops=make_shops(count // 2, seed),
            regime_of=lambda at: regime_at(DEFAULT_CALENDAR, at).kind,
            seed=seed,
            until=clock.utcnow(),
        )
        assert write(session.connection(), scribe, stories) == count


def technicians(session: Session) -> tuple[int, ...]:
    """Three of them, made when there are none."""
    asked = select(Staff.id).where(Staff.role == "technician")
    if not (found := tuple(session.scalars(asked))):
        found = tuple(add_staff(session, name).id for name in ("Ana", "Beto", "Carla"))
    return found


def put_sale(
    session: Session,
    at: datetime,
    *,
    pesos: int = 19_990,
    gateway: str = "webpay",
    attention: dict[str, Any] | None = None,
    payment: dict[str, Any] | None = None,
    **order: Any,
) -> Payment:
    """A paid order with its payment and, when given, its attention."""
    made = add_order(session, now=at, price=pesos, **order)
    paid = put_payment(session, made, at, pesos=pesos, gateway=gateway, **payment or {})
    if attention is not None:
        session.add(
            Attention(
                **{
                    "order_id": made.id,
                    "state": "waiting",
                    "regime_kind": made.regime_kind,
                    "queued_at": at,
                    "changed_at": at,
                    **attention,
                }
            )
        )
    session.flush()
    return paid


def put_payment(
    session: Session,
    order: Order,
    at: datetime,
    *,
    pesos: int = 19_990,
    gateway: str = "webpay",
    **values: Any,
) -> Payment:
    """A settled payment of an order."""
    payment = Payment(
        **{
            "order_id": order.id,
            "gateway": gateway,
            "state": "approved",
            "disposition": "applied",
            "amount": pesos,
            "buy_order": secrets.token_hex(8).upper(),
            "seed": secrets.token_hex(16),
            "reference_hash": secrets.token_hex(32),
            "created_at": at - timedelta(minutes=1),
            "approved_at": at,
            "evidence": {"authorization_code": "A1", "amount": pesos},
            **values,
        }
    )
    session.add(payment)
    session.flush()
    return payment


def put_refund(
    session: Session,
    payment: Payment,
    at: datetime,
    pesos: int,
    state: str = "confirmed",
) -> None:
    """Money that went back."""
    session.add(
        Refund(
            payment_id=payment.id,
            order_id=payment.order_id,
            state=state,
            source="owner",
            amount=pesos,
            idempotency_key=secrets.token_hex(8),
            requested_at=at,
            answered_at=at,
        )
    )
    session.flush()


def put_chargeback(session: Session, payment: Payment, at: datetime) -> None:
    """The history line of a chargeback."""
    session.add(
        JournalEntry(
            at=at,
            actor_kind="gateway",
            object_kind="payment",
            object_id=payment.id,
            order_id=payment.order_id,
            action="payment.charged_back",
            from_state="approved",
            to_state="charged_back",
        )
    )
    session.flush()
