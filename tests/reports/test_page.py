"""The page of a month: charts with their tables, other months, days, wrong input."""

import json
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.audit.queries import broken_invariants
from portal.db import db
from portal.money import format_pesos
from portal.reports.queries import read_month
from portal.reports.rules import Month


def soup(answer: Any) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def test_page_says_the_figures_of_the_report(
    app: Flask, owner: FlaskClient, october: Month, clock: FrozenClock
) -> None:
    page = soup(owner.get("/informes/2026-10"))
    with app.app_context():
        figures = read_month(db.session(), october, clock.now)
    shown = page.main.get_text(" ") if page.main else ""
    for pesos in (figures.sales.total, figures.net.total, figures.sales.iva):
        assert format_pesos(pesos) in shown
    for line in (*figures.by_service, *figures.by_gateway, *figures.by_technician):
        assert line.label in shown
        assert format_pesos(line.pesos) in shown
    assert "Septiembre de 2026" in shown


def test_every_chart_is_drawn_by_the_server_and_has_a_table(
    owner: FlaskClient, october: Month
) -> None:
    page = soup(owner.get("/informes/2026-10"))
    charts = [
        svg for svg in page.select("svg.chart") if "chart--legend" not in svg["class"]
    ]
    assert len(charts) >= 8
    for chart in charts:
        section = chart.find_parent("section")
        assert section is not None
        assert section.find("table"), section.h2
        assert chart["aria-label"]
        assert chart.find("rect")
    assert not page.select("[style]")
    assert not page.select("main script")


def test_heat_map_shows_each_hour_that_sold(owner: FlaskClient, october: Month) -> None:
    page = soup(owner.get("/informes/2026-10"))
    rows = page.select("section[aria-labelledby=horas] tbody tr")
    dark = page.select("section[aria-labelledby=horas] svg title")
    assert len(dark) == len(rows) > 40


def test_links_lead_to_the_months_beside_it_and_never_to_the_future(
    owner: FlaskClient, october: Month
) -> None:
    def others(path: str) -> list[str]:
        links = soup(owner.get(path)).select("nav[aria-label='Otros meses'] a")
        return [str(link["href"]) for link in links]

    assert others("/informes/2026-10") == ["/informes/2026-09", "/informes/2026-11"]
    assert others("/informes/2026-11") == ["/informes/2026-10"]


def test_day_lists_its_orders_with_their_links(
    app: Flask, owner: FlaskClient, october: Month
) -> None:
    page = soup(owner.get("/informes/2026-10"))
    days = {
        seen[0].text: (seen[1].text, link)
        for link in page.select(".day")
        if (seen := link.select("[aria-hidden]"))
    }
    assert len(days) == 31
    number, (count, link) = next(it for it in days.items() if it[1][0] != "·")
    assert link.select(".sr-only")[1].text.startswith(f"{count} pedido")
    assert link["href"] == f"/informes/2026-10?dia={int(number):02}#dia"
    found = soup(owner.get(str(link["href"]).removesuffix("#dia"))).select(
        "#dia tbody tr"
    )
    assert len(found) == int(count)
    first = found[0].a
    assert first is not None
    assert str(first["href"]).startswith("/administrar/pedidos/1")


def test_day_without_orders_says_so_and_a_day_that_is_none_is_not_found(
    owner: FlaskClient, october: Month
) -> None:
    # Independence of the churches: a Saturday, and a public holiday.
    assert "no hubo pedidos" in owner.get("/informes/2026-10?dia=31").text
    for day in ("32", "0", "x", ""):
        answer = owner.get(f"/informes/2026-10?dia={day}")
        assert answer.status_code == 404
        assert "no tiene ese día" in answer.text


def test_month_that_is_none_or_not_yet_is_answered_with_help(
    owner: FlaskClient,
) -> None:
    for name in ("2026-13", "2026", "noviembre", "2026-13.csv", "x.xlsx"):
        answer = owner.get(f"/informes/{name}")
        assert answer.status_code == 404
        assert "/informes/2026-11" in answer.text
    for name in ("2027-01", "2027-01.csv", "2027-01.xlsx"):
        answer = owner.get(f"/informes/{name}")
        assert answer.status_code == 422
        assert "noviembre de 2026" in answer.text


def test_month_without_anything_says_so(owner: FlaskClient) -> None:
    page = soup(owner.get("/informes/2025-03"))
    assert "No hubo movimientos en marzo de 2025" in page.get_text(" ")
    assert not page.select("svg.chart")


def test_running_month_says_that_it_is_not_over(owner: FlaskClient) -> None:
    answer = owner.get("/informes", follow_redirects=True)
    assert answer.request.path == "/informes/2026-11"
    assert "El mes no ha terminado" in answer.text


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=list(arguments))


def test_report_command_prints_the_same_figures(
    app: Flask, october: Month, clock: FrozenClock
) -> None:
    told = json.loads(run(app, "report", "2026-10", "--json").output)
    with app.app_context():
        figures = read_month(db.session(), october, clock.now)
    assert told["income"]["total"] == figures.sales.total
    assert told["net"] == {
        "count": figures.net.count,
        "total": figures.net.total,
        "net": figures.net.net,
        "iva": figures.net.iva,
    }
    assert sum(day["pesos"] for day in told["by_day"]) == figures.sales.total
    assert sum(hour["orders"] for hour in told["by_hour"]) == figures.sales.count
    assert told["attentions"]["minutes_used"] == figures.attentions.used_minutes
    assert (
        f"{figures.sales.total:,}".replace(",", ".")
        in run(app, "report", "2026-10").output
    )


def test_report_command_refuses_what_is_no_month(app: Flask) -> None:
    for month in ("2026-13", "x", "2027-01"):
        result = run(app, "report", month)
        assert result.exit_code == 2
        assert "2026-11" in result.output


@pytest.mark.postgres
def test_demo_month_is_believed_by_verify_and_fills_every_chart(
    app: Flask, session: Session
) -> None:
    assert run(app, "demo", "month").exit_code == 1  # no demo yet
    assert run(app, "demo", "seed").exit_code == 0
    result = run(app, "demo", "month")
    assert result.exit_code == 0, result.output
    session.rollback()
    assert broken_invariants(session) == []
    figures = read_month(session, Month(2026, 10), app_now())
    assert figures.sales.count == 260
    assert figures.refunds.count
    assert figures.chargebacks.count
    assert figures.misplaced.count
    assert figures.free_orders
    assert len(figures.by_service) == 4
    assert len(figures.by_technician) >= 3
    assert len(figures.attentions.outcomes) == 4
    assert figures.ratings.count
    assert figures.customers
    again = run(app, "demo", "month")
    assert (again.exit_code, "already" in again.output) == (1, True)
    # What is written next by hand takes a number of its own.
    session.add(
        Staff(
            email="n@x.cl",
            name="N",
            role="owner",
            password_hash="x",
            created_at=app_now(),
        )
    )
    session.flush()


def app_now() -> Any:
    from portal import clock

    return clock.utcnow()


def test_demo_month_is_refused_in_production(app: Flask) -> None:
    settings = app.extensions["portal_settings"]
    app.extensions["portal_settings"] = replace(settings, mode="production")
    result = run(app, "demo", "month")
    assert result.exit_code == 1
    assert "refused in production" in result.output
