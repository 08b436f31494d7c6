"""The public pages of the terms: the text in force and every older one."""

from flask import Blueprint, Response, make_response, request

from portal.db import db
from portal.errors import NotFoundError
from portal.terms import queries
from portal.terms.models import TermsVersion
from portal.terms.rules import to_blocks
from portal.web import page

bp = Blueprint("terms", __name__)


@bp.get("/terminos")
def terms() -> Response:
    """The text in force."""
    version = queries.current(db.session())
    if version is None:
        raise NotFoundError("Todavía no hay términos publicados.")
    return _answer(version)


@bp.get("/terminos/<int(min=1, max=999999):version>")
def terms_version(version: int) -> Response:
    """One published text, old or new, at an address that never changes."""
    found = queries.find_version(db.session(), version)
    if found is None:
        raise NotFoundError("Esa versión de los términos no existe.")
    return _answer(found)


def _answer(version: TermsVersion) -> Response:
    if request.args.get("formato") == "texto":
        return _plain(version)
    versions = queries.list_versions(db.session())
    return page(
        "terms/terms.html",
        version=version,
        blocks=to_blocks(version.body),
        in_force=version.number == versions[0].number,
        others=[other for other in versions if other.number != version.number],
    )


def _plain(version: TermsVersion) -> Response:
    """The exact characters whose SHA-256 is kept, to store or to print."""
    response = make_response(version.body)
    response.content_type = "text/plain; charset=utf-8"
    name = f"terminos-v{version.number}.txt"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
