"""Prices by regime, and what the support covers. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol

from portal.errors import RefusedError
from portal.money import MAX_PESOS

SOPORTE_ONLINE = "soporte-online"
REINSTALACION = "reinstalacion"
SERVICIO_TECNICO = "servicio-tecnico"
ASISTENCIA_TERRENO = "asistencia-terreno"
SERVICE_SLUGS = (SOPORTE_ONLINE, REINSTALACION, SERVICIO_TECNICO, ASISTENCIA_TERRENO)

WindowsBits = Literal["32", "64", "unknown"]
WINDOWS_BITS: tuple[WindowsBits, ...] = ("32", "64", "unknown")

WINDOWS_64_REASON = (
    "El programa ItplusNet funciona solo en Windows de 32 bits. En un Windows de "
    "64 bits no podemos resolver su problema a distancia, y por eso no le vendemos "
    "esta atención. Si tiene dudas, llame antes de comprar al teléfono de la empresa."
)
WINDOWS_BITS_HELP = (
    "Abra el menú Inicio, haga clic con el botón derecho en «Equipo» o «Este equipo» "
    "y elija «Propiedades». También sirve presionar a la vez las teclas Windows y "
    "Pausa.",
    "Busque la línea «Tipo de sistema».",
    "Si dice «Sistema operativo de 32 bits», elija 32 bits, aunque al lado diga "
    "«procesador x64». Si dice «Sistema operativo de 64 bits», elija 64 bits.",
    "Si no lo encuentra o el equipo no enciende, elija «No lo sé» y siga: lo vemos "
    "con usted.",
)


class Priced(Protocol):
    """The prices of a service, in pesos with IVA."""

    @property
    def price_normal(self) -> int: ...
    @property
    def price_special(self) -> int | None: ...


class Classified(Protocol):
    """What decides whether a topic is within the scope."""

    @property
    def covered(self) -> bool: ...
    @property
    def answer(self) -> str: ...
    @property
    def service_slug(self) -> str | None: ...


class Written(Classified, Protocol):
    """What the owner writes of a topic."""

    @property
    def title(self) -> str: ...
    @property
    def active(self) -> bool: ...


class Canned(Protocol):
    """What the owner writes of a canned solution."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def topic_slug(self) -> str | None: ...
    @property
    def active(self) -> bool: ...


@dataclass(frozen=True)
class Scope:
    """Whether the support may be sold for this, why, and what to buy instead."""

    allowed: bool
    reason: str
    service_slug: str | None


def price_for(service: Priced, regime_kind: str) -> int:
    """The price in pesos under this regime; a service of one price has it always.

    Raises RefusedError when it is sold by the hour and the regime has no price.
    """
    if service.price_special is None or regime_kind == "normal":
        return service.price_normal
    if regime_kind == "special":
        return service.price_special
    raise RefusedError("Este servicio no se vende fuera del horario de atención.")


def price_mark(service: Priced) -> str:
    """What a page carries of the prices that it shows, to know them again."""
    return f"{service.price_normal}-{service.price_special or 0}"


def topic_mark(topic: Written) -> str:
    """What a page carries of the topic that it shows, to know it again."""
    shown = topic.title, topic.covered, topic.answer, topic.service_slug, topic.active
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def canned_mark(canned: Canned) -> str:
    """What a page carries of the canned solution that it shows, to know it again."""
    shown = canned.title, canned.text, canned.topic_slug, canned.active
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def check_scope(topic: Classified, windows_bits: WindowsBits) -> Scope:
    """Whether the support solves this topic on this Windows; unknown bits go on."""
    if not topic.covered:
        return Scope(False, topic.answer, topic.service_slug)
    if windows_bits == "64":
        return Scope(False, WINDOWS_64_REASON, None)
    return Scope(True, topic.answer, None)


def check_prices(
    price_normal: int, price_special: int | None, *, has_special: bool
) -> None:
    """Refuse an amount that is no price, or a second price missing or superfluous."""
    if has_special != (price_special is not None):
        raise RefusedError(
            "Indique el precio del horario especial."
            if has_special
            else "Este servicio tiene un solo precio."
        )
    for price in (price_normal, price_special):
        if price is not None and not 0 < price <= MAX_PESOS:
            raise RefusedError("El precio debe ser un monto en pesos mayor que cero.")
