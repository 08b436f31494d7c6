"""`/privacidad`: the notice with its history, and the form for the six rights."""

from typing import cast

from flask import Blueprint, Response, redirect

from portal import clock
from portal.db import db
from portal.errors import ConflictError
from portal.privacy import notice_service, queries, requests_service, rules
from portal.privacy.forms import AskForm
from portal.privacy.models import NoticeVersion
from portal.privacy.states import OVER, UNVERIFIED
from portal.terms.rules import to_blocks
from portal.web import business, limiter, page, settings

bp = Blueprint("privacy", __name__, url_prefix="/privacidad")

# A phone company puts many customers behind one address.
ASK_LIMIT = "30 per hour"


@bp.get("")
def notice() -> Response:
    """The notice in force, with its version and date."""
    found = queries.current_notice(db.session())
    if found is None:  # not published yet: the worker does it within a minute
        body = notice_service.notice_of(business())
        found = NoticeVersion(number=1, body=body, published_at=clock.utcnow())
    return _notice(found)


@bp.get("/<int(min=1, max=999999):version>")
def notice_version(version: int) -> Response:
    """One published notice, old or new, at an address that never changes."""
    return _notice(queries.find_notice(db.session(), version))


def _notice(found: NoticeVersion) -> Response:
    versions = queries.list_notices(db.session())
    return page(
        "privacy/notice.html",
        version=found,
        blocks=to_blocks(found.body),
        in_force=not versions or found.number == versions[0].number,
        others=[other for other in versions if other.number != found.number],
    )


@bp.get("/solicitud")
def ask() -> Response:
    """The form, for whoever bought and for whoever did not."""
    return _ask(AskForm(formdata=None))


def _ask(form: AskForm, code: int = 200) -> Response:
    return page("privacy/ask.html", code, form=form, rights=rules.RIGHTS)


@bp.post("/solicitud")
@limiter.limit(ASK_LIMIT)
def send() -> Response:
    """The same answer for every address, known or not."""
    form = AskForm()
    if not form.validate():
        return _ask(form, 422)
    keys = settings().secret_keys
    requests_service.submit(form.asked(), keys=keys, now=clock.utcnow())
    return page("privacy/asked.html", email=form.email.data, hours=rules.CONFIRM_HOURS)


@bp.get("/solicitud/<token>")
def request_page(token: str) -> Response:
    """Where a request stands; it is confirmed by the button, never by opening this."""
    return _request(token)


def _request(token: str, code: int = 200, error: str = "") -> Response:
    asked = queries.find_by_token(db.session(), token)
    now = clock.utcnow()
    stale = asked.state == UNVERIFIED and now >= asked.confirm_until
    return page(
        "privacy/request.html",
        code,
        token=token,
        asked=asked,
        right=rules.RIGHTS[asked.kind],
        blocks=asked.kind == rules.BLOCK,
        waits=asked.state == UNVERIFIED and not stale,
        stale=stale,
        over=asked.state in OVER,
        error=error,
    )


@bp.post("/solicitud/<token>")
def confirm(token: str) -> Response:
    """Confirm: the ticket is open from here on."""
    try:
        requests_service.confirm(token, now=clock.utcnow())
    except ConflictError as error:
        return _request(token, 409, str(error))
    return cast(Response, redirect(f"/privacidad/solicitud/{token}", 303))
