"""CSV and XLSX: what a spreadsheet opens, to the peso what the screen says."""

import csv
import gc
import io
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from report_cases import fill_month, put_chargeback, put_refund, put_sale
from sqlalchemy.orm import Session
from support_cases import add_staff

from portal.audit.ledger_queries import read_ledger
from portal.db import transaction
from portal.orders.document_models import OrderDocument
from portal.orders.models import Contact, Order
from portal.reports.export_rules import csv_cell, plain_text, safe_text
from portal.reports.export_service import write_csv, write_xlsx
from portal.reports.queries import read_month
from portal.reports.rules import Month

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def read_csv(body: bytes) -> list[dict[str, str]]:
    text = body.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def csv_of(session: Session, month: Month) -> bytes:
    file = io.BytesIO()
    write_csv(session, month, NOW, file)
    return file.getvalue()


def xlsx_of(session: Session, month: Month) -> Any:
    file = io.BytesIO()
    write_xlsx(session, month, NOW, file)
    return openpyxl.load_workbook(io.BytesIO(file.getvalue()))


def total(rows: list[dict[str, str]], title: str) -> int:
    return sum(int(row[title]) for row in rows if row[title])


@pytest.mark.postgres
def test_csv_agrees_with_the_screen_to_the_peso(
    app: Flask, session: Session, october: Month
) -> None:
    with transaction() as writing:
        sale = put_sale(writing, datetime(2026, 9, 9, 12, tzinfo=UTC), pesos=20_000)
        put_refund(writing, sale, datetime(2026, 10, 1, 12, tzinfo=UTC), 4_000)
        put_chargeback(writing, sale, datetime(2026, 10, 9, tzinfo=UTC))
    body = csv_of(session, october)
    figures, rows = read_month(session, october, NOW), read_csv(body)
    orders = [row for row in rows if row["Fila"] == "Pedido"]
    money = [row for row in rows if row["Fila"] == "Movimiento"]
    assert len(orders) == figures.sales.count
    assert total(orders, "Precio") == figures.sales.total
    assert total(orders, "Minutos usados") == figures.attentions.used_minutes
    assert total(orders, "Minutos en pausa") == figures.attentions.paused_minutes
    came, went = (
        figures.sales + figures.misplaced,
        figures.refunds + figures.chargebacks,
    )
    assert (total(money, "Entra"), total(money, "Entra IVA")) == (came.total, came.iva)
    assert total(money, "Sale") == went.total + figures.out_of_place_back.total
    ledger = read_ledger(session, october.begins, october.ends)
    assert (total(money, "Entra"), total(money, "Sale")) == (ledger.came, ledger.went)
    assert ledger.income == figures.sales.total
    paid = [row for row in money if row["Movimiento"] == "Pago"]
    assert total(paid, "Entra neto") == figures.sales.net


@pytest.mark.postgres
def test_xlsx_agrees_with_the_screen_to_the_peso(
    app: Flask, session: Session, october: Month
) -> None:
    book, figures = xlsx_of(session, october), read_month(session, october, NOW)
    orders, money = book["Pedidos"], book["Movimientos"]
    titles = [cell.value for cell in orders[1]]
    last = dict(
        zip(titles, (cell.value for cell in orders[orders.max_row]), strict=True)
    )
    assert last["Fecha"] == "Total"
    assert last["Precio"] == figures.sales.total
    assert last["Minutos usados"] == figures.attentions.used_minutes
    titles = [cell.value for cell in money[1]]
    last = dict(zip(titles, (cell.value for cell in money[money.max_row]), strict=True))
    assert last["Entra"] == figures.sales.total + figures.misplaced.total
    assert last["Sale IVA"] == figures.refunds.iva + figures.chargebacks.iva
    summary = {row[0]: row[1] for row in book["Resumen"].iter_rows(values_only=True)}
    assert summary["Queda"] == figures.net.total
    first = orders[2]
    assert isinstance(first[0].value, datetime)
    assert first[0].number_format == "dd-mm-yyyy hh:mm"
    assert isinstance(first[-1].value, int)


def test_csv_is_what_a_spanish_excel_opens(
    app: Flask, session: Session, october: Month
) -> None:
    with transaction() as writing:
        put_sale(writing, datetime(2026, 10, 1, 12, 5, tzinfo=UTC), name="Ñuñoa; S.A.")
    body = csv_of(session, october)
    assert body.startswith(b"\xef\xbb\xbfFila;Fecha;Pedido;")
    assert body.count(b"\r\n") == body.count(b"\n")
    first = next(row for row in read_csv(body) if row["Receptor"] == "Ñuñoa; S.A.")
    assert first["Fecha"] == "01-10-2026 09:05"
    assert first["Precio"] == "19990"


@given(st.text(max_size=40))
def test_cell_begins_no_formula_and_tells_the_text(text: str) -> None:
    cell = safe_text(text)
    assert not cell.lstrip(" \u00a0").startswith(SIGNS)
    assert plain_text(cell) == text


@pytest.mark.parametrize("sign", [*SIGNS, "'", " =", "'="])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    assert safe_text(f"{sign}1+1") == f"'{sign}1+1"


@given(st.lists(st.text(max_size=20).map(safe_text), min_size=1, max_size=5))
def test_cells_survive_the_way_through_a_csv_file(cells: list[str]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";", lineterminator="\r\n").writerow(cells)
    file.seek(0)
    assert next(iter(csv.reader(file, delimiter=";"))) == cells


def test_integer_stays_bare() -> None:
    assert csv_cell(19_990) == "19990"
    assert csv_cell(None) == ""


def test_names_of_customers_start_no_formula_in_either_file(
    app: Flask, session: Session
) -> None:
    name = '=HYPERLINK("http://x";"y")'
    with transaction() as writing:
        put_sale(writing, datetime(2026, 10, 5, 12, tzinfo=UTC), name=name)
    month = Month(2026, 10)
    assert read_csv(csv_of(session, month))[0]["Receptor"] == f"'{name}"
    cells = [cell for row in xlsx_of(session, month)["Pedidos"] for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert f"'{name}" in [cell.value for cell in cells]


def test_blocked_and_erased_customers_are_named_in_no_file(
    app: Flask, session: Session
) -> None:
    with transaction() as writing:
        for number in range(2):
            sale = put_sale(
                writing,
                datetime(2026, 10, 5, 12, number, tzinfo=UTC),
                name="Persona Oculta",
                tax_name="Oculta Ltda.",
                tax_rut="765432103",
            )
            order = writing.get_one(Order, sale.order_id)
            contact = writing.get_one(Contact, order.contact_id)
            contact.blocked = not number
            contact.pseudonymised_at = NOW if number else None
    body = csv_of(session, Month(2026, 10))
    assert [row["Receptor"] for row in read_csv(body)[:2]] == [
        "Datos bloqueados",
        "Datos borrados",
    ]
    assert b"Oculta" not in body
    assert b"765432103" not in body


def test_every_movement_has_its_row(app: Flask, session: Session) -> None:
    at = datetime(2026, 10, 5, 12, tzinfo=UTC)
    with transaction() as writing:
        sale = put_sale(writing, at, pesos=10_000)
        put_refund(writing, sale, at, 4_000)
        put_chargeback(writing, sale, datetime(2026, 10, 9, tzinfo=UTC))
        staff = add_staff(writing, "Elena", "owner").id
        noted = {"noted_at": at, "noted_by_id": staff, "issued_on": at.date()}
        writing.add(
            OrderDocument(order_id=sale.order_id, kind="boleta", folio="501", **noted)
        )
    rows = read_csv(csv_of(session, Month(2026, 10)))
    assert [(row["Movimiento"], row["Entra"], row["Sale"]) for row in rows] == [
        ("", "", ""),
        ("Pago", "10000", ""),
        ("Devolución", "", "4000"),
        ("Contracargo", "", "6000"),
    ]
    assert rows[1]["Código de autorización"] == "A1"
    assert (rows[1]["Documento"], rows[1]["Folio"]) == ("boleta", "501")
    assert rows[2]["Documento"] == "nota de crédito (boleta)"


def test_verify_prints_the_ledger_of_a_month(
    app: Flask, session: Session, october: Month
) -> None:
    figures = read_month(session, october, NOW)
    run = app.test_cli_runner()
    answer = run.invoke(args=["verify", "--month", str(october)])
    assert answer.exit_code == 0, answer.output
    assert f"(orders {figures.sales.total}," in answer.output
    both = run.invoke(args=["verify"]).output
    earlier = read_month(session, october.previous, NOW).sales.total
    assert f"(orders {figures.sales.total + earlier}," in both
    assert run.invoke(args=["verify", "--month", "2026-13"]).exit_code == 2


@pytest.mark.long
@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_memory_does_not_grow_with_the_month(
    app: Flask, session: Session, tmp_path: Any, write: Any, clock: Any
) -> None:
    clock.set(NOW)
    fill_month(app, Month(2026, 7), 200)
    fill_month(app, Month(2026, 8), 2_000)

    def peak(month: Month) -> int:
        session.rollback()
        # What other tests left alive would put off the collection of our garbage.
        gc.collect()
        gc.freeze()
        gc.collect()
        with (tmp_path / "export").open("w+b") as file:
            tracemalloc.start()
            write(session, month, NOW, file)
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        gc.unfreeze()
        return highest

    peak(Month(2026, 7))
    short, long = peak(Month(2026, 7)), peak(Month(2026, 8))
    assert long < 2 * short + 2_000_000, (short, long)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_download_has_a_name_and_is_not_kept(
    owner: FlaskClient, october: Month, suffix: str
) -> None:
    answer = owner.get(f"/informes/2026-10.{suffix}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f"informe-2026-10.{suffix}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.data) > 1_000
    answer.close()
