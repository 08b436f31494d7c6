"""Rendering, htmx, security headers, error pages, template filters, CSRF."""

from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    render_template,
    request,
)
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from htmx_flask import Htmx
from htmx_flask import request as htmx_request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import chile, clock, inputs, logs, money, quiet
from portal.assets import StaticFiles
from portal.config import Settings
from portal.db import db, is_busy
from portal.errors import BusyError, ConflictError, NotFoundError, RefusedError
from portal.limits import DatabaseStorage  # noqa: F401 (gives `database://` its meaning)
from portal.routes import Route
from portal.settings import queries as settings_queries
from portal.settings.rules import BusinessSettings

csrf = CSRFProtect()
htmx = Htmx()


def client_address() -> str:
    """Whom a limit counts: an IPv4 address, or the /64 that IPv6 gives a household."""
    try:
        found = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


limiter = Limiter(client_address, storage_uri="database://")

RETRY_AFTER_SECONDS = {429: 60, 503: 5}
View = TypeVar("View", bound=Callable[..., Any])
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action {form_action}"
)


def csrf_exempt(view: View) -> View:
    """A view that strangers may post to: a gateway's return or notification."""
    return cast(View, csrf.exempt(view))


def answered_requests() -> dict[str, int]:
    """How many requests this process has answered, by class of status."""
    return dict(logs.answered)


def settings() -> Settings:
    """The configuration of the running application."""
    return cast(Settings, current_app.extensions["portal_settings"])


def static_url(name: str) -> str:
    """The hashed address of a static file."""
    return cast(StaticFiles, current_app.extensions["portal_static_files"]).url(name)


def is_htmx() -> bool:
    """Whether htmx asked for a fragment (and not for a whole page)."""
    return bool(htmx_request.htmx)


def page(template: str, code: int = 200, /, **context: Any) -> Response:
    """A whole page, never cached unless the view says otherwise."""
    return make_response(render_template(template, **context), code)


def fragment(template: str, code: int = 200, /, **context: Any) -> Response:
    """A fragment for htmx; its URL may have two bodies, so caches must tell."""
    return as_fragment(render_template(template, **context), code)


def as_fragment(html: str, code: int = 200) -> Response:
    """The same of HTML that was drawn already."""
    response = make_response(html, code)
    response.vary.add("HX-Request")
    return response


def nothing_changed(
    until: datetime | None = None, rests_on: quiet.Rests | None = None
) -> Response:
    """The answer to a poll that already has the newest version.

    It leaves the session's cookie as it is: the next answer with news renews it.
    `until` is the instant before which only a written row can bring news; `rests_on`
    says which rows these are, when that can be told for many screens at once.
    """
    g.no_news = True
    request.environ[quiet.HOLDS_UNTIL] = until
    request.environ[quiet.RESTS_ON] = rests_on
    return make_response("", 204)


def rows_stamp() -> int | None:
    """As of which commit this request reads at least, when that can be told."""
    return cast(int | None, request.environ.get(quiet.STAMP))


def allow_payment_forms(response: Response) -> Response:
    """Let forms of this answer end at a gateway.

    Chromium checks every hop of the redirect after a post, and Mercado Pago's hosts are
    known only then, so this page, and only this, allows any https host.
    """
    allowed = ["'self'", "https:"]
    if settings().is_demo:
        for url in (settings().mercadopago_api_url, settings().webpay_api_url):
            parts = urlsplit(url)
            allowed.append(f"{parts.scheme}://{parts.netloc}")
    policy = _CSP.format(form_action=" ".join(dict.fromkeys(allowed)))
    response.headers["Content-Security-Policy"] = policy
    return response


def _tell_the_time(response: Response) -> None:
    """Give the page's countdowns the server's present instant, with every answer.

    A poll answered "nothing changed" has no body to carry it.
    """
    response.headers["X-Now"] = str(int(clock.utcnow().timestamp() * 1000))


def _secure(response: Response) -> Response:
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not settings().is_demo:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if request.endpoint == "static" and response.status_code < 400:
        return response
    _tell_the_time(response)
    headers.setdefault("Content-Security-Policy", _CSP.format(form_action="'self'"))
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault("Cache-Control", "no-store")
    return response


_STATUS_OF = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (RefusedError, 422),
    (BusyError, 503),
)


def _error_page(status: int, message: str = "") -> Response:
    """A page that helps: what happened, the next step, a phone."""
    db.session.rollback()
    response = page("errors/error.html", status, status=status, message=message)
    if status in RETRY_AFTER_SECONDS:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    return response


def _handle_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return cast(Response, error.get_response())
    response = _error_page(status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _handle_domain(error: Exception) -> Response:
    for kind, status in _STATUS_OF:
        if isinstance(error, kind):
            return _error_page(status, str(error))
    raise error


def _handle_database(error: DBAPIError) -> Response:
    if not is_busy(error):
        raise error
    current_app.logger.error("database busy: %s", type(error.orig).__name__)
    return _error_page(503)


def _handle_csrf(_error: CSRFError) -> Response:
    return _error_page(
        400, "Por seguridad, vuelva a abrir la página e intente otra vez."
    )


def _add_filters(app: Flask) -> None:
    filters = app.jinja_env.filters
    filters["pesos"] = money.format_pesos
    filters["hour"] = chile.format_hour
    filters["duration"] = chile.format_duration
    filters["of"] = chile.format_count
    filters["day"] = chile.format_day
    filters["date"] = chile.format_date
    filters["moment"] = chile.format_moment
    filters["phone"] = chile.format_phone
    filters["rut"] = chile.format_rut


def business() -> BusinessSettings:
    """What the owner edits, read once a request; defaults when nothing can be read."""
    if "business" not in g:
        try:
            g.business = settings_queries.load(db.session())
        except DBAPIError:
            g.business = BusinessSettings()
    return cast(BusinessSettings, g.business)


def use_business(read: BusinessSettings) -> None:
    """Take for this request what was read already, as of its own rows."""
    g.setdefault("business", read)


def _page_context() -> dict[str, Any]:
    """What every page may show: who we are, the mode, the present instant."""
    return {
        "business": business(),
        "demo": settings().is_demo,
        "now": clock.utcnow(),
    }


class Sessions(SecureCookieSessionInterface):
    """Cookies that are not signed and sent anew with each poll without news."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        if "no_news" in g and not session.modified:
            return False
        return super().should_set_cookie(app, session)


class Portal(Flask):
    """Flask, whose log names the view that failed and never the address asked for.

    The address of a customer's page is its secret link.
    """

    session_interface = Sessions()
    url_rule_class = Route

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error(
            "exception in %s [%s]", request.endpoint, request.method, exc_info=exc_info
        )


def _init_limiter(app: Flask) -> None:
    """Limits are decorators of their views and count by themselves.

    What the extension asks before every request is only for limits that all share:
    there are none, and polls would pay for it.
    """
    before = app.before_request_funcs[None]
    known = len(before)
    limiter.init_app(app)
    del before[known:]


def init_app(app: Flask) -> None:
    """Hang rendering, guards and error pages on the application."""
    from jinja2 import StrictUndefined

    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.wsgi_app = inputs.without_nul(app.wsgi_app)  # type: ignore[method-assign]
    proxies = settings_of(app).trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies
        )
    with app.app_context():
        commits, engine = quiet.Commits(db.engine), db.engine

    def read(names: Sequence[str]) -> dict[str, Any]:
        readers = app.extensions["portal_rests"]
        return {key: it for each in readers for key, it in each(engine, names).items()}

    rests = quiet.SharedRests(commits, read)
    app.extensions["portal_quiet"] = quiet.Quiet(app.wsgi_app, commits, rests)
    app.wsgi_app = app.extensions["portal_quiet"]  # type: ignore[method-assign]
    logs.init_app(app, trusts_proxies=proxies > 0)
    csrf.init_app(app)
    htmx.init_app(app)
    inputs.read_only_forms(app)
    _init_limiter(app)
    _add_filters(app)
    app.context_processor(_page_context)
    app.after_request(_secure)
    app.register_error_handler(CSRFError, _handle_csrf)
    app.register_error_handler(HTTPException, _handle_http)
    app.register_error_handler(DBAPIError, _handle_database)
    for kind, _status in _STATUS_OF:
        app.register_error_handler(kind, _handle_domain)


def settings_of(app: Flask) -> Settings:
    """The configuration of `app`, outside a request."""
    return cast(Settings, app.extensions["portal_settings"])


def quiet_of(app: Flask) -> quiet.Quiet:
    """What `app` remembers of its polls without news."""
    return cast(quiet.Quiet, app.extensions["portal_quiet"])
