"""The mails that a demo without SMTP would have sent (never in production)."""

from flask import Blueprint, Response, abort

from portal.mail import queries
from portal.web import page, settings

bp = Blueprint("mail", __name__)


def _require_demo() -> None:
    if not settings().is_demo:
        abort(404)


@bp.get("/demo/correos")
def mails() -> Response:
    """Every mail of the folder, newest first."""
    _require_demo()
    return page("mail/files.html", files=queries.list_files(settings().mail_dir))


@bp.get("/demo/correos/<name>")
def mail(name: str) -> Response:
    """One mail: its headers and its text."""
    _require_demo()
    return page(
        "mail/file.html", file=queries.read_mail_file(settings().mail_dir, name)
    )
