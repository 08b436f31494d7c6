"""Mercado Pago's notifications: a signed hint of which payment to read again."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.db import reading, transaction
from portal.mail.service import enqueue
from portal.payments import queries, states
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import Evidence
from portal.payments.models import Notification
from portal.payments.returns import GATEWAY_ERRORS
from portal.payments.service import settle

PAYMENT = "payment"
CHARGEBACK = "topic_chargebacks_wh"
# What is read again at the API; every other topic is kept, answered 200 and left.
READ = (PAYMENT, CHARGEBACK)
_RETRY_PAUSES = (10, 30, 60, 120, 300, 900, 3600)
# Mercado Pago itself sends again for days; after this the reconciler has asked too.
_MAX_TRIES = 30


def receive(
    topic: str, resource_id: str, request_id: str, *, gateways: Gateways, now: datetime
) -> None:
    """Keep a notification durably, then try to read its payment at once.

    Repeating it is harmless. When the API cannot be read now, the worker tries again.
    """
    notification_id = _keep(topic, resource_id, request_id, now)
    if topic in READ:
        _process(notification_id, topic, resource_id, gateways, now)


def _keep(topic: str, resource_id: str, request_id: str, now: datetime) -> int:
    values = {
        "gateway": states.MERCADOPAGO,
        "topic": topic[:40],
        "resource_id": resource_id[:40],
        "request_id": request_id[:80],
    }
    try:
        with transaction() as session:
            known = session.scalar(select(Notification).filter_by(**values))
            if known is not None:
                return known.id
            ignored = topic not in READ
            row = Notification(
                **values,
                received_at=now,
                next_at=now,
                done_at=now if ignored else None,
                outcome="ignored" if ignored else None,
            )
            session.add(row)
            session.flush()
            return row.id
    except IntegrityError:
        with reading() as session:
            return session.scalars(select(Notification.id).filter_by(**values)).one()


def process_due(gateways: Gateways, *, now: datetime, limit: int = 20) -> int:
    """Try again what could not be read. How many were tried."""
    with reading() as session:
        rows = [
            (row.id, row.topic, row.resource_id)
            for row in queries.due_notifications(session, now, limit)
        ]
    for notification_id, topic, resource_id in rows:
        _process(notification_id, topic, resource_id, gateways, now)
    return len(rows)


def _process(
    notification_id: int,
    topic: str,
    resource_id: str,
    gateways: Gateways,
    now: datetime,
) -> None:
    try:
        ids = [resource_id]
        if topic == CHARGEBACK:
            ids = gateways.mercadopago.payments_of_chargeback(resource_id)
        found = [gateways.mercadopago.payment(each) for each in ids]
    except GATEWAY_ERRORS:
        _postpone(notification_id, now)
        return
    outcomes = [_settle(each, gateways, now) for each in found if each is not None]
    with transaction() as session:
        row = session.get_one(Notification, notification_id)
        row.done_at, row.outcome = now, outcomes[-1] if outcomes else "missing"


def _settle(evidence: Evidence, gateways: Gateways, now: datetime) -> str:
    with reading() as session:
        payment = queries.find_by_reference(session, evidence.reference or "")
        payment_id = payment.id if payment else None
    if payment_id is None:
        _report_foreign(evidence, gateways, now)
        return "foreign"
    settle(payment_id, evidence, keys=gateways.keys, live=gateways.live, now=now)
    return "settled"


def _report_foreign(evidence: Evidence, gateways: Gateways, now: datetime) -> None:
    """Approved money on our account that no attempt of ours asked for."""
    if evidence.word not in states.SETTLED:
        return
    with transaction() as session:
        enqueue(
            session,
            kind="alert.foreign_payment",
            key=str(evidence.gateway_payment_id),
            now=now,
        )


def _postpone(notification_id: int, now: datetime) -> None:
    with transaction() as session:
        row = session.get_one(Notification, notification_id)
        pause = _RETRY_PAUSES[min(row.tries, len(_RETRY_PAUSES) - 1)]
        row.tries += 1
        row.next_at = now + timedelta(seconds=pause)
        if row.tries >= _MAX_TRIES:
            row.done_at, row.outcome = now, "given_up"
