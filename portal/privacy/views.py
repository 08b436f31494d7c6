"""`/privacidad`: the notice that the data law asks for, always on the web."""

from flask import Blueprint, Response

from portal.privacy import rules
from portal.web import page

bp = Blueprint("privacy", __name__)


@bp.get("/privacidad")
def notice() -> Response:
    """The notice in force, with its version and date."""
    return page(
        "privacy/notice.html",
        version=rules.NOTICE_VERSION,
        since=rules.NOTICE_DATE,
        keep_years=rules.KEEP_YEARS,
        answer_days=rules.ANSWER_DAYS,
        block_answer_days=rules.BLOCK_ANSWER_DAYS,
        complaint_days=rules.COMPLAINT_DAYS,
    )
