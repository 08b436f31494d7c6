"""`/tablero/<id>/historial`: what we did before for the customer of a card."""

from flask import Blueprint, Response

from portal import clock
from portal.accounts.access_views import person, staff_required
from portal.db import db
from portal.orders import queries as order_queries
from portal.support import history_queries, history_service, queries
from portal.support.errand_queries import get_errand
from portal.web import page

bp = Blueprint("history", __name__, url_prefix="/tablero")


def _history(order_id: int, back: str) -> Response:
    """The reading is noted first: a page that fails to render was asked for too."""
    history_service.note_reading(order_id, by=person(), now=clock.utcnow())
    session = db.session()
    order = order_queries.get(session, order_id)
    contact = order_queries.get_contact(session, order)
    return page(
        "board/history.html",
        person=person(),
        order=order,
        contact=contact,
        closed=history_queries.is_closed_to_staff(contact),
        chapters=history_queries.chapters(session, contact),
        back=back,
    )


@bp.get("/<int(max=2147483647):attention_id>/historial")
@staff_required
def of_attention(attention_id: int) -> Response:
    """The history of an attention's customer."""
    attention = queries.get(db.session(), attention_id)
    return _history(attention.order_id, f"/tablero#atencion-{attention_id}")


@bp.get("/encargos/<int(max=2147483647):errand_id>/historial")
@staff_required
def of_errand(errand_id: int) -> Response:
    """The history of an errand's customer."""
    errand = get_errand(db.session(), errand_id)
    return _history(errand.order_id, f"/tablero#encargo-{errand_id}")
