"""The words of every mail about personal data. Pure.

No letter to an unproven address holds a word that somebody typed: it must carry no
message of a stranger's.
"""

from dataclasses import dataclass
from datetime import date

from portal.chile import format_day
from portal.privacy import rules

AGENCY = "Agencia de Protección de Datos Personales"


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject, paragraphs before the links, and after them."""

    subject: str
    lines: tuple[str, ...]
    after: tuple[str, ...] = ()


def to_confirm(kind: str, business: str) -> Letter:
    """The first one: is it you who asks?"""
    right = rules.RIGHTS[kind].title.lower()
    return Letter(
        "Confirme su solicitud sobre sus datos",
        (
            "Hola:",
            f"Alguien pidió con este correo, en {business}, algo sobre sus datos "
            f"personales: {right}. Si fue usted, confírmelo en este enlace.",
        ),
        (
            f"El enlace sirve una vez y por {rules.CONFIRM_HOURS} horas. Si no fue "
            "usted, no haga nada: sin confirmar no hacemos nada y se borra.",
        ),
    )


def received(kind: str, number: str, name: str, due: date) -> Letter:
    """We have it, and until when we answer."""
    lines = [
        f"Hola, {name}:",
        f"Recibimos su solicitud {number} ({rules.RIGHTS[kind].title.lower()}). Le "
        f"contestaremos a este correo a más tardar el {format_day(due)} de {due.year}.",
    ]
    if kind == rules.BLOCK:
        lines.append(
            "Mientras tanto sus datos ya están bloqueados: el personal no los ve y no "
            "le enviamos otros correos que los de esta solicitud."
        )
    return Letter(f"Recibimos su solicitud {number}", tuple(lines))


def extended(number: str, name: str, due: date, reason: str) -> Letter:
    """We need longer, once, and why."""
    return Letter(
        f"Necesitamos más tiempo: solicitud {number}",
        (
            f"Hola, {name}:",
            f"La ley permite extender una vez el plazo de su solicitud {number}. El "
            f"nuevo plazo es el {format_day(due)} de {due.year}.",
            f"Motivo: {reason}",
        ),
        (_complaint(),),
    )


def answered(
    number: str, name: str, text: str, *, refused: bool, complain_until: date
) -> Letter:
    """The answer, with the way to the Agency."""
    what = "No podemos hacer lo que pide" if refused else "Respuesta"
    lines = (f"Hola, {name}:", text)
    return Letter(f"{what}: solicitud {number}", lines, (_complaint(complain_until),))


def _complaint(until: date | None = None) -> str:
    last = f", hasta el {format_day(until)} de {until.year}" if until else ""
    return (
        f"Si no está de acuerdo, puede reclamar ante la {AGENCY} dentro de "
        f"{rules.COMPLAINT_DAYS} días hábiles{last}."
    )


def new_for_owner(kind: str, number: str, due: date) -> Letter:
    """Somebody asks: the clock runs."""
    lines = [
        f"Llegó la solicitud {number}: {rules.RIGHTS[kind].title.lower()}. Hay que "
        f"contestarla a más tardar el {format_day(due)} de {due.year}.",
    ]
    if kind == rules.BLOCK:
        lines.append("Los datos de esa persona ya quedaron bloqueados.")
    return Letter(f"Solicitud sobre datos personales {number}", tuple(lines))


def due_for_owner(kind: str, number: str, due: date, today: date) -> Letter:
    """The term ends, or has ended."""
    left = rules.left_words(due, today)
    return Letter(
        f"Solicitud {number}: {left}",
        (
            f"La solicitud {number} ({rules.RIGHTS[kind].title.lower()}) {left}: el "
            f"plazo es el {format_day(due)} de {due.year}. Contéstela, o extienda el "
            "plazo si todavía se puede.",
        ),
    )
