"""Mails about errands: to the desk when one opens, to the customer at every step."""

from portal.hours.rules import NORMAL
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries as orders_queries
from portal.orders.mails import link_of, reachable
from portal.support import errand_queries
from portal.support.alert_mails import address_of_row
from portal.support.queries import find_errand_for_order
from portal.support.states import (
    ERRAND_CANCELLED,
    ERRAND_DONE,
    ERRAND_OPEN,
    ERRAND_SCHEDULED,
)


def _alert_errand(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when somebody has taken care of it meanwhile."""
    errand = find_errand_for_order(context.session, row.order_id)
    if errand is None or errand.state != ERRAND_OPEN:
        return None
    to = address_of_row(context, row, NORMAL)
    if to is None:
        return None
    order = orders_queries.get(context.session, row.order_id)
    return render(
        context,
        "support/alert_errand",
        to=to,
        subject=f"Encargo por coordinar: {order.service_name}, pedido {order.number}",
        order=order,
        errand=errand,
    )


_SUBJECTS = {
    ERRAND_SCHEDULED: "Acordamos la fecha de su servicio",
    ERRAND_DONE: "Su servicio está hecho",
    ERRAND_CANCELLED: "Su servicio se anuló",
}


def _to_customer(wanted: str) -> Renderer:
    """A mail about a step of an errand, withdrawn once it has moved on."""

    def render_it(context: RenderContext, row: OutboxRow) -> Mail | None:
        found = reachable(context, row)
        errand = find_errand_for_order(context.session, row.order_id)
        if found is None or errand is None or errand.state != wanted:
            return None
        if wanted == ERRAND_SCHEDULED and row.key != str(errand.version):
            return None  # the date was changed: the newer row tells it
        order, contact = found
        lines = errand_queries.errand_entries(context.session, errand.id)
        return render(
            context,
            "support/errand",
            to=contact.email,
            subject=f"{_SUBJECTS[wanted]}: pedido {order.number}",
            order=order,
            contact=contact,
            errand=errand,
            said=lines[-1].text if lines else "",
            link=link_of(context, order),
        )

    return render_it


RENDERERS: dict[str, Renderer] = {
    "alert.errand": _alert_errand,
    "errand.scheduled": _to_customer(ERRAND_SCHEDULED),
    "errand.done": _to_customer(ERRAND_DONE),
    "errand.cancelled": _to_customer(ERRAND_CANCELLED),
}
