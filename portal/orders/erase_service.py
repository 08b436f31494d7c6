"""Forgetting the person of an order: what stays is what law and accounts need."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.orders import queries
from portal.orders.models import Order
from portal.orders.note_models import OrderNote
from portal.orders.rules import fingerprint, link_token, new_seed

_TAX = ("tax_rut", "tax_name", "tax_activity", "tax_address", "tax_commune")


def forget_person(
    session: Session,
    order: Order,
    *,
    with_tax: bool,
    keys: tuple[str, ...],
    now: datetime,
) -> None:
    """Name, mail, phone, problem, place and notes go; the old link opens nothing.

    Price, state, instants and acceptance stay, and so do the tax data unless
    `with_tax`. It runs in the caller's transaction and never commits.
    """
    contact = queries.get_contact(session, order)
    contact.name = contact.email = contact.phone = ""
    contact.rut = None
    contact.pseudonymised_at = contact.pseudonymised_at or now
    session.execute(delete(OrderNote).where(OrderNote.order_id == order.id))
    order.problem = ""
    order.address = order.commune = None
    if with_tax:
        for name in _TAX:
            setattr(order, name, None)
    order.link_seed = new_seed()
    order.link_hash = fingerprint(link_token(keys[0], order.link_seed))
    order.version += 1
