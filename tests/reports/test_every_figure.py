"""Every figure that the page shows, counted again by plain SQL over the raw rows.

October 2026 in Santiago is three hours behind UTC from its first to its last minute.
"""

# ruff: noqa: S608 (every part of the statements stands in this file)

from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from report_cases import put_chargeback, put_payment, put_refund, put_sale, technicians
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.orders.models import Contact, Order
from portal.payments.models import Payment
from portal.reports.rules import Month, duration_words
from portal.support.customer_models import Rating
from portal.support.models import Attention, Errand

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
IN_OCTOBER = "strftime('%Y-%m', {0}, '-3 hours') = '2026-10'"
# September begins an hour further from UTC: its clock goes forward on the sixth.
IN_SEPTEMBER = (
    "strftime('%Y-%m', {0}, CASE WHEN {0} < '2026-09-06 04:00' "
    "THEN '-4 hours' ELSE '-3 hours' END) = '2026-09'"
)
NET = "CAST(ROUND({0} / 1.19) AS INTEGER)"
SALES = """
  SELECT o.*, p.gateway, p.amount,
    COALESCE(s.name, 'Sin técnico') AS technician
  FROM orders o JOIN payments p ON p.order_id = o.id AND p.disposition = 'applied'
  LEFT JOIN attentions a ON a.order_id = o.id LEFT JOIN errands e ON e.order_id = o.id
  LEFT JOIN staff s ON s.id = COALESCE(a.technician_id, e.technician_id)
  WHERE {0}
"""
GONE = """
  SELECT r.amount, p.disposition FROM refunds r JOIN payments p ON p.id = r.payment_id
  WHERE r.state IN ('confirmed', 'paid_by_hand') AND {0}
"""
TAKEN_BACK = """
  SELECT COALESCE(json_extract(p.evidence, '$.amount'), p.amount) - COALESCE((
    SELECT SUM(r.amount) FROM refunds r WHERE r.payment_id = p.id
      AND r.state IN ('confirmed', 'paid_by_hand') AND r.answered_at < j.at), 0)
    AS amount, p.disposition
  FROM journal_entries j JOIN payments p ON p.id = j.object_id
  WHERE j.object_kind = 'payment' AND j.to_state = 'charged_back' AND {0}
"""
DESK = f"SELECT * FROM attentions WHERE {IN_OCTOBER.format('queued_at')}"


def at(day: int, hour: int = 12, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, 7, tzinfo=UTC)


@pytest.fixture
def page(
    app: Flask, session: Session, owner: FlaskClient, october: Month
) -> BeautifulSoup:
    """The page of a month in which everything has happened."""
    with transaction() as writing:
        ana = technicians(writing)[0]
        old = put_sale(writing, at(10, month=9), pesos=29_990)
        put_refund(writing, old, at(20, month=9), 3_000)
        put_refund(writing, old, at(2), 9_990, "paid_by_hand")
        put_refund(writing, old, at(3), 1_000)
        put_refund(writing, old, at(4), 5_000, "rejected")
        put_chargeback(writing, old, at(5))
        for disposition, charged in (("late", 19_990), ("mismatch", 12_345)):
            order = writing.get_one(Order, old.order_id)
            extra = put_payment(
                writing, order, at(6), disposition=disposition,
                evidence={"amount": charged},
            )  # fmt: skip
            put_refund(writing, extra, at(7), 2_345)
        put_chargeback(writing, extra, at(8))
        put_sale(writing, at(9, 2), pesos=0, gateway="manual", attention={})
        put_sale(writing, at(9), pesos=7_000, gateway="manual", attention={})
        visit = put_sale(
            writing, at(10), pesos=49_990, service_slug="asistencia-terreno"
        )
        writing.add(
            Errand(order_id=visit.order_id, state="done", opened_at=at(10),
                   changed_at=at(11), technician_id=ana, done_at=at(11))
        )  # fmt: skip
        _add_desk(writing, ana)
    return BeautifulSoup(owner.get("/informes/2026-10").text, "html.parser")


def _add_desk(session: Session, ana: int) -> None:
    """One with a missed promise, one cancelled, one taken; one is nobody's to name."""
    facts: list[tuple[Payment, dict[str, Any]]] = []
    for number, values in enumerate(
        (
            {"promise_at": at(12, 13), "promise_missed_at": at(12, 13)},
            {"state": "cancelled", "promise_at": at(12, 13)},
            {"state": "taken", "technician_id": ana, "taken_at": at(12, 14)},
        )
    ):
        sale = put_sale(session, at(12), attention=values, phone=f"+5697{number:07}")
        facts.append((sale, values))
    session.flush()
    hidden = session.get_one(Order, facts[0][0].order_id)
    session.get_one(Contact, hidden.contact_id).blocked = True
    rated = session.query(Attention).filter_by(order_id=facts[2][0].order_id).one()
    session.add(Rating(attention_id=rated.id, stars=2, at=at(13)))


def rows_of(page: BeautifulSoup, section: str) -> list[list[str]]:
    """The cells of every row of a section's tables."""
    found = page.select_one(f'section[aria-labelledby="{section}"]')
    assert isinstance(found, Tag), section
    return [
        [" ".join(cell.get_text(" ", strip=True).split()) for cell in row(["th", "td"])]
        for row in found.select("tbody tr")
    ]


def pesos(amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return f"${sign}{abs(amount):,}".replace(",", ".")


@pytest.fixture
def ask(session: Session) -> Any:
    def run(statement: str) -> list[tuple[Any, ...]]:
        session.rollback()
        rows = session.connection().exec_driver_sql(statement).all()
        return [tuple(row) for row in rows]

    return run


def test_money_of_the_month_is_what_the_rows_say(page: BeautifulSoup, ask: Any) -> None:
    def amount(source: str, column: str = "amount") -> tuple[int, int, int]:
        net = NET.format(column)
        return ask(  # type: ignore[no-any-return]
            f"SELECT COUNT(*), COALESCE(SUM({column}), 0), COALESCE(SUM({net}), 0) "
            f"FROM ({source})"
        )[0]

    def line(label: str, found: tuple[int, int, int], count: str) -> list[str]:
        _, total, net = found
        return [label, count, pesos(total), pesos(net), pesos(total - net)]

    applied = " AND p.disposition = 'applied'"
    sales = amount(SALES.format(IN_OCTOBER.format("o.paid_at")))
    gone = amount(GONE.format(IN_OCTOBER.format("r.answered_at")) + applied)
    taken = amount(TAKEN_BACK.format(IN_OCTOBER.format("j.at")) + applied)
    rest = tuple(a - b - c for a, b, c in zip(sales, gone, taken, strict=True))
    others = applied.replace("=", "<>")
    back = [
        amount(GONE.format(IN_OCTOBER.format("r.answered_at")) + others),
        amount(TAKEN_BACK.format(IN_OCTOBER.format("j.at")) + others),
    ]
    misplaced = {
        label: (str(count), pesos(total))
        for label, count, total in ask(
            "SELECT CASE disposition WHEN 'late' THEN 'Pagos que llegaron tarde' "
            "WHEN 'surplus' THEN 'Pagos de más' ELSE 'Pagos que no coinciden' END, "
            "COUNT(*), SUM(COALESCE(json_extract(evidence, '$.amount'), amount)) "
            f"FROM payments WHERE disposition <> 'applied' "
            f"AND {IN_OCTOBER.format('approved_at')} GROUP BY 1"
        )
    }
    shown = rows_of(page, "dinero")
    assert shown[:4] == [
        line("Ingreso", sales, str(sales[0])),
        line("Devoluciones", gone, str(gone[0])),
        line("Contracargos", taken, str(taken[0])),
        line("Queda", rest, ""),  # type: ignore[arg-type]
    ]
    assert {row[0]: tuple(row[1:]) for row in shown[4:-1]} == misplaced
    total_back = pesos(sum(each[1] for each in back))
    count_back = str(sum(each[0] for each in back))
    assert shown[-1] == ["Ya devuelto de pagos así", count_back, total_back]
    free = ask(
        f"SELECT COUNT(*) FROM ({SALES.format(IN_OCTOBER.format('o.paid_at'))}) "
        "WHERE amount = 0"
    )
    assert f"{free[0][0]} de los pedidos se abrieron sin costo." in page.get_text()


def test_headline_and_its_change_are_what_the_rows_say(
    page: BeautifulSoup, ask: Any
) -> None:
    def of(bounds: str) -> list[int]:
        (orders, income), *_ = ask(
            "SELECT COUNT(*), SUM(amount) FROM "
            f"({SALES.format(bounds.format('o.paid_at'))})"
        )
        back = sum(
            ask(
                f"SELECT COALESCE(SUM(amount), 0) FROM ({source}) "
                "WHERE disposition = 'applied'"
            )[0][0]
            for source in (
                GONE.format(bounds.format("r.answered_at")),
                TAKEN_BACK.format(bounds.format("j.at")),
            )
        )
        desk = ask(
            "SELECT COUNT(*), "
            "SUM(promise_missed_at IS NULL AND contacted_at <= promise_at), "
            "SUM(promise_missed_at IS NOT NULL OR contacted_at > promise_at OR "
            "(contacted_at IS NULL AND state <> 'cancelled' AND "
            f"promise_at < '2026-11-24 15:00')) FROM attentions "
            f"WHERE {bounds.format('queued_at')}"
        )[0]
        kept, broken = desk[1] or 0, desk[2] or 0
        share = round(1000 * kept / (kept + broken) + 1e-9)
        return [income, back, income - back, orders, desk[0], share]

    now, before = of(IN_OCTOBER), of(IN_SEPTEMBER)

    def change(new: int, old: int) -> str:
        tenths = int(1000 * abs(new - old) / old + 0.5)
        sign = "+" if new > old else "-"
        return f"{sign}{tenths // 10},{tenths % 10} %"

    shown = [
        (card.select(".figure__value")[0].text, card.select("strong")[0].text)
        for card in page.select(".figure")
    ]
    expected = [
        (pesos(new) if place < 3 else f"{new}", f"({change(new, old)})")
        for place, (new, old) in enumerate(zip(now[:5], before[:5], strict=True))
    ]
    points = now[5] - before[5]
    sign = "+" if points > 0 else "-"
    words = f"({sign}{abs(points) // 10},{abs(points) % 10} puntos)"
    expected.append((f"{now[5] // 10},{now[5] % 10} %", words))
    assert shown == expected


def test_income_by_everything_is_what_the_rows_say(
    page: BeautifulSoup, ask: Any
) -> None:
    sales = SALES.format(IN_OCTOBER.format("o.paid_at"))

    def by(expression: str) -> list[list[str]]:
        rows = ask(
            f"SELECT {expression} AS label, COUNT(*), SUM(amount) FROM ({sales}) "
            "GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1"
        )
        return [[str(label), str(count), pesos(total)] for label, count, total in rows]

    hour = "strftime('%d-%m-%Y', paid_at, '-3 hours') || ', ' || "
    hour += "CAST(strftime('%H', paid_at, '-3 hours') AS INTEGER) || ':00'"
    assert sorted(rows_of(page, "horas")) == sorted(by(hour))
    heat = page.select('section[aria-labelledby="horas"] rect.heat[height] title')
    assert len(heat) == len(by(hour))
    days = {
        int(day): (count, total)
        for day, count, total in by("strftime('%d', paid_at, '-3 hours')")
    }
    shown = rows_of(page, "dias")
    assert len(shown) == 31
    for number, (label, count, total) in enumerate(shown, 1):
        assert f" {number} de octubre" in f" {label}"
        assert (count, total) == days.get(number, ("0", "$0"))
    assert sorted(row[1:] for row in rows_of(page, "servicio")) == sorted(
        row[1:] for row in by("service_slug")
    )
    regime = "CASE regime_kind WHEN 'normal' THEN 'Horario normal' "
    regime += "WHEN 'special' THEN 'Horario especial' ELSE 'Fuera de horario' END"
    assert rows_of(page, "horario") == by(regime)
    gateway = "CASE WHEN gateway = 'webpay' THEN 'Webpay' WHEN gateway = 'mercadopago' "
    gateway += "THEN 'Mercado Pago' WHEN amount = 0 THEN 'Sin costo' "
    gateway += "ELSE 'Transferencia' END"
    assert rows_of(page, "medio") == by(gateway)
    assert rows_of(page, "tecnico") == by("technician")


def test_attentions_minutes_and_ratings_are_what_the_rows_say(
    page: BeautifulSoup, ask: Any
) -> None:
    outcome = (
        "CASE WHEN state = 'cancelled' THEN 'Anuladas antes de empezar' "
        "WHEN state <> 'closed' THEN 'Sin terminar' "
        "WHEN outcome = 'resuelto' THEN 'Resueltas' "
        "WHEN outcome = 'parcial' THEN 'Resueltas en parte' ELSE 'No resueltas' END"
    )
    counts = ask(f"SELECT {outcome}, COUNT(*) FROM ({DESK}) GROUP BY 1")
    assert dict(map(tuple, rows_of(page, "atenciones"))) == {  # type: ignore[arg-type]
        label: str(count) for label, count in counts
    }
    total = sum(count for _, count in counts)
    # Nothing runs in this month any more: what was closed ended at its closing.
    used = (
        "(MIN(unixepoch(closed_at), unixepoch(ends_at)) - unixepoch(started_at) "
        "- paused_seconds + 30) / 60"
    )
    (minutes, paused), *_ = ask(
        f"SELECT SUM(CASE WHEN started_at IS NULL THEN 0 ELSE {used} END), "
        f"SUM((paused_seconds + 30) / 60) FROM ({DESK})"
    )
    grouped = [
        f"{number:,}".replace(",", ".") for number in (90 * total, minutes, paused)
    ]
    assert [row[1] for row in rows_of(page, "minutos")] == grouped
    stars = dict(
        ask(f"SELECT r.stars, COUNT(*) FROM ratings r JOIN ({DESK}) a "
            "ON a.id = r.attention_id GROUP BY 1")
    )  # fmt: skip
    assert rows_of(page, "notas") == [
        [f"{star} de 5", str(stars.get(star, 0))] for star in (5, 4, 3, 2, 1)
    ]
    rated = sum(stars.values())
    tenths = int(10 * sum(s * n for s, n in stars.items()) / rated + 0.5)
    average = f"{tenths // 10},{tenths % 10} de 5, en {rated} calificaciones."
    assert average in " ".join(page.get_text(" ", strip=True).split())


def test_waiting_and_promises_are_what_the_rows_say(
    page: BeautifulSoup, ask: Any
) -> None:
    names = {"normal": "Horario normal", "special": "Horario especial"}
    acts = {"taken_at": "hasta tomarla", "contacted_at": "hasta el primer contacto"}
    expected = []
    for regime, name in names.items():
        for column, act in acts.items():
            waited = f"unixepoch({column}) - unixepoch(queued_at)"
            ranked = (
                f"SELECT {waited} AS s, ROW_NUMBER() OVER (ORDER BY {waited}) AS n, "
                f"COUNT(*) OVER () AS total FROM ({DESK}) "
                f"WHERE regime_kind = '{regime}' AND {column} IS NOT NULL"
            )
            count, median, p90 = ask(
                f"SELECT MAX(total), CAST(AVG(CASE WHEN n IN ((total + 1) / 2, "
                f"(total + 2) / 2) THEN s END) AS INTEGER), "
                f"MAX(CASE WHEN n = (9 * total + 9) / 10 THEN s END) FROM ({ranked})"
            )[0]
            words = [duration_words(median), duration_words(p90)]
            expected.append([f"{name}: {act}", str(count), *words])
    assert rows_of(page, "espera") == expected
    kept, broken = ask(
        "SELECT SUM(promise_missed_at IS NULL AND contacted_at <= promise_at), "
        "SUM(promise_missed_at IS NOT NULL OR contacted_at > promise_at) "
        f"FROM ({DESK})"
    )[0]
    words = f"Promesas de llamada: {kept} cumplidas y {broken} no cumplidas."
    assert words in " ".join(page.get_text(" ", strip=True).split())


def test_best_customers_are_what_the_rows_say(page: BeautifulSoup, ask: Any) -> None:
    rows = ask(
        f"""
        WITH RECURSIVE buyer AS (
          SELECT a.id, o.price, c.name, c.phone, c.email, c.rut FROM ({DESK}) a
          JOIN orders o ON o.id = a.order_id JOIN contacts c ON c.id = o.contact_id
          WHERE NOT c.blocked AND c.pseudonymised_at IS NULL),
        same (one, other) AS (
          SELECT id, id FROM buyer UNION
          SELECT same.one, y.id FROM same JOIN buyer x ON x.id = same.other
          JOIN buyer y ON y.phone = x.phone OR y.email = x.email OR y.rut = x.rut),
        person AS (SELECT one, MIN(other) AS first FROM same GROUP BY one)
        SELECT COUNT(*), SUM(price) FROM person JOIN buyer ON buyer.id = person.one
        GROUP BY first HAVING COUNT(*) > 1 ORDER BY 1 DESC, 2 DESC LIMIT 10
        """
    )
    assert [row[1:] for row in rows_of(page, "clientes")] == [
        [str(count), pesos(total)] for count, total in rows
    ]
    assert "No se lista 1 atención" in page.get_text()
