"""Logging in and out, and one's own password."""

from typing import cast

from flask import Blueprint, Response, current_app, flash, g, redirect, request

from portal import clock
from portal.accounts import queries, service, team_queries
from portal.accounts.access_views import (
    LOGIN_PATH,
    begin_session,
    end_session,
    find_person,
    known_device,
    login_required,
    person,
    remember_device,
    session_key,
)
from portal.accounts.forms import LoginForm, PasswordForm
from portal.accounts.rules import normal_email, own_path
from portal.db import db
from portal.errors import RefusedError
from portal.web import client_address, limiter, page

bp = Blueprint("accounts", __name__)

WRONG = "El correo o la contraseña no coinciden."
# Failures only. All strangers together have 20 tries an hour at an account, from
# however many addresses. Who was in it before on this device has tries of their own,
# so that strangers lock nobody out.
_PER_ADDRESS = "60 per 5 minutes"
_PER_ACCOUNT = "20 per hour"
_PER_BOTH = "8 per 5 minutes"


def _account() -> str:
    return normal_email(request.form.get("email", ""))


def _account_and_device() -> str:
    return f"{_account()} {known_device(_account())}"


def _both() -> str:
    return f"{_account()} {client_address()}"


def _failed(response: Response) -> bool:
    return response.status_code == 422


@bp.get("/ingresar")
def show_login() -> Response:
    """The log-in form; whoever is in already goes on."""
    target = own_path(request.args.get("next"))
    found = find_person()
    if found is not None:
        return cast(Response, redirect(target or found.home, 303))
    form = LoginForm(formdata=None, data={"next": target or ""})
    return page("accounts/login.html", form=form)


@bp.post("/ingresar")
@limiter.limit(_PER_ADDRESS, methods=["POST"], deduct_when=_failed)
@limiter.limit(_PER_ACCOUNT, key_func=_account_and_device, deduct_when=_failed)
@limiter.limit(_PER_BOTH, key_func=_both, deduct_when=_failed)
def log_in() -> Response:
    """Open a session, or say the same for every reason not to."""
    form = LoginForm()
    if not form.validate():
        return page("accounts/login.html", 422, form=form)
    key = service.log_in(form.email.data, form.password.data, now=clock.utcnow())
    if key is None:
        current_app.logger.warning("log-in refused")
        form.password.errors = [WRONG]
        return page("accounts/login.html", 422, form=form)
    begin_session(key)
    target = own_path(form.next.data) or person().home
    answer = cast(Response, redirect(target, 303))
    return remember_device(answer, normal_email(form.email.data))


@bp.post("/salir")
def log_out() -> Response:
    """End the session on the server too."""
    key = session_key()
    if key is not None:
        service.log_out(key, now=clock.utcnow())
    end_session()
    return cast(Response, redirect(LOGIN_PATH, 303))


OWN = "/mi-cuenta"


def _who() -> str:
    return f"own password {person().id}"


def _guessed(_response: Response) -> bool:
    return bool(g.get("guessed"))


def _own(code: int = 200, form: PasswordForm | None = None) -> Response:
    session, who = db.session(), person()
    return page(
        "accounts/own.html",
        code,
        person=who,
        email=queries.get(session, who.id).email,
        devices=team_queries.logged_in(session, clock.utcnow()).get(who.id, 1),
        form=form or PasswordForm(formdata=None),
    )


@bp.get(OWN)
@login_required
def own() -> Response:
    """One's own account: the form for another password."""
    return _own()


@bp.post(OWN)
@login_required
@limiter.limit(_PER_ACCOUNT, key_func=_who, deduct_when=_guessed)
def change_password() -> Response:
    """Change one's own password; a wrong present one counts as a guess."""
    form = PasswordForm()
    if not form.validate():
        return _own(422, form)
    try:
        key = service.change_own_password(
            person().id, form.present.data, form.fresh.data, now=clock.utcnow()
        )
    except service.WrongPasswordError as error:
        g.guessed = True
        current_app.logger.warning("password change refused")
        form.present.errors = [str(error)]
        return _own(422, form)
    except RefusedError as error:
        form.fresh.errors = [str(error)]
        return _own(422, form)
    begin_session(key)
    flash("Su contraseña cambió. Los demás dispositivos quedaron fuera.")
    return cast(Response, redirect(OWN, 303))
