"""`/atencion/<token>/datos`: what we keep of this order, to read and to take along."""

import json

from flask import Blueprint, Response, make_response, request

from portal import clock
from portal.contact.data_queries import load_data
from portal.contact.views import find_order
from portal.db import db
from portal.web import page

bp = Blueprint("customer_data", __name__, url_prefix="/atencion/<token>")


@bp.get("/datos")
def my_data(token: str) -> Response:
    """The page, or the same as a file with `?formato=json`."""
    order = find_order(token)
    data = load_data(db.session(), order, now=clock.utcnow())
    if request.args.get("formato") != "json":
        return page("contact/data.html", token=token, order=order, data=data)
    response = make_response(json.dumps(data, ensure_ascii=False, indent=2))
    response.mimetype = "application/json"
    name = f"mis-datos-pedido-{order.number}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
