"""Who acts, and the doors: for the staff, for a shared screen, for the owner alone.

Who acts is who is logged in on this device, else whose turn it is on this screen.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast
from urllib.parse import quote

from flask import (
    Flask,
    Response,
    abort,
    g,
    make_response,
    redirect,
    request,
    session,
)
from flask_login import LoginManager, current_user, login_user, logout_user
from itsdangerous import BadSignature, URLSafeSerializer

from portal import clock
from portal.accounts import queries, screen_queries, screens_service
from portal.accounts.rules import BOARD, Person, key_hash, new_session_key
from portal.accounts.screen_rules import DEVICE_DAYS, ScreenView
from portal.db import db
from portal.web import is_htmx, settings

P = ParamSpec("P")
View = Callable[P, Response]

LOGIN_PATH = "/ingresar"
LOGGED_IN, SCREEN = "cuenta", "pantalla"
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
    """Who acts, if anybody: logged in here, or by a turn on this screen."""
    user = current_user._get_current_object()
    if isinstance(user, _LoggedIn):
        return user.person
    screen = find_screen()
    return screen.turn if screen else None


def _device_cookie(name: str) -> tuple[str, bool]:
    """The name of a device's cookie, and whether https alone carries it."""
    secure = settings().public_url.startswith("https://")
    return (f"__Host-{name}" if secure else name), secure


def _screen_cookie() -> tuple[str, bool]:
    return _device_cookie("pantalla")


def _set_device_cookie(response: Response, name: str, value: str) -> Response:
    cookie, secure = _device_cookie(name)
    response.set_cookie(
        cookie,
        value,
        max_age=DEVICE_DAYS * 24 * 60 * 60,
        path="/",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _device_signer() -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(settings().secret_keys)), "known-device")


def known_device(email: str) -> str:
    """The name of this device when the account was once logged in on it, else empty.

    It opens nothing: it only keeps strangers' wrong tries apart from one's own.
    """
    try:
        told = _device_signer().loads(
            request.cookies.get(_device_cookie("equipo")[0], "")
        )
    except BadSignature:
        return ""
    return str(told["device"]) if told["account"] == key_hash(email) else ""


def remember_device(response: Response, email: str) -> Response:
    """Let the device be told from a stranger's at this account's next log-in."""
    device = known_device(email) or new_session_key()
    told = {"device": device, "account": key_hash(email)}
    return _set_device_cookie(response, "equipo", str(_device_signer().dumps(told)))


def find_screen() -> ScreenView | None:
    """The paired screen that this device is, read once a request."""
    key = request.cookies.get(_screen_cookie()[0])
    if not key:
        return None
    if "screen" not in g:
        found = screen_queries.find_screen(db.session(), key_hash(key), clock.utcnow())
        g.screen = found
        # A board on a wall is never closed: its forms' token must not grow old.
        # Set once: a poll without news then leaves the cookie as it is.
        if found is not None and not session.permanent:
            session.permanent = True
    return cast(ScreenView | None, g.screen)


def device() -> tuple[str, str] | None:
    """The hash of the key that opens the board here: of a log-in, or of a screen.

    None where there are both, or none.
    """
    key, screen = session_key(), request.cookies.get(_screen_cookie()[0])
    if (key is None) == (screen is None):
        return None
    return (LOGGED_IN, key_hash(key)) if key else (SCREEN, key_hash(screen or ""))


def begin_screen(response: Response, key: str) -> Response:
    """Make this device the screen of `key`; a log-in that it had is over."""
    end_session()
    return _set_device_cookie(response, "pantalla", key)


def note_act() -> None:
    """An act was done here: a turn on a shared screen lasts from now on."""
    if not is_logged_in() and (screen := find_screen()) is not None:
        screens_service.keep_turn(screen.id, now=clock.utcnow())


def person() -> Person:
    """Who acts, behind one of the doors."""
    found = find_person()
    if found is None:
        abort(401)
    return found


def session_key() -> str | None:
    """The key of this log-in, to end it by."""
    user = current_user._get_current_object()
    return user.key if isinstance(user, _LoggedIn) else None


def is_logged_in() -> bool:
    """Whether somebody is logged in on this device, and not only on turn."""
    return session_key() is not None


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
    """The way to the log-in form, and back to the page that was asked for.

    A paired screen without a turn goes to its board, where the PINs are asked.
    """
    on_screen = find_screen() is not None
    target = BOARD if on_screen else LOGIN_PATH
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = target
        return answer
    if request.method == "GET" and not on_screen:
        target += f"?next={quote(request.full_path.rstrip('?'))}"
    return cast(Response, redirect(target, 303))


def staff_required(view: View[P]) -> View[P]:
    """Let in technicians and the owner; the others go to the log-in form."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        return _to_login() if find_person() is None else view(*args, **kwargs)

    return guarded


def login_required(view: View[P]) -> View[P]:
    """Let in who logged in on this device: a turn on a shared screen does not do."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        return view(*args, **kwargs) if is_logged_in() else _to_login()

    return guarded


def board_required(view: View[P]) -> View[P]:
    """Let in the staff and every paired screen, with a turn or without."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        inside = find_person() is not None or find_screen() is not None
        return view(*args, **kwargs) if inside else _to_login()

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
