"""A month as CSV and as XLSX, row by row into a file.

Each is written in one reading of the database into a temporary file, and sent from
there: it agrees with itself, its memory does not grow with the month, and a slow
download holds no connection.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from sqlalchemy.orm import Session

from portal.reports.export_queries import money_rows, order_rows
from portal.reports.export_rules import (
    CSV_TITLES,
    MONEY_TITLES,
    ORDER_TITLES,
    Cell,
    MoneyRow,
    OrderRow,
    Totals,
    cells,
    csv_row,
    safe_text,
    totals_of,
    wall_clock,
)
from portal.reports.queries import read_month
from portal.reports.rules import Month
from portal.reports.summary_rules import summary_lines

_OPTIONS = {
    "constant_memory": True,
    # A text is a text, whatever it looks like.
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTH = 18


def write_csv(session: Session, month: Month, now: datetime, file: IO[bytes]) -> None:
    """UTF-8 with BOM, semicolons, CRLF: what Excel in Spanish opens with two clicks."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(CSV_TITLES)
    for order in order_rows(session, month, int(now.timestamp())):
        writer.writerow(csv_row(order))
    for movement in money_rows(session, month):
        writer.writerow(csv_row(movement))
    text.flush()
    text.detach()


def write_xlsx(session: Session, month: Month, now: datetime, file: IO[bytes]) -> None:
    """Three sheets with dates, numbers and totals of their own kinds."""
    import xlsxwriter  # here: a start does without it

    book = xlsxwriter.Workbook(file, _OPTIONS)
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "date": book.add_format({"num_format": "dd-mm-yyyy hh:mm"}),
        "number": book.add_format({"num_format": "#,##0"}),
        "total": book.add_format({"bold": True, "num_format": "#,##0", "top": 1}),
    }
    figures = read_month(session, month, now)
    lines = ((label, value) for label, value in summary_lines(figures))
    _sheet(book, formats, "Resumen", (month.title.capitalize(), ""), lines)
    _sheet(
        book,
        formats,
        "Pedidos",
        ORDER_TITLES,
        (cells(row) for row in order_rows(session, month, int(now.timestamp()))),
        totals_of(OrderRow, "minutes", "paused", "price"),
    )
    _sheet(
        book,
        formats,
        "Movimientos",
        MONEY_TITLES,
        (cells(row) for row in money_rows(session, month)),
        totals_of(
            MoneyRow, "came", "came_net", "came_iva", "went", "went_net", "went_iva"
        ),
    )
    book.close()


def _sheet(
    book: Any,
    formats: dict[str, Any],
    name: str,
    titles: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    totals: Totals | None = None,
) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, _WIDTH if totals else 2 * _WIDTH)
    sheet.set_column(1, len(titles) - 1, _WIDTH)
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, formats["head"])
    number = 0
    for number, row in enumerate(rows, 1):
        if totals:
            totals.add(row)
        for place, value in enumerate(row):
            _write(sheet, number, place, value, formats)
    if totals:
        sheet.write_string(number + 1, 0, "Total", formats["total"])
        for place, total in totals.sums.items():
            sheet.write_number(number + 1, place, total, formats["total"])


def _write(
    sheet: Any, line: int, place: int, value: Cell, formats: dict[str, Any]
) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(line, place, wall_clock(value), formats["date"])
    elif isinstance(value, int):
        sheet.write_number(line, place, value, formats["number"])
    elif value:
        sheet.write_string(line, place, safe_text(value))
