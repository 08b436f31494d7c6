"""When an errand may be done, and what its lane shows. Pure."""

import re
from datetime import UTC, datetime, timedelta

from portal.clock import ZONE, local
from portal.text import clean_text

AGREED = "acordado"
DONE = "hecho"
CALLED_OFF = "anulado"
ERRAND_ENTRY_KINDS = (AGREED, DONE, CALLED_OFF)
MAX_WORDS = 1_000
# Beyond this a date is a slip of the finger.
MAX_AHEAD = timedelta(days=180)
_WHEN = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::00)?", re.ASCII)
_CHOOSE = "Elija el día y la hora en que se hará."


def parse_when(text: object, now: datetime) -> datetime:
    """'2026-11-27T10:30' of Santiago -> that instant in UTC.

    Raises ValueError in Spanish when it is none, is past, or is too far away.
    """
    found = _WHEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(_CHOOSE)
    try:
        wall = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=ZONE)
        when = wall.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(_CHOOSE) from error
    if when.astimezone(ZONE).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise ValueError("Esa hora no existe: ese día se adelanta el reloj.")
    if when <= now:
        raise ValueError("Esa fecha ya pasó: elija una por venir.")
    if when > now + MAX_AHEAD:
        raise ValueError("Elija una fecha dentro de los próximos seis meses.")
    return when


def to_field(when: datetime | None) -> str:
    """An instant as a field of day and hour holds it, Santiago."""
    return f"{local(when):%Y-%m-%dT%H:%M}" if when else ""


def clean_words(text: object, *, required: str = "") -> str:
    """What is told to the customer, tidied. Raises ValueError in Spanish.

    `required` is the error when there is nothing; without it nothing will do.
    """
    words = clean_text(text, MAX_WORDS, multiline=True)
    if required and not words:
        raise ValueError(required)
    return words


def lane_key(
    scheduled_for: datetime | None, opened_at: datetime, number: int
) -> tuple[bool, datetime, int]:
    """Without a date first, the oldest before; then by date."""
    return (scheduled_for is not None, scheduled_for or opened_at, number)
