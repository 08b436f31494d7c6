"""The written confirmation of a purchase, and the proof that it went out."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.rules import SOPORTE_ONLINE
from portal.mail.mails import Proven, RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.money import split_iva
from portal.orders.mails import link_of, reachable
from portal.orders.models import Order
from portal.orders.states import PAID
from portal.orders.tax_rules import receipt_words, voucher_counts
from portal.payments.models import Payment
from portal.payments.states import APPLIED, medium_name
from portal.terms import proof_service
from portal.terms import queries as terms_queries
from portal.terms.duties_rules import REFUND_DAYS, RETRACT_DAYS
from portal.terms.proof_rules import ACCEPTED, CONFIRMED, instant
from portal.terms.rules import ATTENTION_MINUTES, to_blocks

_REGIME_WORDS = {
    "normal": "horario normal",
    "special": "horario especial",
    "closed": "fuera de horario",
}


def _applied(session: Session, order_id: int) -> Payment | None:
    return session.scalar(
        select(Payment).where(
            Payment.order_id == order_id, Payment.disposition == APPLIED
        )
    )


def _order_confirmed(context: RenderContext, row: OutboxRow) -> Mail | None:
    """The written confirmation that the law asks for, with the full terms.

    No support number is in it: those show only on the order's page, while they hold.
    """
    found = reachable(context, row)
    if found is None or found[0].state != PAID:
        return None
    order, contact = found
    terms = terms_queries.find_version(context.session, order.terms_version)
    if terms is None:
        raise LookupError(f"order {order.id} accepted terms that are not there")
    what = "Recibimos su pago" if order.price else "Su pedido sin costo"
    links = terms_queries.proof_links(context.session, order.id)
    return render(
        context,
        "payments/order_confirmed",
        to=contact.email,
        subject=f"{what}: pedido {order.number}",
        files=((f"terminos-v{terms.number}.txt", terms.body),),
        order=order,
        contact=contact,
        link=link_of(context, order),
        terms=terms,
        blocks=to_blocks(terms.body),
        accepted=terms_queries.find_acceptance(context.session, order.id),
        proof=next((link.sha256 for link in links if link.kind == ACCEPTED), ""),
        **_purchase(context, order),
    )


def _purchase(context: RenderContext, order: Order) -> dict[str, Any]:
    """What was bought, in pesos, and how it was paid."""
    payment = _applied(context.session, order.id)
    net, iva = split_iva(order.price)
    medium = medium_name(payment.gateway, payment.amount) if payment else ""
    counts = voucher_counts(
        order.document,
        payment.gateway if payment else "",
        voucher_is_boleta=context.business.voucher_is_boleta,
    )
    return {
        "online": order.service_slug == SOPORTE_ONLINE,
        "attention_minutes": ATTENTION_MINUTES,
        "regime_word": _REGIME_WORDS[order.regime_kind],
        "net": net,
        "iva": iva,
        "medium": medium,
        "paper": receipt_words(
            order.document, medium, counts=counts, folio="", issued_on=None
        ),
        "payment": payment,
        "retract_days": RETRACT_DAYS,
        "refund_days": REFUND_DAYS,
    }


def _prove_confirmed(session: Session, row: OutboxRow) -> None:
    """Chain what was paid and which mail the server took."""
    order = session.get_one(Order, row.order_id)
    payment = _applied(session, order.id)
    terms = terms_queries.find_version(session, order.terms_version)
    values = {
        "que": "confirmación escrita, enviada por correo",
        "pedido": int(order.number),
        "pago": _paid(payment) if payment else None,
        "correo": {
            "message_id": row.message_id,
            "enviado_en": instant(row.sent_at) if row.sent_at else None,
            "respuesta_del_servidor": row.server_reply,
            "mensaje_sha256": row.body_sha256,
            "texto_sha256": row.text_sha256,
        },
        "adjunto": f"terminos-v{order.terms_version}.txt",
        "adjunto_sha256": terms.sha256 if terms else None,
    }
    proof_service.append(session, order_id=order.id, kind=CONFIRMED, values=values)


def _paid(payment: Payment) -> dict[str, Any]:
    """The reference by which gateway and shop find the payment; pesos."""
    evidence = payment.evidence or {}
    return {
        "medio": payment.gateway,
        "monto": payment.amount,
        "orden_de_compra": payment.buy_order,
        "codigo_de_autorizacion": evidence.get("authorization_code") or None,
        "aprobado_en": instant(payment.approved_at) if payment.approved_at else None,
    }


RENDERERS: dict[str, Renderer] = {
    "order.confirmed": Proven(_order_confirmed, _prove_confirmed),
}
