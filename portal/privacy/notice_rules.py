"""The words of the privacy notice: letters a) to l) of article 14 ter. Pure.

A Chilean lawyer must sign them off before real money may flow. The marks are those of
the terms: `# ` and `## ` open headings, `- ` a list item.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.privacy import rules
from portal.privacy.register_rules import BUYERS, PAYMENT_READERS, REGISTER, YOU

TITLE = "# Política de privacidad"


@dataclass(frozen=True, kw_only=True)
class NoticeFacts:
    """What the notice quotes of the owner's; empty texts are left out."""

    business_name: str
    business_rut: str = ""
    legal_representative: str = ""
    business_address: str = ""
    business_email: str = ""
    public_phone: str = ""
    remote_tool_name: str = ""
    # "name; what for; country" each.
    processors: tuple[str, ...] = ()


def _who(facts: NoticeFacts) -> Iterator[str]:
    yield "Conforme a la Ley 19.628, modificada por la Ley 21.719."
    yield "## 1. Quién responde por sus datos"
    rut = f", RUT {facts.business_rut}" if facts.business_rut else ""
    by = facts.legal_representative
    yield f"{facts.business_name}{rut}{f', representada por {by}' if by else ''}."
    if facts.business_address:
        yield f"- Dirección: {facts.business_address}"
    if facts.business_email:
        yield f"- Correo: {facts.business_email}"
    if facts.public_phone:
        yield f"- Teléfono: {facts.public_phone}"
    yield "- Formulario para lo que quiera pedir: /privacidad/solicitud"


def _what(_facts: NoticeFacts) -> Iterator[str]:
    yield "## 2. Qué datos usamos, para qué y con qué base legal"
    yield (
        "Son de quienes compran en este sitio y los entrega usted mismo, salvo que se "
        "diga otra cosa."
    )
    for each in REGISTER:
        people = "" if each.people == BUYERS else f" De quién: {_low(each.people)}."
        source = "" if each.source == YOU else f" De dónde: {_low(each.source)}."
        yield (
            f"- {each.purpose}. Datos: {_low(each.data)}.{people}{source} Base legal: "
            f"{_low(each.basis)}."
        )
    yield (
        "No enviamos publicidad ni vendemos datos. No grabamos la conexión remota ni "
        "guardamos las claves que usted nos diga. Vendemos solo a mayores de 18 años."
    )


def _readers(facts: NoticeFacts) -> Iterator[str]:
    yield "## 3. Quién los recibe"
    yield f"- {PAYMENT_READERS}, para cobrar."
    for line in facts.processors:
        name, purpose, country = (part.strip() for part in line.split(";"))
        yield f"- {name}, por encargo nuestro: {purpose} ({country})."
    if not facts.processors:
        yield (
            "- Los proveedores que alojan este sitio y despachan nuestros correos, "
            "solo por encargo nuestro."
        )
    if facts.remote_tool_name:
        yield (
            f"- {facts.remote_tool_name}, el programa con que nos conectamos a su "
            "equipo."
        )
    yield "- WhatsApp, solo si usted nos escribe por ahí."
    yield "- El Servicio de Impuestos Internos y los tribunales, si la ley lo pide."


def _abroad(_facts: NoticeFacts) -> Iterator[str]:
    yield "## 4. Transferencia a otros países"
    yield (
        "Algunos de ellos tratan datos fuera de Chile, en el país que se indica. "
        "Trabajamos con ellos solo como la ley lo permite: en países con protección "
        "adecuada o con contratos que dan las garantías que ella exige."
    )


def _terms(_facts: NoticeFacts) -> Iterator[str]:
    yield "## 5. Cuánto tiempo los guardamos"
    for each in REGISTER:
        yield f"- {each.purpose}: {_low(each.term)}."
    yield (
        "Al cumplirse el plazo el sistema borra los datos por sí solo; de los "
        "respaldos se van cuando estos se renuevan. La prueba de la aceptación no "
        "lleva su nombre, correo ni teléfono."
    )


def _care(_facts: NoticeFacts) -> Iterator[str]:
    yield "## 6. Cómo los cuidamos"
    yield (
        "El sitio viaja cifrado. Cada pedido se abre solo con su enlace secreto. El "
        "personal entra con cuenta propia y deber de reserva, y queda registro de "
        "quién abre datos de clientes. Hacemos copias de respaldo. Si una falla de "
        "seguridad le afecta, le avisaremos y daremos cuenta a la Agencia."
    )


def _rights(facts: NoticeFacts) -> Iterator[str]:
    mail = f" o escríbanos a {facts.business_email}" if facts.business_email else ""
    yield "## 7. Sus derechos"
    yield (
        "Puede pedir acceso, rectificación, supresión, oposición y portabilidad de "
        "sus datos, y el bloqueo temporal mientras se resuelve. Es gratis, haya "
        f"comprado o no. Use el formulario /privacidad/solicitud{mail}. Lo de un "
        "pedido puede verlo, corregirlo y descargarlo en la página del pedido."
    )
    yield (
        f"- Respondemos en {rules.ANSWER_DAYS} días corridos, que se pueden extender "
        f"una vez por otros {rules.ANSWER_DAYS}; el bloqueo, en "
        f"{rules.BLOCK_ANSWER_DAYS} días hábiles."
    )
    yield (
        "- Si no respondemos o no está de acuerdo, puede reclamar ante la Agencia de "
        f"Protección de Datos Personales dentro de {rules.COMPLAINT_DAYS} días hábiles."
    )


def _rest(_facts: NoticeFacts) -> Iterator[str]:
    yield "## 8. Retirar un consentimiento"
    yield (
        "Lo que aquí hacemos no se basa en su consentimiento, salvo la conexión "
        "remota: puede cortarla y borrar su código cuando quiera. Si alguna vez le "
        "pedimos otro, podrá retirarlo cuando quiera, tan fácil como lo dio."
    )
    yield "## 9. Decisiones automatizadas"
    yield (
        "Ningún programa decide sobre usted con sus datos: no hacemos perfiles. La "
        "hora y el servicio fijan el precio, el mismo para todos."
    )
    yield "## 10. Cookies"
    yield (
        "Usamos una sola, para que los formularios sean seguros y el personal pueda "
        "ingresar. No hay cookies de publicidad ni de medición."
    )


SECTIONS = (_who, _what, _readers, _abroad, _terms, _care, _rights, _rest)


def _low(text: str) -> str:
    """The text inside a sentence: a small first letter, but for names and acronyms."""
    keep = text.startswith(("RUT", "Mercado", "La Agencia", "Los tribunales"))
    return text if keep else text[:1].lower() + text[1:]


def render_notice(facts: NoticeFacts) -> str:
    """The full text. The same facts always give the same characters."""
    text = TITLE
    before = TITLE
    for line in (line for section in SECTIONS for line in section(facts)):
        same_list = before.startswith("- ") and line.startswith("- ")
        text += ("\n" if same_list else "\n\n") + line
        before = line
    return text + "\n"
