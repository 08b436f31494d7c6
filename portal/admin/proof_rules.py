"""The links of the chain of proofs, line by line as the page of evidence says them."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from portal.chile import format_moment
from portal.money import format_pesos

_LABELS = {
    "que": "Qué prueba",
    "pedido": "Pedido",
    "documento": "Documento",
    "version": "Versión",
    "vigente_desde": "Vigente desde",
    "texto_sha256": "SHA-256 del texto",
    "texto_en": "Dirección del texto",
    "aceptado_en": "Aceptado",
    "casillas": "Casilla",
    "direccion_ip": "Dirección IP",
    "navegador": "Navegador",
    "sesion_sha256": "SHA-256 de la sesión",
    "precio_mostrado": "Precio mostrado, IVA incluido",
    "tarifa": "Tarifa",
    "regla_de_la_tarifa": "Regla de la tarifa",
    "idioma": "Idioma",
    "plantilla_de_la_pagina": "Versión de la página",
    "servicio": "Servicio mostrado",
    "retracto": "Retracto mostrado sobre el botón",
    "documento_tributario": "Documento pedido",
    "decision_del_horario": "Cómo se decidió el horario",
    "medio": "Medio de pago",
    "monto": "Monto pagado",
    "orden_de_compra": "Orden de compra",
    "codigo_de_autorizacion": "Código de autorización",
    "aprobado_en": "Pago aprobado",
    "message_id": "Message-ID del correo",
    "enviado_en": "Correo enviado",
    "respuesta_del_servidor": "Respuesta del servidor de correo",
    "mensaje_sha256": "SHA-256 del mensaje completo",
    "adjunto": "Archivo adjunto",
    "adjunto_sha256": "SHA-256 del adjunto",
}
_WORDS = {
    "normal": "Horario normal",
    "special": "Horario especial",
    "closed": "Fuera de horario",
    "webpay": "Webpay",
    "mercadopago": "Mercado Pago",
    "manual": "Transferencia o sin costo",
}
# What decided the hours, and its values.
_HOURS_WORDS = {
    "kind": "Horario",
    "rule": "Regla",
    "instant": "Instante",
    "reason": "Motivo",
    "weekly": "la semana",
    "override": "un día propio",
    "holiday": "feriado",
    "normal": "normal",
    "special": "especial",
    "closed": "cerrado",
}
_PESOS = ("precio_mostrado", "monto")
_INSTANTS = ("vigente_desde", "aceptado_en", "aprobado_en", "enviado_en")


def lines_of(content: str) -> list[tuple[str, str]]:
    """Label and words of everything that a link says; empty values are left out.

    A text that is no JSON object (a forged link) is shown as it is.
    """
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return [("Contenido", content)]
    return list(_lines(told))


def _lines(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        if name == "casillas":
            yield from (
                (f"Casilla «{box}»", str(state)) for box, state in value.items()
            )
        elif name == "decision_del_horario":
            yield _LABELS[name], _decision(value)
        elif isinstance(value, dict):
            yield from _lines(value)
        elif value not in (None, ""):
            yield _LABELS.get(name, name), _words(name, value)


def _decision(value: Any) -> str:
    """Each part with its name; the exact bytes are in the link's file."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    said = ((_HOURS_WORDS.get(name, name), str(part)) for name, part in value.items())
    return "; ".join(f"{name}: {_HOURS_WORDS.get(part, part)}" for name, part in said)


def _words(name: str, value: Any) -> str:
    if name == "regla_de_la_tarifa":
        return _HOURS_WORDS.get(str(value), str(value)).capitalize()
    if name in _PESOS and isinstance(value, int):
        return format_pesos(value)
    if name in _INSTANTS:
        return _instant(str(value))
    return (
        _WORDS.get(str(value), str(value))
        if name in ("tarifa", "medio")
        else str(value)
    )


def _instant(text: str) -> str:
    """Both as Chile reads it and as it is written in the chain."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return f"{text} (UTC)"
    return f"{format_moment(at)} (hora de Santiago); {text}"
