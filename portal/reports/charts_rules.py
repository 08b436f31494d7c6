"""Where the shapes of a chart stand. Pure: the templates only write them down.

Every drawing is 300 units wide, about the pixels of a phone, so its letters keep their
size there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.money import format_pesos
from portal.reports.figures_rules import Figures, Headline, Hour, Line
from portal.reports.rules import change_words, level, percent_words, tenths

WIDTH = 300
LEVELS = 5
_GUTTER, _HEAD, _ROW = 24, 18, 15
_BAR = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of one day: a rectangle, darker for more income."""

    x: float
    y: float
    width: float
    height: float
    level: int
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of an axis."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A month by day (down) and hour (across)."""

    height: int
    cells: list[Cell]
    days: list[Mark]
    hours: list[Mark]


def heat_map(figures: Figures) -> HeatMap:
    """The income of every hour in which the month ever sold."""
    span = figures.hour_span
    wide = (WIDTH - _GUTTER) / max(len(span), 1)
    highest = max((sales.pesos for sales in figures.hours.values()), default=0)
    cells, days = [], []
    for row, (day, _sales) in enumerate(figures.by_day):
        y = _HEAD + row * _ROW
        days.append(Mark(_GUTTER - 6, y + _ROW - 4, str(day.day)))
        for column, hour in enumerate(span):
            sales = figures.hours.get((day, hour), Hour(0, 0))
            x = round(_GUTTER + column * wide, 1)
            words = f"{day.day} a las {hour}: {orders_words(sales)}"
            said = words if sales.orders else ""
            cells.append(
                Cell(
                    x,
                    y,
                    round(wide - 1.5, 1),
                    _ROW - 1.5,
                    level(sales.pesos, highest, LEVELS),
                    said,
                )
            )
    hours = [
        Mark(round(_GUTTER + (column + 0.5) * wide, 1), _HEAD - 6, str(hour))
        for column, hour in enumerate(span)
        if not column % 2
    ]
    return HeatMap(_HEAD + figures.month.days * _ROW, cells, days, hours)


def orders_words(sales: Hour) -> str:
    """'2 pedidos, $39.980'."""
    word = "pedido" if sales.orders == 1 else "pedidos"
    return f"{sales.orders} {word}, {format_pesos(sales.pesos)}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its words, and how far it reaches."""

    label: str
    value: str
    y: int
    reach: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars below each other, the first the longest."""

    height: int
    bars: list[Bar]


def money_bars(lines: Sequence[Line]) -> Bars:
    """Income by something, with the number of orders."""
    return _bars(
        [
            (line.label, f"{format_pesos(line.pesos)} · {line.orders}", line.pesos)
            for line in lines
        ]
    )


def count_bars(counts: Sequence[tuple[str, int]]) -> Bars:
    """How many of each."""
    return _bars([(label, grouped(count), count) for label, count in counts])


def _bars(parts: list[tuple[str, str, int]]) -> Bars:
    highest = max((value for _, _, value in parts), default=0)
    bars = [
        Bar(
            label,
            words,
            place * _BAR,
            round(WIDTH * max(value, 0) / highest, 1) if highest > 0 else 0,
        )
        for place, (label, words, value) in enumerate(parts)
    ]
    return Bars(len(parts) * _BAR, bars)


def grouped(number: int) -> str:
    """12345 -> '12.345'."""
    return f"{number:,}".replace(",", ".")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The month's days in weeks that begin on Monday."""

    blanks: int
    days: list[tuple[date, Hour, int]]


def calendar(figures: Figures) -> Calendar:
    """Each day with its sales and how dark it is drawn."""
    days = figures.by_day
    highest = max(sales.pesos for _, sales in days)
    return Calendar(
        figures.month.first.weekday(),
        [(day, sales, level(sales.pesos, highest, LEVELS)) for day, sales in days],
    )


@dataclass(frozen=True, slots=True)
class Card:
    """A headline figure, and the same of the month before."""

    label: str
    value: str
    before: str
    change: str


def cards(now: Headline, before: Headline) -> list[Card]:
    """The headline figures, most wanted first."""

    def pesos(label: str, value: int, old: int) -> Card:
        change = change_words(value, old)
        return Card(label, format_pesos(value), format_pesos(old), change)

    def count(label: str, value: int, old: int) -> Card:
        return Card(label, grouped(value), grouped(old), change_words(value, old))

    return [
        pesos("Ingreso, IVA incluido", now.income, before.income),
        pesos("Devuelto y contracargos", now.given_back, before.given_back),
        pesos("Queda", now.net, before.net),
        count("Pedidos pagados", now.orders, before.orders),
        count("Atenciones", now.attentions, before.attentions),
        _promises(now, before),
    ]


def _promises(now: Headline, before: Headline) -> Card:
    share, old = tenths(now.kept, now.promises), tenths(before.kept, before.promises)
    change = ""
    if share is not None and old is not None:
        points = percent_words(abs(share - old)).removesuffix(" %")
        sign = "+" if share > old else "-"
        change = "igual" if share == old else f"{sign}{points} puntos"
    return Card(
        "Promesas de llamada cumplidas",
        percent_words(share),
        percent_words(old),
        change,
    )
