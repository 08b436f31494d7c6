"""Mails to the owner about money that did not simply pay its order."""

from portal.accounts.mails import owner_email
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders import queries as orders_queries
from portal.orders.mails import link_of, reachable
from portal.payments import confirmation_mails, queries
from portal.payments.models import Payment, Refund
from portal.payments.refund_rules import (
    CONFIRMED,
    PAID_BY_HAND,
    REJECTED,
    REQUESTED,
    SENT,
    rejection_words,
)
from portal.payments.states import (
    APPLIED,
    GATEWAY_NAMES,
    LATE,
    MISMATCH,
    SURPLUS,
    WITHOUT_ANSWER,
)

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
        gateway=GATEWAY_NAMES[payment.gateway],
        what_happened=_WHAT_HAPPENED[str(payment.disposition)],
    )


def _alert_chargeback(context: RenderContext, row: OutboxRow) -> Mail:
    payment = context.session.get_one(Payment, int(row.key))
    order = orders_queries.get(context.session, payment.order_id)
    return render(
        context,
        "payments/alert_chargeback",
        to=_owner(context),
        subject=f"Contracargo: pedido {order.number}",
        payment=payment,
        number=order.number,
        gateway=GATEWAY_NAMES[payment.gateway],
        by_hand=queries.paid_by_hand(context.session, payment.id),
    )


def _alert_given_twice(context: RenderContext, row: OutboxRow) -> Mail:
    payment = context.session.get_one(Payment, int(row.key))
    order = orders_queries.get(context.session, payment.order_id)
    return render(
        context,
        "payments/alert_given_twice",
        to=_owner(context),
        subject=f"Un pago se devolvió dos veces: pedido {order.number}",
        by_hand=queries.paid_by_hand(context.session, payment.id),
        number=order.number,
        gateway=GATEWAY_NAMES[payment.gateway],
    )


def _alert_foreign_payment(context: RenderContext, row: OutboxRow) -> Mail:
    return render(
        context,
        "payments/alert_foreign_payment",
        to=_owner(context),
        subject="Llegó un pago que este portal no pidió",
        payment_id=row.key,
    )


def _refund(context: RenderContext, row: OutboxRow) -> Refund | None:
    refund = context.session.get(Refund, int(row.key.partition("-")[0]))
    return refund


_REFUND_SUBJECTS = {
    REQUESTED: "Recibimos su solicitud de devolución",
    SENT: "Recibimos su solicitud de devolución",
    CONFIRMED: "Le devolvimos su dinero",
    PAID_BY_HAND: "Le devolvimos su dinero",
    REJECTED: "Su devolución necesita un paso más",
}


def _refund_to_customer(*wanted: str) -> Renderer:
    """A mail about a refund that is withdrawn once the refund has moved on."""

    def render_it(context: RenderContext, row: OutboxRow) -> Mail | None:
        refund = _refund(context, row)
        if refund is None or refund.state not in wanted:
            return None
        found = reachable(context, row)
        if found is None:
            return None
        order, contact = found
        return render(
            context,
            "payments/refund",
            to=contact.email,
            subject=f"{_REFUND_SUBJECTS[refund.state]}: pedido {order.number}",
            refund=refund,
            number=order.number,
            contact=contact,
            order=order,
            link=link_of(context, order),
        )

    return render_it


def _alert_refund(context: RenderContext, row: OutboxRow) -> Mail | None:
    refund = _refund(context, row)
    if refund is None or refund.state != REJECTED:
        return None
    order = orders_queries.get(context.session, refund.order_id)
    return render(
        context,
        "payments/alert_refund",
        to=_owner(context),
        subject=f"Una devolución fue rechazada: pedido {order.number}",
        refund=refund,
        number=order.number,
        why=rejection_words(refund.detail),
    )


def _alert_unresolved(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when somebody has found out meanwhile."""
    payment = context.session.get(Payment, int(row.key))
    if payment is None or payment.state not in WITHOUT_ANSWER:
        return None
    order = orders_queries.get(context.session, payment.order_id)
    return render(
        context,
        "payments/alert_unresolved",
        to=_owner(context),
        subject=f"Un pago quedó sin respuesta: pedido {order.number}",
        payment=payment,
        number=order.number,
        gateway=GATEWAY_NAMES[payment.gateway],
    )


def _alert_lost_key(context: RenderContext, _row: OutboxRow) -> Mail:
    return render(
        context,
        "payments/alert_lost_key",
        to=_owner(context),
        subject="Falta una clave: hay pagos por los que no se puede preguntar",
    )


RENDERERS: dict[str, Renderer] = {
    "refund.requested": _refund_to_customer(REQUESTED, SENT),
    "refund.confirmed": _refund_to_customer(CONFIRMED, PAID_BY_HAND),
    "refund.rejected": _refund_to_customer(REJECTED),
    "alert.refund": _alert_refund,
    "alert.payment": _alert_payment,
    "alert.chargeback": _alert_chargeback,
    "alert.given_twice": _alert_given_twice,
    "alert.unresolved": _alert_unresolved,
    "alert.foreign_payment": _alert_foreign_payment,
    "alert.lost_key": _alert_lost_key,
    **confirmation_mails.RENDERERS,
}
