"""Mails about the order itself: its link sent again, its mail that does not go out."""

from portal.accounts.mails import owner_email
from portal.errors import NotFoundError
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries
from portal.orders.models import Contact, Order


def link_of(context: RenderContext, order: Order) -> str:
    """The whole secret link of an order: only mails and pages ever hold it."""
    path = queries.path_of(order, context.settings.secret_keys)
    return context.settings.public_url + path


def reachable(context: RenderContext, row: OutboxRow) -> tuple[Order, Contact] | None:
    """The order of a row and its person; None when that person gets no more mails."""
    try:
        order = queries.get(context.session, row.order_id)
    except NotFoundError:
        return None
    contact = queries.get_contact(context.session, order)
    if contact.is_hidden:
        return None
    return order, contact


def _link_resend(context: RenderContext, row: OutboxRow) -> Mail | None:
    found = reachable(context, row)
    if found is None:
        return None
    order, contact = found
    return render(
        context,
        "orders/link_resend",
        to=contact.email,
        subject=f"El enlace de su pedido {order.number}",
        order=order,
        contact=contact,
        link=link_of(context, order),
    )


def _alert_mail(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when the mail that it tells of went out meanwhile."""
    failed = context.session.get(OutboxRow, int(row.key))
    owner = owner_email(context)
    if failed is None or failed.state != "pending" or owner is None:
        return None
    order = context.session.get(Order, row.order_id)
    return render(
        context,
        "orders/alert_mail",
        to=owner,
        subject="Un correo no ha podido salir",
        failed=failed,
        number=order.number if order else None,
    )


RENDERERS: dict[str, Renderer] = {
    "link.resend": _link_resend,
    "alert.mail": _alert_mail,
}
