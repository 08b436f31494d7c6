"""The register of processing: each purpose with basis, data, readers, term. Pure.

The one source of the owner's register and of what the public notice says, so that the
two cannot differ. A Chilean lawyer must sign it off before real money may flow.
"""

from dataclasses import dataclass

from portal.privacy import rules

BUYERS, YOU = "Quienes compran en este sitio", "Usted"
CONTRACT = "El contrato con usted, o lo que usted pide antes de contratar"
LAW = "Una obligación legal"
DEFENCE = "La defensa de derechos"
INTEREST = "Nuestro interés legítimo en que el sitio sea seguro"
YEARS = f"{rules.KEEP_YEARS} años"
PAYMENT_READERS = "Mercado Pago o Transbank (Webpay), según el medio que usted elija"


@dataclass(frozen=True, slots=True)
class Processing:
    """One purpose; `source` is where the data come from."""

    purpose: str
    basis: str
    people: str
    data: str
    source: str
    readers: str
    term: str


REGISTER = (
    Processing(
        "Vender y cobrar el servicio que usted pide",
        CONTRACT,
        BUYERS,
        "Nombre, correo, teléfono, servicio, precio y resultado del pago; la dirección "
        "de la visita, solo si compra una visita. No vemos los datos de su tarjeta",
        "Usted; del pago, el medio de pago",
        PAYMENT_READERS,
        f"{YEARS}; si no pagó, {rules.UNPAID_DAYS} días",
    ),
    Processing(
        "Atenderle y dejar escrito lo que hicimos",
        CONTRACT,
        BUYERS,
        "Lo que nos cuenta del problema, sus mensajes, lo que hicimos, cuánto duró y "
        "su calificación",
        "Usted y el técnico",
        "Nuestros técnicos",
        f"Los textos, {rules.WORDS_MONTHS} meses desde que terminó; lo demás, {YEARS}",
    ),
    Processing(
        "Conectarnos a su equipo",
        CONTRACT,
        BUYERS,
        "El código de acceso remoto que nos dé, cifrado",
        YOU,
        "El técnico que le atiende y el programa de acceso remoto",
        "Se borra al terminar la atención",
    ),
    Processing(
        "Emitir la boleta o factura",
        LAW,
        BUYERS,
        "RUT, razón social, giro, dirección y comuna, solo si pide factura",
        YOU,
        "El Servicio de Impuestos Internos",
        YEARS,
    ),
    Processing(
        "Probar lo contratado y responder reclamos",
        DEFENCE,
        BUYERS,
        "La aceptación de los términos: versión, fecha, hora, dirección de red y "
        "navegador; qué correos salieron y cuándo, sin su texto",
        "Usted y su navegador",
        "Los tribunales y el Sernac, cuando la ley lo pide",
        YEARS,
    ),
    Processing(
        "Contestar lo que usted pida sobre sus datos",
        LAW,
        "Quienes lo piden, hayan comprado o no",
        "Nombre, correo, lo pedido y lo contestado",
        YOU,
        "La Agencia de Protección de Datos Personales, si reclama",
        f"{YEARS}; sin confirmar, dos días",
    ),
    Processing(
        "Cuidar el sitio de fraudes y abusos",
        INTEREST,
        "Quienes usan este sitio",
        "La dirección de red de quien envía formularios, en memoria y sin guardarla; "
        "avisos firmados de los medios de pago",
        "Su navegador y los medios de pago",
        "Nadie más",
        f"La dirección, una hora; los avisos, {rules.NOTICE_MONTHS} meses",
    ),
    Processing(
        "Dar acceso al personal y registrar qué hace y qué datos de clientes abre",
        INTEREST,
        "Nuestro personal",
        "Nombre, correo, clave cifrada y actos en el portal",
        "La empresa y el propio portal",
        "La dueña",
        f"Mientras trabaje aquí y {YEARS}; los borradores, {rules.DRAFT_DAYS} días",
    ),
)
