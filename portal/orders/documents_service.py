"""Noting the tax document of an order: its folio and its day."""

from datetime import date, datetime

from sqlalchemy import select

from portal.clock import local
from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.service import Actor, record
from portal.orders import queries
from portal.orders.document_models import OrderDocument
from portal.orders.models import Order
from portal.orders.states import EVER_PAID


def note(
    order_id: int,
    kind: str,
    folio: str,
    issued_on: date,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write the document of an order, or mend it; before and after are kept.

    Raises NotFoundError, and RefusedError for an order that was never paid, a day that
    cannot be, or a folio that another order has.
    """
    with transaction() as session:
        order = queries.get(session, order_id, lock=True)
        _check(order, issued_on, now)
        owner_of_folio = session.scalar(
            select(OrderDocument.order_id).where(
                OrderDocument.kind == kind, OrderDocument.folio == folio
            )
        )
        if owner_of_folio not in (None, order_id):
            other = queries.get(session, int(owner_of_folio or 0)).number
            raise RefusedError(f"La {kind} {folio} ya está en el pedido {other}.")
        row = session.get(OrderDocument, order_id)
        before = [row.kind, row.folio, row.issued_on.isoformat()] if row else None
        after = [kind, folio, issued_on.isoformat()]
        if before == after:
            return
        row = row or OrderDocument(order_id=order_id)
        row.kind, row.folio, row.issued_on = kind, folio, issued_on
        row.noted_at, row.noted_by_id = now, actor.id or 0
        session.add(row)
        record(
            session,
            at=now,
            actor=actor,
            action="order.document_noted",
            object_kind="order",
            object_id=order_id,
            order_id=order_id,
            data={"before": before, "after": after},
        )


def _check(order: Order, issued_on: date, now: datetime) -> None:
    if order.state not in EVER_PAID:
        raise RefusedError("Un pedido sin pagar no lleva documento.")
    if not local(order.created_at).date() <= issued_on <= local(now).date():
        raise RefusedError("La fecha va desde el día del pedido hasta hoy.")
