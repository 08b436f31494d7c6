"""`/atencion/<token>/datos`: what we keep of this order, to read, correct and take."""

import json
from typing import cast

from flask import Blueprint, Response, flash, make_response, redirect, request

from portal import clock
from portal.contact.data_forms import PersonForm
from portal.contact.data_queries import load_data
from portal.contact.views import find_order
from portal.db import db
from portal.errors import RefusedError
from portal.orders import queries as order_queries
from portal.orders.models import Order
from portal.support import person_service
from portal.web import page

bp = Blueprint("customer_data", __name__, url_prefix="/atencion/<token>")


@bp.get("/datos")
def my_data(token: str) -> Response:
    """The page, or the same as a file with `?formato=json`."""
    order = find_order(token)
    if request.args.get("formato") != "json":
        contact = order_queries.get_contact(db.session(), order)
        form = PersonForm(formdata=None, data=PersonForm.stored(contact))
        return _show(token, order, form)
    data = load_data(db.session(), order, now=clock.utcnow())
    response = make_response(json.dumps(data, ensure_ascii=False, indent=2))
    response.mimetype = "application/json"
    name = f"mis-datos-pedido-{order.number}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bp.post("/datos")
def correct(token: str) -> Response:
    """Correct name, phone and mail."""
    order, form = find_order(token), PersonForm()
    order_id = order.id
    if not form.validate():
        return _show(token, order, form, 422)
    now = clock.utcnow()
    try:
        changed = person_service.correct_person(order_id, now=now, **form.values())
    except RefusedError as error:
        return _show(token, find_order(token), form, 422, str(error))
    if "email" in changed:
        flash("Corregido. Desde ahora los correos de su pedido van a su correo nuevo.")
    else:
        flash("Corregido." if changed else "No había nada que cambiar.")
    return cast(Response, redirect(f"/atencion/{token}/datos", 303))


def _show(
    token: str, order: Order, form: PersonForm, code: int = 200, error: str = ""
) -> Response:
    return page(
        "contact/data.html",
        code,
        token=token,
        order=order,
        form=form,
        error=error,
        data=load_data(db.session(), order, now=clock.utcnow()),
    )
