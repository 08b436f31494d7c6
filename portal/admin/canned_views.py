"""The canned solutions, by topic: listed, added, changed, taken off, put back."""

from typing import cast

from flask import Blueprint, Response, flash, redirect, request

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin.canned_forms import EVERY_TOPIC, CannedForm
from portal.catalog import canned_service
from portal.catalog import queries as catalog_queries
from portal.catalog.models import CannedSolution
from portal.catalog.rules import canned_mark
from portal.db import db
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import Actor
from portal.web import page

bp = Blueprint("admin_canned", __name__, url_prefix="/administrar/soluciones")
CANNED = "/<int(max=2147483647):canned_id>"


def _actor() -> Actor:
    return Actor("staff", person().id)


def _to_list(message: str) -> Response:
    flash(message)
    return cast(Response, redirect("/administrar/soluciones", 303))


@bp.get("")
@owner_required
def canned_list() -> Response:
    """Every canned solution under its topic."""
    return _list()


def _list(code: int = 200, error: str = "") -> Response:
    session = db.session()
    topics = catalog_queries.all_topics(session)
    groups: dict[str, list[CannedSolution]] = {topic.slug: [] for topic in topics}
    every: list[CannedSolution] = []
    taken_off = []
    for each in catalog_queries.all_canned(session):
        if not each.active:
            taken_off.append(each)
        else:
            (groups[each.topic_slug] if each.topic_slug else every).append(each)
    titles = {topic.slug: topic.title for topic in topics}
    named = [(titles[slug], members) for slug, members in groups.items()]
    return page(
        "admin/canned_list.html",
        code,
        person=person(),
        groups=[*named, (EVERY_TOPIC, every)],
        taken_off=taken_off,
        mark=canned_mark,
        error=error,
    )


@bp.get("/nueva")
@owner_required
def new_canned() -> Response:
    """An empty canned solution."""
    return _form(CannedForm(formdata=None))


@bp.get(CANNED)
@owner_required
def edit_canned(canned_id: int) -> Response:
    """One canned solution as it stands."""
    return _form(_stored(canned_id), canned_id)


@bp.post("/nueva")
@owner_required
def add_canned() -> Response:
    """Write a new canned solution."""
    return _save(None)


@bp.post(CANNED)
@owner_required
def save_canned(canned_id: int) -> Response:
    """Write what was changed of one."""
    return _save(canned_id)


@bp.post(f"{CANNED}/quitar")
@owner_required
def take_off(canned_id: int) -> Response:
    """Take it off the technicians' lists."""
    return _offer(canned_id, False, "Quitada: los técnicos ya no la ven.")


@bp.post(f"{CANNED}/reponer")
@owner_required
def put_back(canned_id: int) -> Response:
    """Put it back on the technicians' lists."""
    return _offer(canned_id, True, "Repuesta: los técnicos la ven otra vez.")


def _offer(canned_id: int, offered: bool, done: str) -> Response:
    seen, now = request.form.get("seen", ""), clock.utcnow()
    try:
        canned_service.offer(canned_id, offered, seen=seen, actor=_actor(), now=now)
    except StaleStateError as error:
        return _list(409, f"{error} Véala como está ahora, y repita si quiere.")
    return _to_list(done)


def _save(canned_id: int | None) -> Response:
    form = CannedForm()
    form.prepare(catalog_queries.all_topics(db.session()))
    if not form.validate():
        return _form(form, canned_id, 422)
    seen, now = str(form.seen.data or ""), clock.utcnow()
    try:
        canned_service.save(canned_id, form.draft(), seen=seen, actor=_actor(), now=now)
    except StaleStateError:
        theirs = _stored(canned_id or 0)
        form.seen.data = theirs.seen.data
        return _form(form, canned_id, 409, theirs)
    except RefusedError as error:
        form.title.errors = [str(error)]
        return _form(form, canned_id, 422)
    return _to_list("Guardado: los técnicos ya lo ven así.")


def _stored(canned_id: int) -> CannedForm:
    canned = catalog_queries.get_canned(db.session(), canned_id)
    return CannedForm(formdata=None, data=CannedForm.stored(canned))


def _form(
    form: CannedForm,
    canned_id: int | None = None,
    code: int = 200,
    theirs: CannedForm | None = None,
) -> Response:
    topics = catalog_queries.all_topics(db.session())
    form.prepare(topics)
    return page(
        "admin/canned.html",
        code,
        person=person(),
        form=form,
        theirs=theirs,
        topic_title={topic.slug: topic.title for topic in topics},
        action=f"/administrar/soluciones/{canned_id or 'nueva'}",
    )
