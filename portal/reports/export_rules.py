"""What stands in the cells of an export. Pure."""

from dataclasses import astuple, dataclass, fields
from datetime import datetime

from portal.clock import local

# What a spreadsheet may read as a formula, in the usual and in the wide spelling.
_FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")
_QUOTE = "'"
CSV_DATE = "%d-%m-%Y %H:%M"

Cell = str | int | datetime | None


def safe_text(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet might calculate.

    A text that begins with an apostrophe gets another one, so that each cell tells
    exactly one text.
    """
    first = text.lstrip(" \u00a0")[:1]
    risky = first in _FORMULA_SIGNS or first == _QUOTE if first else False
    return f"{_QUOTE}{text}" if risky else text


def plain_text(cell: str) -> str:
    """The text that `safe_text` made the cell of."""
    return cell[1:] if cell.startswith(_QUOTE) else cell


def csv_cell(value: Cell) -> str:
    """Integers bare, instants as Santiago's `dd-mm-yyyy HH:MM`, text made harmless."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value).strftime(CSV_DATE)
    return str(value) if isinstance(value, int) else safe_text(value)


def wall_clock(instant: datetime) -> datetime:
    """Santiago's wall clock without an offset: what a spreadsheet calls a date."""
    return local(instant).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One paid order. Pesos; minutes of its clock."""

    at: datetime
    number: int
    service: str
    regime: str
    gateway: str
    technician: str
    state: str
    outcome: str
    minutes: int | None
    paused: int | None
    document: str
    receiver: str
    receiver_rut: str
    price: int


ORDER_TITLES = (
    "Fecha",
    "Pedido",
    "Servicio",
    "Horario",
    "Medio de pago",
    "Técnico",
    "Estado",
    "Resultado",
    "Minutos usados",
    "Minutos en pausa",
    "Documento",
    "Receptor",
    "RUT",
    "Precio",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRow:
    """One movement of money: pesos that came in or went out, with net and IVA."""

    at: datetime
    number: int
    kind: str
    gateway: str
    code: str
    document: str
    folio: str = ""
    came: int | None = None
    came_net: int | None = None
    came_iva: int | None = None
    went: int | None = None
    went_net: int | None = None
    went_iva: int | None = None


MONEY_TITLES = (
    "Fecha",
    "Pedido",
    "Movimiento",
    "Medio de pago",
    "Código de autorización",
    "Documento",
    "Folio",
    "Entra",
    "Entra neto",
    "Entra IVA",
    "Sale",
    "Sale neto",
    "Sale IVA",
)
# One table for both kinds of row: a spreadsheet filters it by the first column.
CSV_TITLES: tuple[str, ...] = (
    "Fila",
    *ORDER_TITLES,
    *(title for title in MONEY_TITLES if title not in ORDER_TITLES),
)


def cells(row: OrderRow | MoneyRow) -> tuple[Cell, ...]:
    """The row's values in the order of its titles."""
    values: tuple[Cell, ...] = astuple(row)
    return values


def csv_row(row: OrderRow | MoneyRow) -> list[str]:
    """The row under CSV_TITLES."""
    if isinstance(row, OrderRow):
        found: dict[str, Cell] = dict(zip(ORDER_TITLES, cells(row), strict=True))
        found["Fila"] = "Pedido"
    else:
        found = dict(zip(MONEY_TITLES, cells(row), strict=True))
        found["Fila"] = "Movimiento"
    return [csv_cell(found.get(title)) for title in CSV_TITLES]


@dataclass
class Totals:
    """The sums of a column of integers by the place of the column."""

    sums: dict[int, int]
    rows: int = 0

    def add(self, values: tuple[Cell, ...]) -> None:
        """Count one more row."""
        self.rows += 1
        for place, value in enumerate(values):
            if place in self.sums and isinstance(value, int):
                self.sums[place] += value


def totals_of(kind: type[OrderRow] | type[MoneyRow], *names: str) -> Totals:
    """Empty sums of the named columns."""
    places = [field.name for field in fields(kind)]
    return Totals({places.index(name): 0 for name in names})
