"""What a month's report says, built from grouped rows. Pure; amounts are pesos."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from portal.clock import local
from portal.money import split_iva
from portal.payments.states import GATEWAY_NAMES, MANUAL
from portal.reports.attention_rules import Attentions
from portal.reports.customer_rules import Customer
from portal.reports.rules import Month

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FREE = "Sin costo"
REGIME_NAMES = {
    "normal": "Horario normal",
    "special": "Horario especial",
    "closed": "Fuera de horario",
}
DISPOSITION_NAMES = {
    "surplus": "Pagos de más",
    "late": "Pagos que llegaron tarde",
    "mismatch": "Pagos que no coinciden",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """So many documents and their sum; net and IVA add up to the total.

    IVA is split document by document, as the SII has it, so the sum of the rows of an
    export is the figure on the screen.
    """

    count: int = 0
    total: int = 0
    net: int = 0
    iva: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.count + other.count,
            self.total + other.total,
            self.net + other.net,
            self.iva + other.iva,
        )

    def less(self, other: "Amount") -> "Amount":
        """The money without the other's; it still counts its own documents."""
        return Amount(
            self.count,
            self.total - other.total,
            self.net - other.net,
            self.iva - other.iva,
        )


def amount_of(pesos: int, count: int = 1) -> Amount:
    """`count` documents of the same amount."""
    net, iva = split_iva(pesos)
    return Amount(count, pesos * count, net * count, iva * count)


@dataclass(frozen=True, slots=True)
class Line:
    """One bar of a chart and one row of its table."""

    label: str
    orders: int
    pesos: int


@dataclass(frozen=True, slots=True)
class Sold:
    """Sales alike in everything a report tells apart, and how many they were."""

    service_slug: str
    service_name: str
    regime: str
    gateway: str
    technician: str
    pesos: int
    count: int


@dataclass(frozen=True, slots=True)
class Hour:
    """The sales of one hour of Santiago's day."""

    orders: int
    pesos: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures that are compared with the month before."""

    orders: int
    income: int
    given_back: int
    attentions: int
    promises: int
    kept: int

    @property
    def net(self) -> int:
        """What stayed of the month's income after what went back in the month."""
        return self.income - self.given_back


@dataclass(frozen=True, slots=True)
class Ratings:
    """How many customers gave each number of stars, from 5 down to 1."""

    stars: Mapping[int, int]

    @property
    def count(self) -> int:
        return sum(self.stars.values())

    @property
    def average_tenths(self) -> int | None:
        """46 is 4,6 stars, half up."""
        if not self.count:
            return None
        points = sum(stars * count for stars, count in self.stars.items())
        return (20 * points + self.count) // (2 * self.count)


@dataclass(frozen=True)
class Figures:
    """The whole report of a month."""

    month: Month
    sold: list[Sold]
    hours: dict[tuple[date, int], Hour]
    refunds: Amount
    chargebacks: Amount
    out_of_place: dict[str, Amount]
    out_of_place_back: Amount
    attentions: Attentions
    ratings: Ratings
    customers: list[Customer] = field(default_factory=list)
    unlisted: int = 0

    @property
    def sales(self) -> Amount:
        """Paid orders: the income."""
        parts = (amount_of(each.pesos, each.count) for each in self.sold)
        return sum(parts, Amount())

    @property
    def free_orders(self) -> int:
        """Orders that the owner opened at no cost, among the paid ones."""
        return sum(each.count for each in self.sold if not each.pesos)

    @property
    def net(self) -> Amount:
        """Income less what went back in the month, whenever it was sold."""
        return self.sales.less(self.refunds).less(self.chargebacks)

    @property
    def misplaced(self) -> Amount:
        """Everything that was charged and paid no order."""
        return sum(self.out_of_place.values(), Amount())

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened."""
        moved = self.sales + self.refunds + self.chargebacks + self.misplaced
        return not (moved.count + self.out_of_place_back.count + self.attentions.total)

    @property
    def headline(self) -> Headline:
        """The figures that are compared with the month before."""
        return Headline(
            orders=self.sales.count,
            income=self.sales.total,
            given_back=self.refunds.total + self.chargebacks.total,
            attentions=self.attentions.total,
            promises=self.attentions.promises,
            kept=self.attentions.kept,
        )

    @property
    def by_service(self) -> list[Line]:
        names = {each.service_slug: each.service_name for each in self.sold}
        return _lines(
            (names[each.service_slug], each.count, each.pesos) for each in self.sold
        )

    @property
    def by_regime(self) -> list[Line]:
        return _lines(
            (REGIME_NAMES[each.regime], each.count, each.pesos) for each in self.sold
        )

    @property
    def by_gateway(self) -> list[Line]:
        return _lines((gateway_name(s), s.count, s.pesos) for s in self.sold)

    @property
    def by_technician(self) -> list[Line]:
        return _lines((s.technician, s.count, s.pesos) for s in self.sold)

    @property
    def by_day(self) -> list[tuple[date, Hour]]:
        """Every day of the month, those without sales too."""
        days: dict[date, list[int]] = defaultdict(lambda: [0, 0])
        for (day, _hour), sales in self.hours.items():
            days[day][0] += sales.orders
            days[day][1] += sales.pesos
        every = (self.month.day(number + 1) for number in range(self.month.days))
        return [(day, Hour(*days[day])) for day in every]

    @property
    def hour_span(self) -> range:
        """The hours of the day from the first to the last with a sale."""
        found = [hour for _day, hour in self.hours]
        return range(min(found), max(found) + 1) if found else range(0)


def gateway_name(sold: Sold) -> str:
    """As the owner reads it; what was given free is no transfer."""
    return FREE if (sold.gateway, sold.pesos) == (MANUAL, 0) else _name(sold.gateway)


def _name(gateway: str) -> str:
    return GATEWAY_NAMES[gateway]


def _lines(parts: Iterable[tuple[str, int, int]]) -> list[Line]:
    """Summed by label, the highest income first."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for label, count, pesos in parts:
        found[label][0] += count
        found[label][1] += count * pesos
    lines = [Line(label, *sums) for label, sums in found.items()]
    return sorted(lines, key=lambda line: (-line.pesos, -line.orders, line.label))


def hours_of(rows: Iterable[tuple[int, int, int]]) -> dict[tuple[date, int], Hour]:
    """Sales by Santiago's day and hour, of rows (hours since 1970, orders, pesos).

    Where the clock goes back, the hour that comes twice is one.
    """
    found: dict[tuple[date, int], Hour] = {}
    for since, orders, pesos in rows:
        here = local(_EPOCH + timedelta(hours=since))
        key = (here.date(), here.hour)
        known = found.get(key, Hour(0, 0))
        found[key] = Hour(known.orders + orders, known.pesos + pesos)
    return found
