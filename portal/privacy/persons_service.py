"""Blocking a person's data, and forgetting them: the acts behind two of the rights.

A person is whoever has one mail address: each order keeps its own contact.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.service import Actor
from portal.orders import queries as order_queries
from portal.orders import seen_service
from portal.orders.erase_service import forget_person
from portal.orders.models import Order
from portal.privacy import queries
from portal.support.erase_service import forget_words
from portal.support.person_service import note_people

BLOCKED, UNBLOCKED, ERASED = "person.blocked", "person.unblocked", "person.erased"
SEEN = "person.seen"
_EVERY = timedelta(hours=1)


def set_blocked_in(
    session: Session, email: str, blocked: bool, *, actor: Actor, now: datetime
) -> int:
    """Block or unblock every order of this address, in the caller's transaction.

    How many changed. From here on no mail goes out, and no page of the staff and no
    file shows the person.
    """
    found = queries.orders_of(session, email)
    changed = [(order, person) for order, person in found if person.blocked != blocked]
    for _, contact in changed:
        contact.blocked = blocked
    action = BLOCKED if blocked else UNBLOCKED
    orders = [order for order, _ in changed]
    note_people(session, orders, action, actor=actor, now=now)
    return len(changed)


def set_blocked(order_id: int, blocked: bool, *, by: Person, now: datetime) -> int:
    """The owner blocks or unblocks the person of an order. Raises NotFoundError."""
    with transaction() as session:
        order = order_queries.get(session, order_id)
        email = order_queries.get_contact(session, order).email
        actor = Actor("staff", by.id)
        return set_blocked_in(session, email, blocked, actor=actor, now=now)


def erase(order_id: int, *, by: Person, keys: tuple[str, ...], now: datetime) -> int:
    """Forget the person of an order in every order of theirs that may be; how many.

    Orders, payments, tax data and the proof of acceptance stay. Raises RefusedError
    when none may be forgotten now.
    """
    with transaction() as session:
        order = order_queries.get(session, order_id)
        ready = [
            each.order
            for each in queries.held_orders(session, order, now)
            if not each.against and each.contact.pseudonymised_at is None
        ]
        if not ready:
            raise RefusedError("Ninguno de sus pedidos se puede borrar todavía.")
        forget_in(session, ready, actor=Actor("staff", by.id), keys=keys, now=now)
        return len(ready)


def forget_in(
    session: Session,
    orders: list[Order],
    *,
    actor: Actor,
    keys: tuple[str, ...],
    now: datetime,
    with_tax: bool = False,
) -> None:
    """Forget the persons of these orders in the caller's transaction."""
    forget_words(session, [order.id for order in orders])
    for order in orders:
        forget_person(session, order, with_tax=with_tax, keys=keys, now=now)
    data: dict[str, object] = {"with_tax": with_tax}
    note_people(session, orders, ERASED, actor=actor, now=now, data=data)


def note_seen(order_id: int, *, by: Person, now: datetime) -> None:
    """Keep who opened the page of this order's person, once an hour."""
    seen_service.note_seen(order_id, SEEN, by=by, since=now - _EVERY, now=now)
