"""The staff: who may log in, and their passwords."""

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, flash, redirect

from portal import clock
from portal.accounts import team_queries, team_service
from portal.accounts.access_views import owner_required, person
from portal.accounts.queries import get
from portal.admin.staff_forms import ROLE_WORDS, MemberForm, RenameForm
from portal.db import db
from portal.errors import RefusedError
from portal.journal.service import Actor
from portal.web import page

bp = Blueprint("admin_staff", __name__, url_prefix="/administrar/equipo")
MEMBER = "/<int(max=2147483647):staff_id>"


def _actor() -> Actor:
    return Actor("staff", person().id)


@bp.get("")
@owner_required
def team() -> Response:
    """Everybody who has an account."""
    return _team()


def _team(
    code: int = 200,
    form: MemberForm | None = None,
    renamed: tuple[int, RenameForm] | None = None,
    password: tuple[str, str] | None = None,
    error: str = "",
) -> Response:
    """`password` is a name and its new password: shown in this answer, once."""
    session, now = db.session(), clock.utcnow()
    return page(
        "admin/staff.html",
        code,
        person=person(),
        members=team_queries.everybody(session),
        devices=team_queries.logged_in(session, now),
        role_words=ROLE_WORDS,
        form=form or MemberForm(formdata=None),
        renamed=dict([renamed] if renamed else []),
        empty=RenameForm(formdata=None),
        password=password,
        error=error,
    )


@bp.post("")
@owner_required
def add() -> Response:
    """Open an account and show its password, once."""
    form = MemberForm()
    if not form.validate():
        return _team(422, form)
    name, email, role = form.name.value, form.email.value, form.role.data
    try:
        password = team_service.add(
            email, name, role, actor=_actor(), now=clock.utcnow()
        )
    except RefusedError as error:
        form.email.errors = [str(error)]
        return _team(422, form)
    return _team(password=(name, password))


@bp.post(f"{MEMBER}/clave")
@owner_required
def reset(staff_id: int) -> Response:
    """Make a new password, end the account's sessions, show it once."""
    password = team_service.reset(staff_id, actor=_actor(), now=clock.utcnow())
    return _team(password=(get(db.session(), staff_id).name, password))


@bp.post(f"{MEMBER}/nombre")
@owner_required
def rename(staff_id: int) -> Response:
    """Give an account another name."""
    form, name = RenameForm(), get(db.session(), staff_id).name
    if not form.validate():
        return _team(422, renamed=(staff_id, form))
    new = form.new_name.value
    return _do(
        lambda: team_service.rename(staff_id, new, actor=_actor(), now=clock.utcnow()),
        f"{name} ahora se llama {new}.",
    )


@bp.post(f"{MEMBER}/desactivar")
@owner_required
def disable(staff_id: int) -> Response:
    """Close an account: whoever uses it is out at the next request."""
    name = get(db.session(), staff_id).name
    return _do(
        lambda: team_service.disable(staff_id, actor=_actor(), now=clock.utcnow()),
        f"La cuenta de {name} está desactivada y sus sesiones, cerradas.",
    )


@bp.post(f"{MEMBER}/activar")
@owner_required
def enable(staff_id: int) -> Response:
    """Open a closed account again."""
    name = get(db.session(), staff_id).name
    return _do(
        lambda: team_service.enable(staff_id, actor=_actor(), now=clock.utcnow()),
        f"La cuenta de {name} está activa, con la clave que tenía.",
    )


def _do(act: Callable[[], None], message: str) -> Response:
    try:
        act()
    except RefusedError as error:
        return _team(422, error=str(error))
    flash(message)
    return cast(Response, redirect("/administrar/equipo", 303))
