"""The history of an order in the owner's words. Pure."""

from portal.orders import states as order
from portal.payments import refund_rules as refund
from portal.payments import states as pay
from portal.support import states as work

WHO = {"customer": "Cliente", "gateway": "Medio de pago", "system": "Sistema"}
KINDS = {
    "order": "Pedido",
    "payment": "Pago",
    "attention": "Atención",
    "errand": "Encargo",
    "refund": "Devolución",
}
ORDER_WORDS = {
    order.AWAITING_PAYMENT: "Espera el pago",
    order.PAID: "Pagado",
    order.EXPIRED: "Vencido sin pago",
    order.CANCELLED: "Anulado",
    order.REFUNDED: "Devuelto",
    order.CHARGED_BACK: "Contracargo",
}
PAYMENT_WORDS = {
    pay.CREATED: "Creado",
    pay.REDIRECTED: "En el formulario",
    pay.COMMITTING: "Confirmando",
    pay.PENDING: "Pendiente",
    pay.UNKNOWN: "Sin respuesta",
    pay.APPROVED: "Aprobado",
    pay.REJECTED: "Rechazado",
    pay.ABORTED: "Anulado por el cliente",
    pay.TIMED_OUT: "Formulario vencido",
    pay.FAILED: "No se abrió",
    pay.PARTLY_REFUNDED: "Devuelto en parte",
    pay.REFUNDED: "Devuelto",
    pay.CHARGED_BACK: "Contracargo",
}
REFUND_WORDS = {
    refund.REQUESTED: "Pedida",
    refund.SENT: "Enviada, sin confirmar",
    refund.CONFIRMED: "Hecha",
    refund.REJECTED: "No se pudo hacer",
    refund.PAID_BY_HAND: "Pagada a mano",
}
_WORK_WORDS = {
    work.DEFERRED: "Para otra apertura",
    work.WAITING: "En espera",
    work.TAKEN: "Tomada",
    work.RUNNING: "En curso",
    work.PAUSED: "En pausa",
    work.TIMED_OUT: "Se acabó el tiempo",
    work.CLOSED: "Cerrada",
    work.NO_SHOW: "El cliente no estaba",
    work.CANCELLED: "Anulada",
}
_ERRAND_WORDS = {
    work.ERRAND_OPEN: "Por coordinar",
    work.ERRAND_SCHEDULED: "Con fecha",
    work.ERRAND_DONE: "Hecho",
    work.ERRAND_CANCELLED: "Anulado",
}
STATE_WORDS = {
    "order": ORDER_WORDS,
    "payment": PAYMENT_WORDS,
    "refund": REFUND_WORDS,
    "attention": _WORK_WORDS,
    "errand": _ERRAND_WORDS,
}
DISPOSITION_WORDS = {
    pay.APPLIED: "Pagó el pedido",
    pay.SURPLUS: "Pago de más",
    pay.LATE: "Llegó tarde",
    pay.MISMATCH: "No coincide",
}
SOURCE_WORDS = {
    "customer": "Pedida por el cliente",
    "owner": "Decidida o anotada por la dueña",
    "gateway": "Hecha en el panel del medio de pago",
}
# What a state alone does not say.
ACTION_WORDS = {
    "order.placed": "Pedido hecho",
    "order.corrected": "Pedido corregido",
    "order.seen": "Abrió esta página",
    "order.opened_by_hand": "Pedido abierto a mano",
    "order.document_noted": "Folio anotado",
    "order.noted": "Dejó una nota",
    "mail.given_up": "Dejó de enviar un correo",
    "customer.history_read": "Leyó el historial del cliente",
    "person.seen": "Abrió los datos de la persona",
    "person.blocked": "Datos de la persona bloqueados",
    "person.unblocked": "Bloqueo levantado",
    "person.erased": "Datos de la persona borrados",
    "contact.corrected": "Corrigió sus datos",
    "link.asked": "Pidió de nuevo su enlace",
    "terms.accepted": "Aceptó los términos",
    "payment.created": "Empezó a pagar",
    "payment.honoured": "El pago atrasado paga el pedido",
    "payment.try_rejected": "Un intento rechazado",
    "payment.refund_seen": "Más dinero devuelto",
    "payment.given_twice": "También se devolvió por el medio de pago",
    "payment.taken_twice": "Contracargo de un pago ya devuelto a mano",
    "attention.opened": "Atención abierta",
    "attention.opening_chosen": "Eligió la próxima apertura",
    "attention.brought_back": "Volvió a la fila",
    "attention.released": "Atención soltada",
    "attention.started": "Atención iniciada",
    "attention.resumed": "Pausa terminada",
    "attention.handed_over": "Traspasada a otro técnico",
    "attention.called": "Llamó al cliente",
    "attention.contacted": "Habló con el cliente",
    "attention.no_answer": "Avisó que no le contestan",
    "attention.promise_missed": "Promesa de llamada no cumplida",
    "attention.came_back": "Avisó que ya está disponible",
    "attention.entry_added": "Anotó para el cliente",
    "attention.note_added": "Anotó una nota interna",
    "attention.message_added": "Escribió al técnico",
    "attention.rated": "Calificó la atención",
    "attention.remote_code_given": "Dio el código de acceso remoto",
    "attention.remote_code_withdrawn": "Retiró el código de acceso remoto",
    "attention.remote_code_wiped": "Código de acceso remoto borrado",
    "errand.rescheduled": "Cambió la fecha del encargo",
    "undone": "Deshizo su último acto",
    "errand.opened": "Encargo abierto",
    "refund.dropped": "Prefirió que le atiendan",
}


def state_words(kind: str, state: str | None) -> str:
    """A state of the history in words; empty for none."""
    if state is None:
        return ""
    return STATE_WORDS.get(kind, {}).get(state, "otro estado")


def what_happened(action: str, kind: str) -> str:
    """One line's title: the act where it has a name, else what changed."""
    return ACTION_WORDS.get(action) or KINDS.get(kind, "Otro registro")
