"""`/administrar/datos/brechas`: the register of data breaches, to keep and to print."""

from flask import Blueprint, Response

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.db import db
from portal.errors import StaleStateError
from portal.privacy import breaches_service, queries
from portal.privacy.breaches_forms import BreachForm
from portal.privacy.owner_views import to
from portal.web import page

bp = Blueprint("privacy_breaches", __name__, url_prefix="/administrar/datos/brechas")
BREACH = "/<int(max=2147483647):breach_id>"


@bp.get("")
@owner_required
def register() -> Response:
    """Every breach, newest first."""
    return page(
        "privacy/breaches.html",
        person=person(),
        breaches=queries.list_breaches(db.session()),
    )


@bp.get("/nueva")
@owner_required
def new() -> Response:
    """An empty entry."""
    return _form(BreachForm(formdata=None))


@bp.post("/nueva")
@owner_required
def enter() -> Response:
    """Write a breach down."""
    return _save(None)


@bp.get(BREACH)
@owner_required
def edit(breach_id: int) -> Response:
    """One entry, to be completed."""
    return _form(_stored(breach_id), breach_id)


@bp.post(BREACH)
@owner_required
def complete(breach_id: int) -> Response:
    """Write what is known by now."""
    queries.get_breach(db.session(), breach_id)
    return _save(breach_id)


def _stored(breach_id: int) -> BreachForm:
    row = queries.get_breach(db.session(), breach_id)
    return BreachForm(formdata=None, data=BreachForm.stored(row))


def _save(breach_id: int | None) -> Response:
    form, now = BreachForm(), clock.utcnow()
    if not form.is_good_on(clock.local(now).date()):
        return _form(form, breach_id, 422)
    try:
        breaches_service.save(
            breach_id,
            form.draft(),
            seen=form.version_seen(),
            by=person(),
            now=now,
        )
    except StaleStateError:
        theirs = _stored(breach_id or 0)
        form.seen.data = theirs.seen.data
        return _form(form, breach_id, 409, theirs)
    return to("/brechas", "Anotada en el registro.")


def _form(
    form: BreachForm,
    breach_id: int | None = None,
    code: int = 200,
    theirs: BreachForm | None = None,
) -> Response:
    return page(
        "privacy/breach.html",
        code,
        person=person(),
        form=form,
        theirs=theirs,
        action=f"/administrar/datos/brechas/{breach_id or 'nueva'}",
        title="Completar una brecha" if breach_id else "Anotar una brecha",
    )
