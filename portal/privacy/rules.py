"""Terms and clocks of the data law (Ley 19.628 as reformed by Ley 21.719). Pure.

Every number here is quoted by the notice: change it and a new version is published.
"""

import base64
from dataclasses import dataclass
from datetime import date, timedelta

from portal.hours.rules import holidays_of
from portal.orders.rules import derive

# Calendar days to answer, and as many more, once.
ANSWER_DAYS = 30
# Working days: to answer a block, and for the person to complain to the Agency.
BLOCK_ANSWER_DAYS = 2
COMPLAINT_DAYS = 30
# The link that proves the mail address lives so long.
CONFIRM_HOURS = 24
# One address gets so many of those links in that time, whoever asks.
MAX_LINKS = 3

# How long things are kept.
KEEP_YEARS = 6  # as the tax records that they belong to
WORDS_MONTHS = 12
UNPAID_DAYS = 30
NOTICE_MONTHS = 12  # notifications of the gateways
DRAFT_DAYS = 7

ACCESS = "acceso"
RECTIFICATION = "rectificacion"
DELETION = "supresion"
OPPOSITION = "oposicion"
PORTABILITY = "portabilidad"
BLOCK = "bloqueo"


@dataclass(frozen=True, slots=True)
class Right:
    """One right of the law: its name, what it is, what the owner would answer."""

    title: str
    hint: str
    suggested: str


RIGHTS = {
    ACCESS: Right(
        "Acceso",
        "Saber qué datos míos tienen y recibir una copia.",
        "Le enviamos lo que guardamos de usted. Abajo está el enlace a los datos de "
        "cada pedido hecho con este correo; ahí puede verlos y descargarlos. No "
        "guardamos otros datos suyos.",
    ),
    RECTIFICATION: Right(
        "Rectificación",
        "Corregir un dato equivocado.",
        "Corregimos el dato que usted indicó. Puede revisarlo en el enlace de abajo.",
    ),
    DELETION: Right(
        "Supresión",
        "Borrar mis datos.",
        "Borramos su nombre, correo, teléfono y todo lo que nos escribió. Conservamos "
        "el registro de la compra, los datos de la factura si la hubo y la prueba de "
        f"la aceptación de los términos, por {KEEP_YEARS} años, porque la ley "
        "tributaria lo exige y para responder reclamos.",
    ),
    OPPOSITION: Right(
        "Oposición",
        "Que no usen mis datos para algo.",
        "Desde hoy no usamos sus datos para lo que usted indicó.",
    ),
    PORTABILITY: Right(
        "Portabilidad",
        "Recibir mis datos en un archivo que sirva en otro sistema.",
        "En el enlace de abajo puede descargar sus datos en formato JSON, un archivo "
        "que otros sistemas leen.",
    ),
    BLOCK: Right(
        "Bloqueo temporal",
        "Que no toquen mis datos mientras se resuelve algo. Rige de inmediato: no "
        "podremos atenderle ni escribirle, salvo para contestar esta solicitud.",
        "Sus datos quedaron bloqueados desde que confirmó su solicitud: no los usamos "
        "ni los mostramos al personal. Escríbanos cuando quiera levantar el bloqueo.",
    ),
}
# Their answer brings the links to the data of each order.
WITH_LINKS = frozenset({ACCESS, RECTIFICATION, PORTABILITY})

_DAY = timedelta(days=1)
_SATURDAY = 5


def is_working_day(day: date) -> bool:
    """Neither Saturday, Sunday nor a national holiday."""
    return day.weekday() < _SATURDAY and day not in holidays_of(day.year)


def add_working_days(day: date, count: int) -> date:
    """The working day that is `count` working days after `day`."""
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def due_on(right: str, received: date) -> date:
    """The last day (Santiago) to answer what came in on `received`."""
    if right == BLOCK:
        return add_working_days(received, BLOCK_ANSWER_DAYS)
    return received + timedelta(days=ANSWER_DAYS)


def extended(due: date) -> date:
    """The last day once the term was extended."""
    return due + timedelta(days=ANSWER_DAYS)


def may_extend(right: str, is_extended: bool) -> bool:
    """Once, and never a block."""
    return right != BLOCK and not is_extended


def alert_stage(right: str, due: date, today: date) -> str | None:
    """Which warning the owner must have had by today, if any."""
    left = (due - today).days
    if left < 0:
        return "late"
    if left <= 1:
        return "1"
    return "7" if left <= 7 and right != BLOCK else None


def left_words(due: date, today: date) -> str:
    """'vence hoy', 'quedan 3 días', 'venció hace 2 días'."""
    left = (due - today).days
    if left == 0:
        return "vence hoy"
    word = "día" if abs(left) == 1 else "días"
    if left < 0:
        return f"venció hace {-left} {word}"
    return f"queda{'' if left == 1 else 'n'} {left} {word}"


def confirm_token(key: str, seed: str) -> str:
    """The token of the link that proves the address: 128 bits, 22 characters."""
    digest = derive(key, "privacy-confirm", seed)[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def years_before(day: date, years: int) -> date:
    """The same day some years earlier; 29 February becomes 28."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def years_after(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28."""
    return years_before(day, -years)
