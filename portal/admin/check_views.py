"""The go-live list as a page, with what can be tried from it."""

from typing import cast

from flask import Blueprint, Response, flash, redirect

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.audit import check_queries, check_service
from portal.audit.check_rules import items
from portal.db import db
from portal.journal.service import Actor
from portal.payments.views import gateways
from portal.web import page, settings

bp = Blueprint("admin_check", __name__, url_prefix="/administrar/revision")


def _back(message: str) -> Response:
    flash(message)
    return cast(Response, redirect("/administrar/revision", 303))


@bp.get("")
@owner_required
def check() -> Response:
    """What is missing before real money may flow, and how to mend it."""
    found = items(check_queries.gather(db.session(), settings(), clock.utcnow()))
    return page(
        "admin/check.html",
        person=person(),
        missing=[item for item in found if not item.ok],
        done=[item for item in found if item.ok],
    )


@bp.post("/medios")
@owner_required
def try_gateways() -> Response:
    """Ask both gateways whether they know our credentials."""
    check_service.try_gateways(
        gateways(), settings(), actor=Actor("staff", person().id), now=clock.utcnow()
    )
    return _back("Los medios de pago fueron consultados: vea abajo qué dijeron.")


@bp.post("/correo")
@owner_required
def try_mail() -> Response:
    """Send a mail to the owner."""
    check_service.ask_mail(now=clock.utcnow())
    return _back("El correo de prueba está en camino. Recargue la página en un minuto.")
