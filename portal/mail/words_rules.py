"""What each kind of mail is about, in words for a person. Pure."""

MAIL_WORDS = {
    "order.confirmed": "Confirmación de la compra",
    "attention.summary": "Resumen de la atención",
    "attention.promise_missed": "Promesa de llamada no cumplida",
    "attention.on_call": "Aviso a quien está de turno",
    "link.resend": "Enlace pedido de nuevo",
    "errand.scheduled": "Fecha del encargo",
    "errand.done": "Encargo hecho",
    "errand.cancelled": "Encargo anulado",
    "refund.requested": "Devolución pedida",
    "refund.confirmed": "Devolución hecha",
    "refund.rejected": "Devolución con problemas",
    "privacy.confirm": "Solicitud de datos por confirmar",
    "privacy.received": "Solicitud de datos recibida",
    "privacy.extended": "Solicitud de datos con más plazo",
    "privacy.answered": "Solicitud de datos respondida",
    "staff.password": "Contraseña cambiada",
    "check.mail": "Correo de prueba",
}


def mail_words(kind: str) -> str:
    """What a mail is about, from its kind."""
    usual = "Aviso a la dueña" if kind.startswith("alert.") else "Correo"
    return MAIL_WORDS.get(kind, usual)
