"""The month's figures as lines: for the sheet and for the command. Pure."""

from typing import Any

from portal.reports.attention_rules import OUTCOME_NAMES, Attentions
from portal.reports.figures_rules import (
    DISPOSITION_NAMES,
    REGIME_NAMES,
    Amount,
    Figures,
    Line,
)
from portal.reports.rules import Spread


def summary_lines(figures: Figures) -> list[tuple[str, int]]:
    """Label and whole number of every figure that a sheet may add up."""
    desk = figures.attentions
    lines = [
        ("Pedidos pagados", figures.sales.count),
        ("De ellos sin costo", figures.free_orders),
        *_amount("Ingreso", figures.sales),
        *_amount("Devoluciones", figures.refunds),
        *_amount("Contracargos", figures.chargebacks),
        *_amount("Queda", figures.net),
        *(
            (DISPOSITION_NAMES[word], amount.total)
            for word, amount in figures.out_of_place.items()
        ),
        ("Devuelto de pagos fuera de lugar", figures.out_of_place_back.total),
        ("Atenciones", desk.total),
        *((OUTCOME_NAMES[word], count) for word, count in desk.outcomes.items()),
        ("Minutos vendidos", desk.sold_minutes),
        ("Minutos usados", desk.used_minutes),
        ("Minutos en pausa", desk.paused_minutes),
        ("Promesas cumplidas", desk.kept),
        ("Promesas no cumplidas", desk.broken),
        ("Calificaciones", figures.ratings.count),
    ]
    return lines


def _amount(label: str, amount: Amount) -> list[tuple[str, int]]:
    return [
        (label, amount.total),
        (f"{label}, neto", amount.net),
        (f"{label}, IVA", amount.iva),
    ]


def as_dict(figures: Figures) -> dict[str, Any]:
    """The report as plain values for JSON. Pesos, whole minutes, seconds of waiting."""
    return {
        "month": str(figures.month),
        "from": figures.month.begins.isoformat(),
        "until": figures.month.ends.isoformat(),
        "orders": figures.sales.count,
        "free_orders": figures.free_orders,
        "income": _as_dict(figures.sales),
        "refunds": _as_dict(figures.refunds),
        "chargebacks": _as_dict(figures.chargebacks),
        "net": _as_dict(figures.net),
        "out_of_place": {
            word: _as_dict(amount) for word, amount in figures.out_of_place.items()
        },
        "out_of_place_given_back": _as_dict(figures.out_of_place_back),
        "by_day": _days(figures),
        "by_hour": _hours(figures),
        "by_service": _lines(figures.by_service),
        "by_regime": _lines(figures.by_regime),
        "by_gateway": _lines(figures.by_gateway),
        "by_technician": _lines(figures.by_technician),
        "attentions": _attentions(figures.attentions),
        "ratings": {
            "count": figures.ratings.count,
            "average_tenths": figures.ratings.average_tenths,
            "stars": {str(s): count for s, count in figures.ratings.stars.items()},
        },
    }


def _days(figures: Figures) -> list[dict[str, Any]]:
    return [
        {"day": day.isoformat(), "orders": sales.orders, "pesos": sales.pesos}
        for day, sales in figures.by_day
    ]


def _hours(figures: Figures) -> list[dict[str, Any]]:
    return [
        {
            "day": day.isoformat(),
            "hour": hour,
            "orders": sales.orders,
            "pesos": sales.pesos,
        }
        for (day, hour), sales in sorted(figures.hours.items())
    ]


def _attentions(desk: Attentions) -> dict[str, Any]:
    return {
        "total": desk.total,
        "outcomes": dict(desk.outcomes),
        "minutes_sold": desk.sold_minutes,
        "minutes_used": desk.used_minutes,
        "minutes_paused": desk.paused_minutes,
        "promises_kept": desk.kept,
        "promises_missed": desk.broken,
        "waiting": {
            REGIME_NAMES[regime]: {
                "to_taken": _spread(waits.to_taken),
                "to_contact": _spread(waits.to_contact),
            }
            for regime, waits in desk.waits.items()
        },
    }


def _as_dict(amount: Amount) -> dict[str, int]:
    return {
        "count": amount.count,
        "total": amount.total,
        "net": amount.net,
        "iva": amount.iva,
    }


def _lines(lines: list[Line]) -> list[dict[str, Any]]:
    return [
        {"label": line.label, "orders": line.orders, "pesos": line.pesos}
        for line in lines
    ]


def _spread(spread: Spread) -> dict[str, int | None]:
    return {"count": spread.count, "median": spread.median, "p90": spread.p90}
