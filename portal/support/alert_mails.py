"""Alerts to the owner and to who is on call."""

from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries as orders_queries
from portal.support import queries
from portal.support.alert_queries import desk_addresses
from portal.support.states import TAKEN, WAITING


def address_of_row(context: RenderContext, row: OutboxRow, regime: str) -> str | None:
    """The reader of one row of an alert, by its place in the list.

    None when the list has become shorter. Raises LookupError, so that the alert waits,
    while there is nobody at all to tell.
    """
    addresses = desk_addresses(context.session, regime)
    if not addresses:
        raise LookupError("there is nobody to tell")
    place = int(row.key)
    return addresses[place] if place < len(addresses) else None


def _alert_no_answer(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when somebody has spoken with the customer meanwhile."""
    attention = queries.find_for_order(context.session, row.order_id)
    if attention is None or attention.no_answer_at is None:
        return None
    if attention.state not in (WAITING, TAKEN) or attention.contacted_at:
        return None
    to = address_of_row(context, row, attention.regime_kind)
    if to is None:
        return None
    order = orders_queries.get(context.session, row.order_id)
    return render(
        context,
        "support/alert_no_answer",
        to=to,
        subject=f"No le contestan a un cliente: pedido {order.number}",
        order=order,
        attention=attention,
    )


RENDERERS: dict[str, Renderer] = {"alert.no_answer": _alert_no_answer}
