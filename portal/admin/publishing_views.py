"""The terms: what would be published now, publishing it, every version."""

from typing import cast

from flask import Blueprint, Response, flash, redirect, request

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin.terms_rules import differences
from portal.db import db
from portal.errors import StaleStateError
from portal.journal.service import Actor
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.terms.rules import text_hash, to_blocks
from portal.web import page

bp = Blueprint("admin_terms", __name__, url_prefix="/administrar/terminos")


@bp.get("")
@owner_required
def terms() -> Response:
    """The version in force against the text of now, and the older versions."""
    return _terms()


@bp.post("/publicar")
@owner_required
def publish() -> Response:
    """Publish the text that the page showed as the next version."""
    actor, seen = Actor("staff", person().id), request.form.get("seen", "")
    before = terms_queries.current_number(db.session())
    try:
        number = terms_service.publish(actor=actor, now=clock.utcnow(), seen=seen)
    except StaleStateError as error:
        return _terms(409, str(error))
    if number == before:
        flash(f"No había nada que publicar: rige la versión {number}.")
    else:
        flash(
            f"Publicada la versión {number}. Los pedidos anteriores conservan la suya."
        )
    return cast(Response, redirect("/administrar/terminos", 303))


def _terms(code: int = 200, error: str = "") -> Response:
    session = db.session()
    current, text = terms_queries.current(session), terms_queries.preview(session)
    return page(
        "admin/terms.html",
        code,
        person=person(),
        current=current,
        lines=differences(current.body if current else "", text),
        blocks=to_blocks(text),
        seen=text_hash(text),
        versions=terms_queries.list_versions(session),
        has_draft=terms_queries.draft(session) is not None,
        error=error,
    )
