"""`/atencion/<token>/comprobante`: the receipt alone, to print or to keep."""

from flask import Blueprint, Response

from portal import clock
from portal.contact import queries
from portal.contact.receipt_queries import load_receipt
from portal.contact.views import find_order
from portal.db import db
from portal.errors import NotFoundError
from portal.terms import queries as terms_queries
from portal.terms.duties_rules import REFUND_DAYS, RETRACT_DAYS
from portal.web import page

bp = Blueprint("receipt", __name__, url_prefix="/atencion/<token>")


@bp.get("/comprobante")
def receipt(token: str) -> Response:
    """The same copy for ever: purchase, payment, document, rights, accepted text."""
    case = queries.load_case(db.session(), find_order(token), now=clock.utcnow())
    shown = load_receipt(db.session(), case)
    if shown is None:
        raise NotFoundError("Ese pedido todavía no está pagado: no hay comprobante.")
    return page(
        "contact/receipt.html",
        token=token,
        case=case,
        receipt=shown,
        terms=terms_queries.find_version(db.session(), case.order.terms_version),
        accepted=terms_queries.find_acceptance(db.session(), case.order.id),
        retract_days=RETRACT_DAYS,
        refund_days=REFUND_DAYS,
    )
