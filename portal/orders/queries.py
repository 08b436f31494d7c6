"""Reading orders."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.orders.models import Contact, Order
from portal.orders.rules import find_token, fingerprint, is_token


def get_by_token(session: Session, token: str) -> Order:
    """The order behind a secret link. Raises NotFoundError, the same for any miss."""
    if is_token(token):
        order = session.scalar(
            select(Order).where(Order.link_hash == fingerprint(token))
        )
        if order is not None:
            return order
    raise NotFoundError("No encontramos ese pedido.")


def get(session: Session, order_id: int, *, lock: bool = False) -> Order:
    """The order with this id, its row locked for the transaction when asked."""
    statement = select(Order).where(Order.id == order_id)
    order = session.scalar(statement.with_for_update() if lock else statement)
    if order is None:
        raise NotFoundError("No encontramos ese pedido.")
    return order


def get_contact(session: Session, order: Order) -> Contact:
    """The person of an order."""
    contact = session.get(Contact, order.contact_id)
    if contact is None:
        raise NotFoundError("No encontramos ese contacto.")
    return contact


def find_by_form_key(session: Session, form_key: str) -> Order | None:
    """The order that this form made, if it did."""
    return session.scalar(select(Order).where(Order.form_key == form_key))


def token_of(order: Order, keys: tuple[str, ...]) -> str:
    """The token of the order's secret link."""
    return find_token(keys, order.link_seed, order.link_hash)


def path_of(order: Order, keys: tuple[str, ...]) -> str:
    """The path of the order's secret page."""
    return f"/atencion/{token_of(order, keys)}"
