"""Money that came when its order no longer waited: honoured when the customer asks."""

from datetime import datetime

from portal.db import transaction
from portal.errors import ConflictError, RefusedError
from portal.journal.service import Actor, record
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.payments import queries, states
from portal.payments.service import open_paid_order


def honour(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Let late money pay its expired order after all, in one transaction.

    Doing it again changes nothing. Raises RefusedError when there is no late money
    that may, ConflictError when a refund of it is under way.
    """
    with transaction() as session:
        order = order_queries.get(session, order_id, lock=True)
        if order.state in order_states.EVER_PAID:
            return
        payment = queries.find_late(session, order_id)
        if payment is None or order.state != order_states.EXPIRED:
            raise RefusedError("Este pedido no se puede retomar: pida la devolución.")
        session.refresh(payment, with_for_update=True)
        if queries.find_refund_in_flight(session, payment.id) is not None:
            raise ConflictError("La devolución de este pago ya está en curso.")
        payment.disposition = states.APPLIED
        payment.version += 1
        record(
            session,
            at=now,
            actor=actor,
            action="payment.honoured",
            object_kind="payment",
            object_id=payment.id,
            order_id=order_id,
            from_state=payment.state,
            to_state=payment.state,
            data={"disposition": states.APPLIED},
        )
        session.flush()
        open_paid_order(session, order, actor, now)
