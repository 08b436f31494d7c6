"""`/remoto`: a short address to type on the till's computer, where the tool runs."""

import io

from flask import Blueprint, Response, make_response, redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from portal.errors import NotFoundError
from portal.web import business, settings

bp = Blueprint("remote", __name__)

_DAY = "public, max-age=86400"


@bp.get("/remoto")
def remote_tool() -> WerkzeugResponse:
    """On to the official download, which the owner sets."""
    url = business().remote_tool_url
    if not url.startswith("https://"):
        raise NotFoundError("Todavía no hay un programa de ayuda a distancia.")
    return redirect(url, 302)


@bp.get("/remoto.svg")
def remote_code_image() -> Response:
    """The short address as a QR code."""
    import segno  # here: a start does without it

    drawn = io.BytesIO()
    code = segno.make(f"{settings().public_url}/remoto", error="m")
    code.save(drawn, kind="svg", xmldecl=False, border=4, light="#fff", omitsize=True)
    response = make_response(drawn.getvalue())
    response.mimetype = "image/svg+xml"
    response.headers["Cache-Control"] = _DAY
    return response
