"""The owner's month: the page, a day of it, and its exports."""

from collections.abc import Callable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, cast

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.db import db
from portal.errors import NotFoundError
from portal.reports import charts_rules, day_queries, export_service, queries, rules
from portal.reports.attention_rules import OUTCOME_NAMES
from portal.reports.figures_rules import DISPOSITION_NAMES, REGIME_NAMES, Figures
from portal.reports.rules import Month
from portal.web import page

bp = Blueprint("reports", __name__, url_prefix="/informes")

Write = Callable[[Session, Month, datetime, IO[bytes]], None]
_PIECE = 64 * 1024
_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("")
@owner_required
def this_month() -> Response:
    """To the month that runs."""
    month = rules.month_of(clock.utcnow())
    return cast(Response, redirect(f"/informes/{month}", 303))


@bp.get("/<name>")
@owner_required
def month_page(name: str) -> Response:
    """The report of a month; `?dia=` adds the orders of one of its days."""
    now, session = clock.utcnow(), db.session()
    month = rules.parse_month(name, now)
    figures = queries.read_month(session, month, now)
    before = queries.read_headline(session, month.previous, now)
    return page(
        "reports/month.html",
        person=person(),
        month=month,
        running=now < month.ends,
        has_next=month.next.begins <= now,
        figures=figures,
        cards=charts_rules.cards(figures.headline, before),
        day=_day(session, month),
        **_charts(figures),
        words=rules,
        grouped=charts_rules.grouped,
        outcome_names=OUTCOME_NAMES,
        regime_names=REGIME_NAMES,
        disposition_names=DISPOSITION_NAMES,
    )


def _charts(figures: Figures) -> dict[str, object]:
    outcomes = figures.attentions.outcomes
    desk = figures.attentions
    return {
        "heat": charts_rules.heat_map(figures),
        "calendar": charts_rules.calendar(figures),
        "money_bars": charts_rules.money_bars,
        "outcome_bars": charts_rules.count_bars(
            [(OUTCOME_NAMES[word], count) for word, count in outcomes.items()]
        ),
        "minute_bars": charts_rules.count_bars(
            [
                ("Vendidos (90 por atención)", desk.sold_minutes),
                ("Usados", desk.used_minutes),
                ("En pausa", desk.paused_minutes),
            ]
        ),
        "star_bars": charts_rules.count_bars(
            [(f"{stars} de 5", count) for stars, count in figures.ratings.stars.items()]
        ),
    }


def _day(session: Session, month: Month) -> dict[str, object] | None:
    """The day asked for with its orders. Raises NotFoundError when there is none."""
    text = request.args.get("dia")
    if text is None:
        return None
    found = rules.parse_day(month, text)
    if found is None:
        raise NotFoundError(f"{month.title.capitalize()} no tiene ese día.")
    return {"date": found, "orders": day_queries.orders_of_day(session, found)}


@bp.get("/<name>.csv")
@owner_required
def month_csv(name: str) -> Response:
    """Every order and every movement of money, for Excel in Spanish."""
    return _export(name, "csv", _CSV, export_service.write_csv)


@bp.get("/<name>.xlsx")
@owner_required
def month_xlsx(name: str) -> Response:
    """The same with real dates and numbers, and totals."""
    return _export(name, "xlsx", _XLSX, export_service.write_xlsx)


def _export(name: str, suffix: str, kind: str, write: Write) -> Response:
    now = clock.utcnow()
    month = rules.parse_month(name, now)
    file = TemporaryFile()  # noqa: SIM115 (the body closes it)
    body = _body(file)
    next(body)
    write(db.session(), month, now, file)
    answer = Response(body, content_type=kind)
    answer.content_length = file.tell()
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=informe-{month}.{suffix}"
    )
    file.seek(0)
    return answer


def _body(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces; once begun, it closes the file however it ends."""
    with file:
        yield b""
        while piece := file.read(_PIECE):
            yield piece
