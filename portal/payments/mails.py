"""Mails to the owner about money that did not simply pay its order."""

from portal.accounts.mails import owner_email
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries as orders_queries
from portal.payments.models import Payment
from portal.payments.states import APPLIED, LATE, MISMATCH, SURPLUS

_WHAT_HAPPENED = {
    SURPLUS: "El pedido ya estaba pagado: este pago sobra.",
    LATE: "El pago llegó cuando el pedido ya no esperaba pago.",
    MISMATCH: "El pago no coincide con el pedido (monto, moneda, cuenta o referencia).",
}


def _owner(context: RenderContext) -> str:
    """Raises LookupError, so that the alert waits until there is somebody to tell."""
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    return owner


def _alert_payment(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when the payment has been applied meanwhile."""
    payment = context.session.get(Payment, int(row.key.rpartition("-")[2]))
    if payment is None or payment.disposition in (None, APPLIED):
        return None
    order = orders_queries.get(context.session, payment.order_id)
    return render(
        context,
        "payments/alert_payment",
        to=_owner(context),
        subject=f"Revise un pago: pedido {order.number}",
        payment=payment,
        number=order.number,
        what_happened=_WHAT_HAPPENED[str(payment.disposition)],
    )


def _alert_foreign_payment(context: RenderContext, row: OutboxRow) -> Mail:
    return render(
        context,
        "payments/alert_foreign_payment",
        to=_owner(context),
        subject="Llegó un pago que este portal no pidió",
        payment_id=row.key,
    )


RENDERERS: dict[str, Renderer] = {
    "alert.payment": _alert_payment,
    "alert.foreign_payment": _alert_foreign_payment,
}
