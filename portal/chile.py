"""RUT, phone, comunas and dates as Chile writes them."""

import unicodedata
from datetime import date, datetime
from pathlib import Path

from babel.dates import format_date as babel_date
from stdnum.cl import rut as stdnum_rut
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from portal.clock import local

ZONE_LABEL = "hora de Chile continental (Santiago)"
_DATA = Path(__file__).parent / "data"
# SII's stand-ins for "any consumer" and "a foreigner": no factura goes to them.
_GENERIC_RUTS = frozenset({"666666666", "555555555"})


def parse_rut(text: str) -> str:
    """'12.345.678-5' -> '123456785'. Raises ValueError with the reason in Spanish."""
    try:
        # Some write 05.126.663-3: without its zeros one company is one key.
        return str(stdnum_rut.validate(stdnum_rut.compact(text).lstrip("0")))
    except InvalidLength as error:  # before its parent, InvalidFormat
        raise ValueError("Escriba el RUT completo, como 12.345.678-5.") from error
    except InvalidChecksum as error:
        raise ValueError(
            "El RUT no es válido: revise el dígito verificador."
        ) from error
    except ValidationError as error:
        raise ValueError("El RUT lleva solo números, un guion y el dígito.") from error


def parse_tax_rut(text: str) -> str:
    """`parse_rut` for a factura, which goes to no generic RUT."""
    rut = parse_rut(text)
    if rut in _GENERIC_RUTS:
        raise ValueError("Con un RUT genérico no se emite factura: indique el suyo.")
    return rut


def format_rut(rut: str) -> str:
    """'123456785' -> '12.345.678-5'."""
    return str(stdnum_rut.format(rut)) if rut else ""


def parse_phone(text: str) -> str:
    """A Chilean number in any usual form -> '+56987654321'.

    Raises ValueError with the reason in Spanish.
    """
    import phonenumbers  # here: a start does without it

    try:
        number = phonenumbers.parse(text, "CL")
    except phonenumbers.NumberParseException as error:
        raise ValueError("Escriba un teléfono, como 9 8765 4321.") from error
    if not phonenumbers.is_valid_number_for_region(number, "CL"):
        raise ValueError("El teléfono debe ser de Chile, con 9 dígitos: 9 8765 4321.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def format_phone(phone: str) -> str:
    """'+56987654321' -> '+56 9 8765 4321'."""
    if not phone:
        return ""
    import phonenumbers

    return phonenumbers.format_number(
        phonenumbers.parse(phone, "CL"), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )


def is_mobile(phone: str) -> bool:
    """Whether an E.164 number is a Chilean mobile (it may have WhatsApp)."""
    return phone.startswith("+569") and len(phone) == 12


def format_duration(seconds: int) -> str:
    """Seconds as a person reads them: 05:09, 89:59, 1:40:00, "2 días y 3 h"."""
    left = max(seconds, 0)
    if left >= 86_400:
        days = left // 86_400
        return f"{days} {'día' if days == 1 else 'días'} y {left % 86_400 // 3600} h"
    clock = f"{left % 3600 // 60:02d}:{left % 60:02d}"
    if left >= 6_000:
        return f"{left // 3600}:{clock}"
    return f"{left // 60:02d}:{left % 60:02d}"


def format_hour(instant: datetime) -> str:
    """'18:31', Santiago."""
    return local(instant).strftime("%H:%M")


def format_count(count: int, one: str, many: str) -> str:
    """'1 pago', '2.000 pagos': the number and the word that goes with it."""
    return f"{count:,}".replace(",", ".") + f" {one if count == 1 else many}"


def format_day(when: datetime | date) -> str:
    """'lunes 23 de noviembre', Santiago."""
    day = local(when).date() if isinstance(when, datetime) else when
    return str(babel_date(day, "EEEE d 'de' MMMM", locale="es_CL"))


def format_date(when: datetime | date) -> str:
    """'23-11-2026', Santiago."""
    day = local(when).date() if isinstance(when, datetime) else when
    return day.strftime("%d-%m-%Y")


def format_moment(instant: datetime) -> str:
    """'23-11-2026 18:31', Santiago."""
    return local(instant).strftime("%d-%m-%Y %H:%M")


def format_long_moment(instant: datetime) -> str:
    """'lunes 23 de noviembre de 2026, 18:31', Santiago."""
    day = babel_date(local(instant).date(), "EEEE d 'de' MMMM 'de' y", locale="es_CL")
    return f"{day}, {format_hour(instant)}"


def _read_communes() -> tuple[str, ...]:
    lines = (_DATA / "comunas.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _commune_key(text: str) -> str:
    """Letters only, without accents: 'Til Til', 'tiltil' and 'TIL-TIL' are one."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in letters if char.isalpha())


# All 346, from north to south.
COMMUNES = _read_communes()
_OTHER_SPELLINGS = {
    "aisen": "Aysén",
    "calera": "La Calera",
    "coihaique": "Coyhaique",
    "llaillay": "Llay-Llay",
    "marchihue": "Marchigüe",
    "paiguano": "Paihuano",
    "treguaco": "Trehuaco",
}
_COMMUNE_OF = {_commune_key(name): name for name in COMMUNES} | _OTHER_SPELLINGS
# Where the on-site service goes unless the owner says otherwise: the province of
# Santiago, Puente Alto and San Bernardo.
SANTIAGO_COMMUNES = (
    "Santiago",
    "Cerrillos",
    "Cerro Navia",
    "Conchalí",
    "El Bosque",
    "Estación Central",
    "Huechuraba",
    "Independencia",
    "La Cisterna",
    "La Florida",
    "La Granja",
    "La Pintana",
    "La Reina",
    "Las Condes",
    "Lo Barnechea",
    "Lo Espejo",
    "Lo Prado",
    "Macul",
    "Maipú",
    "Ñuñoa",
    "Pedro Aguirre Cerda",
    "Peñalolén",
    "Providencia",
    "Pudahuel",
    "Quilicura",
    "Quinta Normal",
    "Recoleta",
    "Renca",
    "San Joaquín",
    "San Miguel",
    "San Ramón",
    "Vitacura",
    "Puente Alto",
    "San Bernardo",
)


def find_commune(text: str) -> str | None:
    """'nunoa' -> 'Ñuñoa': the commune as it is spelled, or None."""
    return _COMMUNE_OF.get(_commune_key(text))
