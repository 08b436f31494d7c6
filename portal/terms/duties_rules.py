"""Sections 7 to 15 of the terms: what each side owes the other. Pure.

They follow the customer's own terms, clause by clause, and add what Chilean consumer
and data law asks for. A Chilean lawyer must sign them off before real money may flow.
"""

from collections.abc import Iterator

from portal.terms.facts_rules import TermsFacts

# Terms of the law: Ley 19.496, article 3 bis.
RETRACT_DAYS = 10
RETRACT_DAYS_UNCONFIRMED = 90
REFUND_DAYS = 45


def obligations(facts: TermsFacts) -> Iterator[str]:
    yield "## 7. Obligaciones de nuestra Mesa de Ayuda"
    yield (
        "Atenderle de forma competente, eficaz, responsable y segura, y buscar por "
        "todos los medios y en el menor tiempo posible las soluciones y respuestas, "
        "cuando usted:"
    )
    yield "- tenga consultas sobre el programa"
    yield "- necesite capacitación"
    yield "- quiera adaptar su imagen corporativa a un documento o reporte"
    yield "- quiera adaptar a un reporte campos sencillos de una misma tabla"
    yield (
        "- encuentre un error del programa: lo depuramos o le indicamos cómo saltarlo"
    )
    yield "- necesite analizar su base de datos"
    yield "- necesite levantar el programa inicialmente"
    yield "- tenga problemas con el disco virtual"
    yield "- tenga problemas con el isButton"
    yield "- tenga problemas de compatibilidad entre su equipo y el programa"
    yield "- tenga problemas entre su antivirus y el programa"
    yield "- tenga problemas entre su sistema operativo y el programa"
    yield "- tenga otros problemas semejantes del programa"
    yield (
        "La obligación principal de la Mesa de Ayuda es resolver problemas del "
        f"software {facts.product_name} y sus derivados."
    )


def responsibilities(_facts: TermsFacts) -> Iterator[str]:
    yield "## 8. Responsabilidad de nuestra Mesa de Ayuda"
    yield (
        "- Atenderle en forma rápida y oportuna, analizar su problema y entregar una "
        "solución sin dañar su información."
    )
    yield "- Establecer una conexión remota segura."
    yield (
        "- Dar privacidad y guardar absoluta reserva de sus procesos y de su "
        "información. No grabamos la sesión sin su consentimiento ni guardamos sus "
        "claves, y el código de acceso remoto se borra cuando la atención termina. "
        "Antes de conectarnos, cierre lo que sea privado."
    )
    yield (
        "- Mantenerle siempre informado de las soluciones que se aplican en su equipo: "
        "se lo decimos antes de hacerlo y después de hecho, queda escrito en la página "
        "de su pedido y al terminar le enviamos un resumen."
    )


def limits(_facts: TermsFacts) -> Iterator[str]:
    yield "## 9. Límites del soporte en línea"
    yield "El soporte en línea no incluye ayudar ni dar solución a lo siguiente:"
    yield "- virus en su computador"
    yield "- un sistema operativo corrupto"
    yield (
        "- un equipo incompatible con el programa: funciona solo en versiones de "
        "Windows de 32 bits; en las de 64 bits, no"
    )
    yield (
        "- el manejo y uso de archivos de Windows que dañen el programa o su librería "
        "de programas"
    )
    yield "- problemas de otros programas"
    yield "- problemas de otras aplicaciones"
    yield "- recuperar una base de datos después de que el usuario la eliminó"
    yield (
        "- recuperar el programa en forma íntegra después de formatear el equipo sin "
        "haber respaldado los informes y la base de datos"
    )
    yield "- formatear un equipo"
    yield "- reinstalar el sistema operativo Windows"
    yield "- problemas de hardware"
    yield (
        "- reinstalar el programa: este servicio se obtiene directamente con su propio "
        "botón de compra"
    )
    yield (
        "Antes de pagar le preguntamos qué ocurre y, si su caso es uno de estos, se lo "
        "decimos. Esta lista describe el servicio; no limita la responsabilidad que la "
        "ley nos asigna por lo que hacemos."
    )


def other_services(_facts: TermsFacts) -> Iterator[str]:
    yield "## 10. Otros servicios"
    yield (
        "Se adquieren directamente, cada uno con su botón de compra, y son "
        "independientes de la atención de soporte en línea:"
    )
    yield "- la reinstalación del programa"
    yield "- los servicios técnicos para sus computadores o su red"
    yield "- la asistencia técnica en terreno, solo en Santiago"
    yield (
        "Estos servicios no tienen el límite de tiempo de una atención: coordinamos "
        "con usted el día y la hora."
    )


def refunds(_facts: TermsFacts) -> Iterator[str]:
    yield "## 11. Derecho a retracto y devoluciones"
    yield (
        f"Usted puede retractarse sin dar razones dentro de {RETRACT_DAYS} días desde "
        "la compra, siempre que la atención o el servicio no haya comenzado. Si no le "
        "hubiéramos enviado la confirmación por escrito, el plazo es de "
        f"{RETRACT_DAYS_UNCONFIRMED} días."
    )
    yield (
        "- Para hacerlo basta el botón de devolución de la página de su pedido. "
        "También puede pedirlo por cualquiera de nuestros medios de contacto."
    )
    yield (
        "- Le devolvemos el total, sin descontar gastos, por el mismo medio de pago, "
        f"lo antes posible y siempre antes de {REFUND_DAYS} días."
    )
    yield (
        "- Comenzada la atención ya no hay retracto, pero conserva la garantía y todos "
        "los derechos que le da la ley."
    )


def warranty_days(facts: TermsFacts) -> str:
    """For how long each service is answered for."""
    days = facts.warranty_days
    return f"{days} día hábil" if days == 1 else f"{days} días hábiles"


def warranty(facts: TermsFacts) -> Iterator[str]:
    count = warranty_days(facts)
    yield "## 12. Garantía del servicio"
    yield (
        f"Respondemos por cada servicio durante {count} desde que termina (artículo 41 "
        "de la Ley 19.496). Si fue defectuoso, reclame en ese plazo: lo prestamos de "
        "nuevo sin costo o, en su defecto, le devolvemos lo pagado."
    )


def privacy(_facts: TermsFacts) -> Iterator[str]:
    yield "## 13. Sus datos personales"
    yield (
        "Usamos sus datos para vender y prestar el servicio y para cumplir la ley, "
        "conforme a la Ley 19.628. Puede pedir verlos, corregirlos o eliminarlos. La "
        "política de privacidad está publicada en este sitio, en /privacidad."
    )


def ways_of_contact(facts: TermsFacts) -> str:
    """How to reach who sells, as far as it is set."""
    ways = " o ".join(filter(None, (facts.business_email, facts.public_phone)))
    words = "nuestros medios de contacto"
    return f"{words}: {ways}" if ways else words


def claims(facts: TermsFacts) -> Iterator[str]:
    yield "## 14. Reclamos"
    yield (
        f"Puede reclamar en la página de su pedido o por {ways_of_contact(facts)}. "
        "También puede acudir al Servicio Nacional del Consumidor (SERNAC, "
        "www.sernac.cl) o al tribunal competente. Nada de estos términos limita los "
        "derechos que le da la Ley 19.496."
    )


def versions(facts: TermsFacts) -> Iterator[str]:
    yield "## 15. Versiones de estos términos"
    yield (
        "A su compra se le aplica la versión que usted aceptó. Una versión nueva rige "
        "solo para compras posteriores. Todas quedan publicadas en /terminos, y puede "
        "guardarlas o imprimirlas."
    )
    yield "Atentamente,"
    yield facts.business_name


SECTIONS = (
    obligations,
    responsibilities,
    limits,
    other_services,
    refunds,
    warranty,
    privacy,
    claims,
    versions,
)
