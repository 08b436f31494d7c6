"""Who is logged in, and the two doors: for the staff, and for the owner alone."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast
from urllib.parse import quote

from flask import Flask, Response, abort, make_response, redirect, request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from portal import clock
from portal.accounts import queries
from portal.accounts.rules import Person, key_hash
from portal.db import db
from portal.web import is_htmx

P = ParamSpec("P")
View = Callable[P, Response]

LOGIN_PATH = "/ingresar"
_manager = LoginManager()
# Sessions die on the server; the address of a phone changes by the minute.
_manager.session_protection = None


class _LoggedIn:
    """What Flask-Login asks of a user, around the plain values."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, person: Person, key: str) -> None:
        self.person = person
        self.key = key

    def get_id(self) -> str:
        return self.key


@_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> _LoggedIn | None:
    found = queries.find_logged_in(db.session(), key_hash(key), clock.utcnow())
    return _LoggedIn(found, key) if found else None


def init_app(app: Flask) -> None:
    """Hang the log-in on the application; pages of the shop never load a user."""
    _manager.init_app(app, add_context_processor=False)
    # Nobody is remembered, and the writer of that cookie would read the session, and so
    # send `Vary: Cookie`, with every answer, static files too.
    app.after_request_funcs[None].remove(_manager._update_remember_cookie)


def find_person() -> Person | None:
    """Who is logged in, if anybody."""
    user = current_user._get_current_object()
    return user.person if isinstance(user, _LoggedIn) else None


def person() -> Person:
    """Who is logged in, behind one of the doors."""
    found = find_person()
    if found is None:
        abort(401)
    return found


def session_key() -> str | None:
    """The key of this log-in, to end it by."""
    user = current_user._get_current_object()
    return user.key if isinstance(user, _LoggedIn) else None


def begin_session(key: str) -> None:
    """Forget the browser's old session and begin that of `key`."""
    user = _load(key)
    session.clear()
    session.permanent = True
    login_user(user)


def end_session() -> None:
    """Forget the browser's session."""
    logout_user()
    session.clear()


def _to_login() -> Response:
    """The way to the log-in form, and back to the page that was asked for."""
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = LOGIN_PATH
        return answer
    target = LOGIN_PATH
    if request.method == "GET":
        target += f"?next={quote(request.full_path.rstrip('?'))}"
    return cast(Response, redirect(target, 303))


def staff_required(view: View[P]) -> View[P]:
    """Let in technicians and the owner; the others go to the log-in form."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        return _to_login() if find_person() is None else view(*args, **kwargs)

    return guarded


def owner_required(view: View[P]) -> View[P]:
    """Let in the owner alone; a technician is told that it is not theirs (403)."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        found = find_person()
        if found is None:
            return _to_login()
        if not found.is_owner:
            abort(403)
        return view(*args, **kwargs)

    return guarded
