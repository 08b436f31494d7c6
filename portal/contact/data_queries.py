"""What we keep of one order, in words: the same for the page and for the file.

No secret is in it (link, gateway's tokens, remote code), and no internal note.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.chile import format_moment, format_phone, format_rut
from portal.mail.models import OutboxRow
from portal.mail.words_rules import mail_words
from portal.money import format_pesos
from portal.orders import queries as order_queries
from portal.orders.models import Contact, Order
from portal.payments import queries as payment_queries
from portal.payments.models import Payment, Refund
from portal.payments.states import medium_name
from portal.support import customer_queries, errand_queries
from portal.support import queries as support_queries
from portal.support.customer_models import Rating, RemoteCode
from portal.support.models import Attention
from portal.terms import queries as terms_queries

_WORDS = {
    "unknown": "No sabe",
    "32": "32 bits",
    "64": "64 bits",
    # Payments and refunds.
    "created": "Creado",
    "redirected": "En el medio de pago",
    "committing": "En verificación",
    "pending": "Pendiente",
    "approved": "Aprobado",
    "rejected": "Rechazado",
    "failed": "No se abrió",
    "aborted": "Anulado por usted",
    "partly_refunded": "Devuelto en parte",
    "refunded": "Devuelto",
    "charged_back": "Desconocido ante el banco",
    "requested": "Pedida",
    "sent": "En camino",
    "confirmed": "Hecha",
    "paid_by_hand": "Hecha por transferencia",
    # Attentions and errands.
    "deferred": "Para la próxima apertura",
    "waiting": "En espera",
    "taken": "Tomada por un técnico",
    "running": "En curso",
    "paused": "En pausa",
    "timed_out": "Tiempo cumplido",
    "closed": "Terminada",
    "no_show": "No pudimos contactarle",
    "cancelled": "Anulado",
    "open": "Por coordinar",
    "scheduled": "Con fecha",
    "done": "Hecho",
    # How an attention ended, what was noted in it, which paper was asked for.
    "resuelto": "Resuelto",
    "parcial": "Resuelto en parte",
    "no resuelto": "No quedó resuelto",
    "haremos": "Haremos",
    "hecho": "Hecho",
    "acordado": "Acordado",
    "anulado": "Anulado",
    "boleta": "Boleta",
    "factura": "Factura",
}
Record = dict[str, str]
Data = dict[str, list[Record]]


def load_data(session: Session, order: Order, *, now: datetime) -> Data:
    """Title of each section -> its records, label -> value; empty ones are left out."""
    contact = order_queries.get_contact(session, order)
    payments = payment_queries.of_order(session, order.id)
    refunds = payment_queries.refunds_of_order(session, order.id)
    sections: Data = {
        "Estos datos": [
            {
                "Pedido": order.number,
                "Leídos": _moment(now),
                "Fechas y horas": "Todas en hora de Santiago",
            }
        ],
        "Sus datos": [_person(contact)],
        "Su pedido": [_order(order)],
        "Aceptación de los términos": _acceptance(session, order),
        "Pagos": [_payment(payment) for payment in payments],
        "Devoluciones": [_refund(refund) for refund in refunds],
        **_work(session, order),
        "Correos que le enviamos": _mails(session, order),
    }
    return {title: records for title, records in sections.items() if records}


def _moment(instant: datetime | None) -> str:
    return format_moment(instant) if instant else ""


def _word(code: str) -> str:
    return _WORDS.get(code, code)


def _said(record: dict[str, str | None]) -> Record:
    """Only what is there."""
    return {label: value for label, value in record.items() if value}


def _person(contact: Contact) -> Record:
    return _said(
        {
            "Nombre": contact.name,
            "Correo": contact.email,
            "Teléfono": format_phone(contact.phone),
            "RUT": format_rut(contact.rut or ""),
            "Bloqueados a su pedido": "Sí" if contact.blocked else None,
        }
    )


def _order(order: Order) -> Record:
    place = f"{order.address}, {order.commune}" if order.address else None
    return _said(
        {
            "Servicio": order.service_name,
            "Precio": format_pesos(order.price),
            "Tema": order.topic_title,
            "Qué pasa": order.problem,
            "Windows": _word(order.windows_bits),
            "Dirección de la visita": place,
            "Documento": _word(order.document),
            "RUT de la factura": format_rut(order.tax_rut or ""),
            "Razón social": order.tax_name,
            "Giro": order.tax_activity,
            "Dirección tributaria": order.tax_address,
            "Comuna tributaria": order.tax_commune,
            "Pedido el": _moment(order.created_at),
            "Pagado el": _moment(order.paid_at),
        }
    )


def _acceptance(session: Session, order: Order) -> list[Record]:
    accepted = terms_queries.find_acceptance(session, order.id)
    if accepted is None:
        return []
    return [
        {
            "Versión": str(accepted.version),
            "Huella del texto (SHA-256)": accepted.sha256,
            "Aceptados el": _moment(accepted.accepted_at),
            "Casilla": accepted.checkbox_text,
            "Dirección de internet": accepted.address,
            "Navegador": accepted.user_agent,
        }
    ]


def _payment(payment: Payment) -> Record:
    said = payment.evidence or {}
    return _said(
        {
            "Medio": medium_name(payment.gateway, payment.amount),
            "Monto": format_pesos(payment.amount),
            "Estado": _word(payment.state),
            "Orden de compra": payment.buy_order,
            "Creado el": _moment(payment.created_at),
            "Aprobado el": _moment(payment.approved_at),
            "Código de autorización": str(said.get("authorization_code") or ""),
            "Últimos cuatro dígitos": str(said.get("card_last4") or ""),
        }
    )


def _refund(refund: Refund) -> Record:
    return {
        "Monto": format_pesos(refund.amount),
        "Estado": _word(refund.state),
        "Pedida el": _moment(refund.requested_at),
    }


def _work(session: Session, order: Order) -> Data:
    attention = support_queries.find_for_order(session, order.id)
    if attention is not None:
        return _attention(session, attention)
    errand = support_queries.find_errand_for_order(session, order.id)
    if errand is None:
        return {}
    lines = errand_queries.errand_entries(session, errand.id)
    state = {"Estado": _word(errand.state), "Fecha": _moment(errand.scheduled_for)}
    return {
        "Su encargo": [_said(dict(state))],
        "Lo que se acordó e hizo": [
            _said(_line(line.at, line.kind, line.text)) for line in lines
        ],
    }


def _attention(session: Session, attention: Attention) -> Data:
    entries = support_queries.entries(session, attention.id)
    messages = customer_queries.messages(session, attention.id)
    rating = customer_queries.find_rating(session, attention.id)
    code = customer_queries.find_code(session, attention.id)
    return {
        "Su atención": [
            _said(
                {
                    "Estado": _word(attention.state),
                    "En la fila desde": _moment(attention.queued_at),
                    "Comenzó": _moment(attention.started_at),
                    "Terminó": _moment(attention.closed_at),
                    "Resultado": _word(attention.outcome or ""),
                }
            )
        ],
        "Lo que hicimos": [
            _said(_line(line.at, line.kind, line.text)) for line in entries
        ],
        "Sus mensajes": [
            {"Cuándo": _moment(each.at), "Texto": each.text} for each in messages
        ],
        "Su código de acceso remoto": [_code(code)] if code else [],
        "Su calificación": [_rating(rating)] if rating else [],
    }


def _line(at: datetime, kind: str, text: str) -> dict[str, str | None]:
    return {"Cuándo": _moment(at), "Qué": _word(kind), "Texto": text}


def _code(code: RemoteCode) -> Record:
    return {
        "Autorizó la conexión el": _moment(code.consented_at),
        "Lo guardamos": "Sí" if code.remote_code else "No, se borró",
    }


def _rating(rating: Rating) -> Record:
    return _said({"Nota": f"{rating.stars} de 5", "Comentario": rating.comment})


def _mails(session: Session, order: Order) -> list[Record]:
    """What went out to the customer; alerts to the desk are none of these."""
    rows = session.execute(
        select(OutboxRow.kind, OutboxRow.sent_at)
        .where(OutboxRow.order_id == order.id, OutboxRow.state == "sent")
        .order_by(OutboxRow.id)
    )
    return [
        {"Correo": mail_words(row.kind), "Enviado el": _moment(row.sent_at)}
        for row in rows
        if row.kind.partition(".")[0] != "alert" and row.kind != "attention.on_call"
    ]
