"""`/salud`: whether the portal is well, for a monitor."""

import logging

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from portal import clock
from portal.db import db
from portal.web import settings
from portal.worker import queries

bp = Blueprint("worker", __name__)

_log = logging.getLogger(__name__)


@bp.get("/salud")
def health() -> tuple[Response, int]:
    """200 when the database answers and the migrations are in place, else 503."""
    now = clock.utcnow()
    try:
        session = db.session()
        if not queries.migrations_in_place(session):
            return _answer(503, "degraded", database="ok", migrations="missing")
        pulse = queries.take_pulse(session, settings(), now)
    except SQLAlchemyError as error:
        _log.error("health: the database does not answer: %s", type(error).__name__)
        return _answer(503, "degraded", database="down")
    return _answer(
        200,
        pulse.status,
        database="ok",
        migrations="ok",
        worker_age_seconds=pulse.worker_age,
        outbox_oldest_seconds=pulse.outbox_age,
        backup_age_seconds=pulse.backup_age,
    )


def _answer(
    code: int,
    status: str,
    *,
    database: str,
    migrations: str | None = None,
    worker_age_seconds: int | None = None,
    outbox_oldest_seconds: int | None = None,
    backup_age_seconds: int | None = None,
) -> tuple[Response, int]:
    body = {
        "status": status,
        "database": database,
        "migrations": migrations,
        "worker_age_seconds": worker_age_seconds,
        "outbox_oldest_seconds": outbox_oldest_seconds,
        "backup_age_seconds": backup_age_seconds,
    }
    return jsonify(body), code
