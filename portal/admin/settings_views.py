"""The owner's settings, a page a group."""

from typing import cast

from flask import Blueprint, Response, flash, redirect

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin.settings_forms import GROUPS, SettingsForm
from portal.db import db
from portal.errors import NotFoundError, StaleStateError
from portal.journal.service import Actor
from portal.settings import queries as settings_queries
from portal.settings import service as settings_service
from portal.settings.rules import BusinessSettings
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.web import page

bp = Blueprint("admin_settings", __name__, url_prefix="/administrar/ajustes")


@bp.get("")
@owner_required
def index() -> Response:
    """The groups, each with a link."""
    return page("admin/settings_index.html", person=person(), groups=GROUPS)


@bp.get("/<group>")
@owner_required
def show(group: str) -> Response:
    """One group as it stands."""
    kind, business = _kind(group), _business()
    form = kind(formdata=None, data=kind.stored(business))
    return _answer(form, group)


@bp.post("/<group>")
@owner_required
def save(group: str) -> Response:
    """Write what was changed; 409 with both values when another was faster."""
    form = _kind(group)()
    if not form.validate():
        return _answer(form, group, 422, form.seen_version)
    try:
        message = _save(form)
    except StaleStateError:
        theirs = _theirs(form)
        if theirs:
            return _answer(form, group, 409, conflicts=theirs)
        message = "Otra persona ya lo había dejado así."
    flash(message)
    return cast(Response, redirect(f"/administrar/ajustes/{group}", 303))


def _kind(group: str) -> type[SettingsForm]:
    if group not in GROUPS:
        raise NotFoundError("Esos ajustes no existen.")
    return GROUPS[group]


def _business() -> BusinessSettings:
    return settings_queries.load(db.session())


def _save(form: SettingsForm) -> str:
    """Write the valid form; what to say of it."""
    now, actor = clock.utcnow(), Actor("staff", person().id)
    values, version = form.values(), form.seen_version
    if not form.is_quoted:
        changed = settings_service.change(values, actor=actor, now=now, version=version)
        return (
            "Guardado: vale desde ahora." if changed else "No había nada que cambiar."
        )
    before = terms_queries.current_number(db.session())
    number = terms_service.change_settings(
        values, actor=actor, now=now, version=version
    )
    if number == before:
        return "Guardado. Los términos no cambiaron."
    return f"Guardado, y publicada la versión {number} de los términos."


def _theirs(form: SettingsForm) -> dict[str, str]:
    """What is stored now, field by field, where it is not what was typed."""
    fresh = type(form)(formdata=None, data=form.stored(_business()))
    return {
        field.short_name: field.data
        for field in fresh.fields()
        if field.value != form[field.short_name].value
    }


def _answer(
    form: SettingsForm,
    group: str,
    code: int = 200,
    version: int | None = None,
    conflicts: dict[str, str] | None = None,
) -> Response:
    """The form. `version` keeps the one that the page showed before an error."""
    session = db.session()
    if version is None:
        version = settings_queries.version_of(session, form.values())
    form.version.data = str(version)
    return page(
        "admin/settings.html",
        code,
        person=person(),
        form=form,
        group=group,
        groups=GROUPS,
        conflicts=conflicts or {},
        next_terms=terms_queries.current_number(session) + 1,
    )
