"""`/metricas`: figures for Prometheus, for who brings METRICS_TOKEN."""

import hmac
import os

from flask import Blueprint, Response, abort, request

from portal import clock
from portal.db import db
from portal.web import answered_requests, settings
from portal.worker.metrics_queries import gather
from portal.worker.metrics_rules import Metric, exposition

bp = Blueprint("metrics", __name__)


@bp.get("/metricas")
def metrics() -> Response:
    """404 without the token, as if there were nothing; also when none is set."""
    wanted = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
        abort(404)
    found = gather(db.session(), settings(), clock.utcnow())
    process = ("process", str(os.getpid()))
    requests = Metric(
        "requests_total",
        "Requests that this process answered, by class of status.",
        "counter",
        {
            (process, ("status", status)): float(count)
            for status, count in answered_requests().items()
        },
    )
    return Response(
        exposition([*found, requests]), content_type="text/plain; version=0.0.4"
    )
