"""Cuadratura: what the gateways say of a month, and what the portal says."""

from flask import Blueprint, Response

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.db import db
from portal.payments.returns import GATEWAY_ERRORS
from portal.payments.states import MERCADOPAGO
from portal.payments.views import gateways
from portal.reports import match_queries, match_rules, rules
from portal.reports.match_rules import Difference
from portal.reports.rules import Month
from portal.web import page

bp = Blueprint("match", __name__, url_prefix="/informes")
_UNREAD = "Mercado Pago no contestó la búsqueda. Inténtelo en unos minutos."


@bp.get("/<name>/cuadratura")
@owner_required
def match_page(name: str) -> Response:
    """The month's payments by the last answer that each gateway gave."""
    return _page(rules.parse_month(name, clock.utcnow()))


@bp.post("/<name>/cuadratura")
@owner_required
def search_mercadopago(name: str) -> Response:
    """Ask Mercado Pago for every payment of the month, and compare. Changes nothing."""
    now = clock.utcnow()
    month = rules.parse_month(name, now)
    try:
        theirs = gateways().mercadopago.search_period(
            month.begins, min(month.ends, now)
        )
    except GATEWAY_ERRORS:
        return _page(month, error=_UNREAD)
    session = db.session()
    ours = [
        known
        for known in match_queries.payments_of(session, month)
        if known.gateway == MERCADOPAGO
    ]
    mine = {known.gateway_number for known in ours}
    numbers = {each.gateway_payment_id or "" for each in theirs} - mine
    ours += match_queries.with_numbers(session, numbers)
    return _page(month, found=match_rules.compare(theirs, ours), searched=len(theirs))


def _page(
    month: Month,
    found: list[Difference] | None = None,
    searched: int = 0,
    error: str = "",
) -> Response:
    session = db.session()
    payments = match_queries.payments_of(session, month)
    return page(
        "reports/match.html",
        person=person(),
        month=month,
        asked=match_queries.asked(session, month),
        differences=match_rules.own_differences(payments),
        found=found,
        searched=searched,
        error=error,
    )
