"""Invented months that look like real ones: the demo's, and the benchmarks'. Pure.

The same seed tells the same story.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from portal.catalog.defaults_rules import SERVICES
from portal.catalog.rules import SOPORTE_ONLINE
from portal.clock import local
from portal.payments.states import MANUAL, MERCADOPAGO, WEBPAY
from portal.reports.rules import Month

RegimeOf = Callable[[datetime], str]
_SLOT = timedelta(minutes=10)
# Shops open and tills fail: how busy each hour of Santiago's day is.
_BUSY = {9: 7, 10: 9, 11: 10, 12: 8, 13: 5, 14: 4, 15: 6, 16: 7, 17: 6, 18: 4, 19: 3}
_BUSY |= {20: 2, 21: 1}
_WEEKDAY = (12, 9, 8, 9, 12, 8, 4)
_FIRST = [
    "Ana",
    "Luis",
    "Marta",
    "Pedro",
    "Rosa",
    "Jorge",
    "Elena",
    "Raúl",
    "Carmen",
    "Iván",
    "Paula",
    "Hugo",
]
_LAST = [
    "Soto",
    "Díaz",
    "Rojas",
    "Muñoz",
    "Pérez",
    "Vera",
    "Silva",
    "Araya",
    "Castro",
    "Molina",
    "Tapia",
    "Núñez",
]
_TOPICS = (
    ("errores", "Un error en pantalla", "La caja muestra un error al emitir boletas."),
    ("ayuda", "Ayuda con una función", "No encuentro cómo cerrar el día."),
    ("inicio", "El programa no inicia", "El programa no abre desde la mañana."),
    ("informes", "Campos de un informe", "Quiero ver el RUT en el informe de ventas."),
)
_STARS = (5, 5, 5, 5, 4, 4, 4, 3, 2, 1)
_OUTCOMES = ("resuelto",) * 17 + ("parcial",) * 2 + ("no resuelto",)


@dataclass(frozen=True, slots=True)
class Shop:
    """A customer who comes back."""

    name: str
    email: str
    phone: str
    rut: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One paid order and everything that came of it. Instants UTC, pesos, seconds."""

    at: datetime
    placed_at: datetime
    shop: Shop
    slug: str
    service: str
    pesos: int
    regime: str
    gateway: str
    topic: tuple[str, str, str]
    document: str
    technician: int
    to_taken: int
    to_contact: int
    to_start: int
    ran: int
    paused: int
    outcome: str
    stars: int | None
    refunded_at: datetime | None
    charged_back_at: datetime | None
    surplus: bool

    @property
    def is_attention(self) -> bool:
        """Whether it was sold with a clock."""
        return self.slug == SOPORTE_ONLINE

    @property
    def taken_at(self) -> datetime:
        return self.at + timedelta(seconds=self.to_taken)

    @property
    def contacted_at(self) -> datetime:
        return self.at + timedelta(seconds=self.to_contact)

    @property
    def started_at(self) -> datetime:
        return self.at + timedelta(seconds=self.to_start)

    @property
    def closed_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.ran + self.paused)


def make_shops(count: int, seed: str) -> list[Shop]:
    """So many invented customers."""
    rng = Random(f"shops-{seed}")  # noqa: S311 (no secret)
    return [
        Shop(
            name=f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {rng.choice(_LAST)}",
            email=f"local{number}@example.cl",
            phone=f"+569{70_000_000 + number}",
            rut=_rut(10_000_000 + number) if number % 9 == 0 else None,
        )
        for number in range(count)
    ]


def _rut(number: int) -> str:
    """The number with its check digit."""
    digits = [int(digit) for digit in reversed(str(number))]
    total = sum(digit * (2 + place % 6) for place, digit in enumerate(digits))
    return f"{number}{'0123456789K0'[11 - total % 11]}"


def slots(month: Month, regime_of: RegimeOf) -> dict[datetime, tuple[str, int]]:
    """When the month sells, ten minutes each: the regime, and how busy it is."""
    found: dict[datetime, tuple[str, int]] = {}
    at = month.begins
    while at < month.ends:
        here = local(at)
        busy = _BUSY.get(here.hour, 0) * _WEEKDAY[here.weekday()]
        if busy:
            regime = regime_of(at)
            if regime != "closed" and regime == regime_of(at + 2 * _SLOT):
                found[at] = (regime, busy)
        at += _SLOT
    return found


def make_month(
    month: Month,
    count: int,
    *,
    shops: Sequence[Shop],
    regime_of: RegimeOf,
    seed: str,
    until: datetime,
    technicians: int = 3,
    attentions_only: bool = False,
) -> Iterator[Story]:
    """`count` paid orders of a month, oldest first, all over before `until`."""
    rng = Random(f"{seed}-{month}")  # noqa: S311 (no secret)
    when = slots(month, regime_of)
    chosen = rng.choices(list(when), [busy for _, busy in when.values()], k=count)
    moments = sorted(at + timedelta(seconds=rng.randrange(600)) for at in chosen)
    for number, at in enumerate(moments):
        slot = at - (at - month.begins) % _SLOT
        yield _story(
            rng, at, when[slot][0], shops, until, technicians, attentions_only, number
        )


def _story(
    rng: Random,
    at: datetime,
    regime: str,
    shops: Sequence[Shop],
    until: datetime,
    technicians: int,
    attentions_only: bool,
    number: int,
) -> Story:
    kind = 0 if attentions_only else rng.choices((0, 1, 2, 3), (88, 5, 4, 3))[0]
    sold = SERVICES[kind]
    special = regime == "special" and sold.price_special
    back_at, fate = at + timedelta(hours=rng.randint(1, 90)), rng.random()
    gone = back_at < until
    gateway = rng.choices((WEBPAY, MERCADOPAGO, MANUAL), (55, 43, 2))[0]
    free = gateway == MANUAL and rng.random() < 0.4
    by_gateway = gone and gateway != MANUAL
    return Story(
        at=at,
        placed_at=at - timedelta(seconds=rng.randint(60, 400)),
        # Some come often: the first shops are drawn more than the last.
        shop=shops[int(len(shops) * rng.random() ** 2.2)],
        slug=sold.slug,
        service=sold.name,
        pesos=0
        if free
        else (sold.price_special or 0)
        if special
        else sold.price_normal,
        regime=regime,
        gateway=gateway,
        topic=rng.choice(_TOPICS),
        document="factura" if number % 7 == 3 else "boleta",
        technician=min(int(rng.random() ** 1.3 * technicians), technicians - 1),
        **_clock(rng),
        outcome=rng.choice(_OUTCOMES),
        stars=rng.choice(_STARS) if rng.random() < 0.45 else None,
        refunded_at=back_at if by_gateway and fate < 0.04 else None,
        charged_back_at=back_at if by_gateway and 0.04 <= fate < 0.043 else None,
        surplus=by_gateway and 0.05 <= fate < 0.058,
    )


def _clock(rng: Random) -> dict[str, int]:
    """Waiting and working as help desks do: mostly quick, sometimes long."""
    taken = min(int(rng.expovariate(1 / 140)), 2400) + 5
    contact = taken + rng.randint(20, 200)
    paused = rng.randint(60, 900) if rng.random() < 0.2 else 0
    return {
        "to_taken": taken,
        "to_contact": contact,
        "to_start": contact + rng.randint(20, 240),
        "ran": max(300, min(int(rng.gauss(2700, 1300)), 5390)),
        "paused": paused,
    }
