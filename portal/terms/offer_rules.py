"""Sections 1 to 6 of the terms: who sells what, when, for how much and how long. Pure.

They follow the customer's own terms, clause by clause, and add what Chilean consumer
law asks for. A Chilean lawyer must sign them off before real money may flow.
"""

from collections.abc import Iterator

from portal.chile import ZONE_LABEL
from portal.money import format_pesos
from portal.terms.facts_rules import ATTENTION_MINUTES, PriceLine, TermsFacts, minutes


def who_we_are(facts: TermsFacts) -> Iterator[str]:
    yield "## 1. Quiénes somos y para qué es este servicio"
    yield (
        f"{facts.business_name} ha dispuesto para usted la atención de su área de "
        "soporte, que presta sus servicios a todos nuestros clientes que trabajan con "
        f"el software {facts.product_name} (en adelante, «el programa»)."
    )
    yield (
        "No necesita tener un contrato activo: usted paga en línea y recibe de "
        "inmediato, dentro del horario de atención, una atención de nuestra Mesa de "
        "Ayuda."
    )
    yield "Datos del proveedor:"
    labels = (
        ("Razón social", facts.business_name),
        ("RUT", facts.business_rut),
        ("Domicilio", facts.business_address),
        ("Representante legal", facts.legal_representative),
        ("Correo", facts.business_email),
        ("Teléfono", facts.public_phone),
    )
    yield from (f"- {label}: {value}" for label, value in labels if value)


def last_sale(facts: TermsFacts) -> str:
    """Until when the support is sold on a day."""
    if not facts.last_sale_minutes:
        return "el último cierre del día"
    return f"{minutes(facts.last_sale_minutes)} antes del último cierre del día"


def how_to_buy(facts: TermsFacts) -> Iterator[str]:
    before = last_sale(facts)
    yield "## 2. Cómo se compra"
    yield (
        "La compra tiene cuatro pasos: sus datos, la revisión, el pago y la "
        "confirmación. Antes de pagar puede volver y corregir lo que escribió."
    )
    yield (
        "- En este sitio se paga con Webpay o con Mercado Pago. No se recibe pago en "
        "efectivo."
    )
    yield (
        f"- La atención de soporte en línea se vende hasta {before}; los demás "
        "servicios, a cualquier hora."
    )
    yield (
        "- Un pedido que no se paga vence a los "
        f"{minutes(facts.order_life_minutes)} y no se cobra."
    )
    yield (
        "- Después del pago enviamos a su correo la confirmación de la compra con el "
        "texto completo de estos términos."
    )
    yield "- Para comprar debe tener 18 años o más."


def price_line(line: PriceLine) -> str:
    """One line of the list of prices."""
    normal = format_pesos(line.price_normal)
    if line.price_special is None:
        return f"- {line.name}: {normal}."
    special = format_pesos(line.price_special)
    return (
        f"- {line.name}, por cada atención: {normal} en horario normal y {special} en "
        "horario especial."
    )


def prices(facts: TermsFacts) -> Iterator[str]:
    yield "## 3. Precios y documentos"
    yield "Los precios están en pesos chilenos y tienen el IVA incluido:"
    yield from (price_line(line) for line in facts.prices)
    yield (
        "El monto que muestra el botón de pago es el total: no hay recargos "
        "posteriores. Se aplica el precio del horario vigente cuando usted paga; si el "
        "horario cambia antes, le mostramos el nuevo precio y usted decide si lo "
        "acepta."
    )
    if facts.voucher_is_boleta:
        yield (
            "Si paga con Webpay o Mercado Pago, el voucher que le entrega ese medio de "
            "pago vale como boleta."
        )
    yield (
        "Usted recibe boleta. Si necesita factura, debe pedirla antes de pagar, con "
        "RUT, razón social, giro, dirección y comuna. El comprobante de compra de este "
        "sitio no es un documento tributario."
    )


def hours(facts: TermsFacts) -> Iterator[str]:
    yield "## 4. Horarios de atención"
    yield f"Todos los horarios están en {ZONE_LABEL}."
    yield from (f"- {label}: {text}." for label, text in facts.weekly)
    yield (
        "Los días feriados distintos de los domingos no están contemplados en el "
        "horario de trabajo: no se atiende. Si un día tiene un horario distinto "
        "de este, lo decimos en la portada antes de que usted compre."
    )


def after_paying(facts: TermsFacts) -> Iterator[str]:
    yield "## 5. Qué pasa después de pagar"
    yield (
        "Al terminar el pago, usted llega a la página de su pedido, que le da las vías "
        "para ser atendido."
    )
    yield (
        "- En horario normal, la página le ofrece varias vías de contacto con nuestra "
        "área de soporte. Si lo prefiere, puede esperar a que un técnico le llame por "
        f"teléfono: le llamaremos dentro de {minutes(facts.promise_minutes)} de "
        "horario de atención, y la página le dice antes de qué hora. Si no "
        "cumplimos, puede pedir la devolución completa."
    )
    yield (
        "- Solo en horario especial, usted recibe dos números de celular que estarán "
        "activos para su atención. En ese horario es usted quien debe llamar a "
        "soporte, a cualquiera de los dos. Si no le contestan, desde "
        f"{minutes(facts.no_answer_minutes)} después del pago puede avisarlo en su "
        "página y pedir la devolución completa."
    )
    yield (
        "- Si su pago se aprueba cuando ya estamos cerrados, su dinero no se pierde: "
        "usted elige ser atendido en la próxima apertura o la devolución completa."
    )


def duration(facts: TermsFacts) -> Iterator[str]:
    yield "## 6. Tiempo de solución de un problema"
    yield f"El tiempo límite de una atención es de {ATTENTION_MINUTES} minutos por vez."
    yield (
        "- El tiempo empieza cuando el técnico inicia la atención, y usted lo ve en su "
        "página. La espera no cuenta."
    )
    yield (
        "- El técnico puede pausar el tiempo por un motivo que usted también ve. Las "
        f"pausas suman como máximo {minutes(facts.pause_limit_minutes)} y no le "
        "descuentan tiempo."
    )
    yield (
        "- El precio es por atención, no por minuto: los minutos sin usar terminan con "
        "ella y no se guardan para otra."
    )
    yield (
        "- Una atención no se extiende. Si el caso necesita más tiempo, puede comprar "
        "otra atención para el mismo caso."
    )
    yield "- Una atención ya iniciada puede terminar después de la hora de cierre."


SECTIONS = (
    who_we_are,
    how_to_buy,
    prices,
    hours,
    after_paying,
    duration,
)
