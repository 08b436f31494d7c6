"""Mails about a customer who waits; none to the desk holds a phone or the link."""

from portal.accounts.mails import owner_email
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries as orders_queries
from portal.orders.mails import link_of, reachable
from portal.support import queries
from portal.support.alert_queries import on_call_addresses
from portal.support.states import CANCELLED, CLOSED, TAKEN, WAITING


def _attention_on_call(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when it is over already, or when the list has become shorter."""
    attention = queries.find_for_order(context.session, row.order_id)
    if attention is None or attention.state in (CLOSED, CANCELLED):
        return None
    regime, _, place = row.key.rpartition("-")
    addresses = on_call_addresses(context.session, regime)
    if int(place) >= len(addresses):
        return None
    order = orders_queries.get(context.session, row.order_id)
    return render(
        context,
        "support/attention_on_call",
        to=addresses[int(place)],
        subject=f"Nuevo cliente: pedido {order.number}",
        order=order,
        contact=orders_queries.get_contact(context.session, order),
        regime=regime,
        promise_at=attention.promise_at,
    )


def _alert_promise(context: RenderContext, row: OutboxRow) -> Mail | None:
    """It was missed, whatever came later; only money given back withdraws it."""
    attention = queries.find_for_order(context.session, row.order_id)
    if attention is None or attention.promise_missed_at is None:
        return None
    if attention.state == CANCELLED:
        return None
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    order = orders_queries.get(context.session, row.order_id)
    return render(
        context,
        "support/alert_promise",
        to=owner,
        subject=f"No llamamos a tiempo: pedido {order.number}",
        order=order,
        promise_at=attention.promise_missed_at,
        called_at=attention.contacted_at,
    )


def _promise_missed(context: RenderContext, row: OutboxRow) -> Mail | None:
    """To the customer; withdrawn when somebody has spoken with them meanwhile."""
    found = reachable(context, row)
    attention = queries.find_for_order(context.session, row.order_id)
    if found is None or attention is None or attention.promise_missed_at is None:
        return None
    if attention.state not in (WAITING, TAKEN) or attention.contacted_at:
        return None
    order, contact = found
    return render(
        context,
        "support/promise_missed",
        to=contact.email,
        subject=f"Aún no le llamamos: pedido {order.number}",
        order=order,
        contact=contact,
        promise_at=attention.promise_missed_at,
        link=link_of(context, order),
    )


RENDERERS: dict[str, Renderer] = {
    "attention.on_call": _attention_on_call,
    "alert.promise": _alert_promise,
    "attention.promise_missed": _promise_missed,
}
