"""The owner's acts on one order that no other feature has."""

from datetime import datetime, timedelta

from portal.accounts.rules import Person
from portal.db import reading
from portal.errors import RefusedError
from portal.journal.service import Actor
from portal.orders import queries as order_queries
from portal.orders import seen_service
from portal.orders.states import EVER_PAID
from portal.payments import late_money, states
from portal.payments import queries as payment_queries

SEEN = "order.seen"
_SEEN_EVERY = timedelta(hours=1)


def note_seen(order_id: int, *, by: Person, now: datetime) -> None:
    """Who opened a customer's details: one line of history per person and hour."""
    seen_service.note_seen(order_id, SEEN, by=by, since=now - _SEEN_EVERY, now=now)


def attend_late(payment_id: int, *, by: Person, now: datetime) -> None:
    """Late money pays its order after all. Doing it again changes nothing.

    Raises RefusedError when it is not late or its order has another payment,
    ConflictError when a refund of it is under way.
    """
    with reading() as session:
        payment = payment_queries.get(session, payment_id)
        order = order_queries.get(session, payment.order_id)
        if payment.disposition == states.APPLIED:
            return
        if payment.disposition != states.LATE or order.state in EVER_PAID:
            raise RefusedError("Este pago no espera: el pedido ya está resuelto.")
        order_id = order.id
    late_money.honour(order_id, actor=Actor("staff", by.id), now=now)
