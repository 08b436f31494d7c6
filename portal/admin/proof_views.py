"""One order's page of evidence, to print, and the files that a third party checks."""

from flask import Blueprint, Response, make_response

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin import money_service, order_queries, proof_queries
from portal.db import db
from portal.web import page, settings

bp = Blueprint("admin_proof", __name__, url_prefix="/administrar")

ORDER = "/pedidos/<int(min=1001, max=2147483647):number>/prueba"


@bp.get(ORDER)
@owner_required
def show(number: int) -> Response:
    """Everything that proves the acceptance, and how to check it."""
    now = clock.utcnow()
    order_id = order_queries.find(db.session(), number).id
    money_service.note_seen(order_id, by=person(), now=now)
    order = order_queries.find(db.session(), number)
    evidence = proof_queries.load(db.session(), order)
    return page(
        "admin/proof.html",
        person=person(),
        evidence=evidence,
        public_url=settings().public_url,
        now=now,
    )


@bp.get(f"{ORDER}/<int(max=2147483647):link_id>")
@owner_required
def link(number: int, link_id: int) -> Response:
    """One link of the chain, byte for byte."""
    order = order_queries.find(db.session(), number)
    response = make_response(proof_queries.file_of(db.session(), order, link_id))
    response.content_type = "text/plain; charset=utf-8"
    name = f"eslabon-{link_id}.txt"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
