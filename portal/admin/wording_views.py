"""Writing the terms anew: a draft, what it would change, and publishing it."""

from typing import cast

from flask import Blueprint, Response, flash, redirect, request
from flask_wtf import FlaskForm
from wtforms import HiddenField

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin.fields_forms import TypedField
from portal.admin.terms_rules import differences
from portal.db import db
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import Actor
from portal.terms import queries as terms_queries
from portal.terms import wording_service
from portal.terms.rules import text_hash, to_blocks
from portal.terms.wording_rules import MARKS, MAX_WORDING, house_wording
from portal.web import page

PATH = "/administrar/terminos/borrador"
bp = Blueprint("admin_wording", __name__, url_prefix=PATH)


class WordingForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The whole text, with its marks; `seen` marks the draft that the page showed."""

    seen = HiddenField()
    body = TypedField(
        "Texto de los términos",
        limit=MAX_WORDING,
        required="Escriba el texto.",
        multiline=True,
        rows=30,
    )


def _actor() -> Actor:
    return Actor("staff", person().id)


def _to(path: str, message: str) -> Response:
    flash(message)
    return cast(Response, redirect(path, 303))


@bp.get("")
@owner_required
def draft() -> Response:
    """The draft, else the wording in force; `?texto=original` offers the program's."""
    session = db.session()
    stored = terms_queries.draft(session)
    body = stored.body if stored else terms_queries.wording_in_force(session)
    if request.args.get("texto") == "original":
        body = house_wording()
    mark = wording_service.draft_mark(stored)
    return _page(WordingForm(formdata=None, data={"body": body, "seen": mark}))


@bp.post("")
@owner_required
def save() -> Response:
    """Keep the draft: nobody but the owner reads it."""
    form = WordingForm()
    if not form.validate():
        return _page(form, 422)
    seen, now = str(form.seen.data or ""), clock.utcnow()
    try:
        wording_service.save_draft(form.body.value, seen=seen, actor=_actor(), now=now)
    except RefusedError as error:
        form.body.errors = [str(error)]
        return _page(form, 422)
    except StaleStateError as error:
        form.seen.data = wording_service.draft_mark(terms_queries.draft(db.session()))
        return _page(form, 409, str(error))
    return _to(PATH, "Borrador guardado. Nadie más lo ve hasta que lo publique.")


@bp.post("/publicar")
@owner_required
def publish() -> Response:
    """The draft becomes the next version, and what later versions are made of."""
    seen = request.form.get("seen", "")
    try:
        number = wording_service.publish_draft(
            seen=seen, actor=_actor(), now=clock.utcnow()
        )
    except StaleStateError as error:
        return _page(_stored(), 409, str(error))
    return _to(
        "/administrar/terminos",
        f"Rige la versión {number}. Los pedidos anteriores conservan la suya.",
    )


@bp.post("/descartar")
@owner_required
def drop() -> Response:
    """Give the draft up; the terms in force stay."""
    seen = request.form.get("seen", "")
    try:
        wording_service.drop_draft(seen=seen, actor=_actor(), now=clock.utcnow())
    except StaleStateError as error:
        return _page(_stored(), 409, str(error))
    return _to("/administrar/terminos", "Borrador descartado: rige lo de siempre.")


def _stored() -> WordingForm:
    stored = terms_queries.draft(db.session())
    mark = wording_service.draft_mark(stored)
    data = {"body": stored.body if stored else "", "seen": mark}
    return WordingForm(formdata=None, data=data)


def _page(form: WordingForm, code: int = 200, error: str = "") -> Response:
    session = db.session()
    current, stored = terms_queries.current(session), terms_queries.draft(session)
    text = terms_queries.draft_preview(session)
    return page(
        "admin/wording.html",
        code,
        person=person(),
        form=form,
        error=error,
        marks=MARKS,
        stored=stored,
        mark=wording_service.draft_mark(stored),
        lines=differences(current.body if current else "", text),
        blocks=to_blocks(text),
        text_mark=text_hash(text),
        next_number=(current.number if current else 0) + 1,
    )
