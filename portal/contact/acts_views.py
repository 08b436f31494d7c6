"""What a customer does on the page of a paid order: forms that need no script."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from portal import clock
from portal.contact.views import find_order, refuse
from portal.db import db
from portal.errors import ConflictError, RefusedError
from portal.orders import rules as order_rules
from portal.support import customer_queries, customer_service, remote_service, rules
from portal.support import queries as support_queries
from portal.support.customer_queries import Turn
from portal.support.customer_rules import REPEATED_FROM, clean_message
from portal.support.rating_rules import clean_comment, parse_stars
from portal.support.remote_rules import clean_code
from portal.support.turn_queries import IN_QUEUE, LastQueue
from portal.support.version_queries import day_end
from portal.web import fragment, nothing_changed, rows_stamp, settings

bp = Blueprint("customer_acts", __name__, url_prefix="/atencion/<token>")


def _do(
    token: str, name: str, act: Callable[[int, datetime], None]
) -> WerkzeugResponse:
    """One act, and the page again: as it now is, or with what stands in the way."""
    try:
        act(find_order(token).id, clock.utcnow())
    except ConflictError as problem:
        return refuse(token, 409, str(problem), name)
    except (RefusedError, ValueError) as problem:
        return refuse(token, 422, str(problem), name)
    return redirect(f"/atencion/{token}#{name}", 303)


def _find_turn(token: str, now: datetime) -> Turn | None:
    """The turn of this link; where commits can be told, from a queue read for all."""
    session, stamp = db.session(), rows_stamp()
    if stamp is not None and order_rules.is_token(token):
        last: LastQueue = current_app.extensions.setdefault("portal_queue", LastQueue())
        turn = last.read(session, now, stamp).find(order_rules.fingerprint(token))
        if turn is not None:
            return turn
    attention = support_queries.find_for_order(session, find_order(token).id)
    return customer_queries.find_turn(session, attention, now) if attention else None


@bp.get("/lugar")
def place(token: str) -> Response:
    """The place in the queue, when it differs from the version that the page has."""
    now = clock.utcnow()
    turn = _find_turn(token, now)
    if turn is not None and request.args.get("v") == turn.version:
        name = IN_QUEUE + order_rules.fingerprint(token)
        # What the desk takes for each is told by this day's attentions.
        return nothing_changed(day_end(now), (name, turn.version))
    return fragment("contact/_place.html", token=token, turn=turn)


@bp.post("/no-contestan")
def no_answer(token: str) -> WerkzeugResponse:
    """R6: in special hours nobody answers the customer's call."""

    def act(order_id: int, now: datetime) -> None:
        customer_service.say_no_answer(order_id, now=now)

    return _do(token, "no-contestan", act)


@bp.post("/disponible")
def available(token: str) -> WerkzeugResponse:
    """R10: back to the queue after a no-show."""

    def act(order_id: int, now: datetime) -> None:
        customer_service.come_back(order_id, now=now)

    return _do(token, "disponible", act)


@bp.post("/mensaje")
def message(token: str) -> WerkzeugResponse:
    """A message to the technician."""

    def act(order_id: int, now: datetime) -> None:
        text = clean_message(request.form.get("message"))
        customer_service.send_message(order_id, text, now=now)

    return _do(token, "mensaje", act)


@bp.post("/acceso")
def remote_code(token: str) -> WerkzeugResponse:
    """The code of the remote tool, given or taken back."""

    def act(order_id: int, now: datetime) -> None:
        if request.form.get("action") == "borrar":
            remote_service.take_back_code(order_id, now=now)
            return
        remote_service.give_code(
            order_id,
            clean_code(request.form.get("code")),
            consents=request.form.get("consent") == "1",
            keys=settings().secret_keys,
            now=now,
        )

    return _do(token, "acceso", act)


@bp.post("/calificar")
def rate(token: str) -> WerkzeugResponse:
    """What the customer thought, once."""

    def act(order_id: int, now: datetime) -> None:
        stars = parse_stars(request.form.get("stars"))
        comment = clean_comment(request.form.get("comment", ""))
        customer_service.rate(order_id, stars, comment, now=now)

    return _do(token, "calificar", act)


@bp.post("/otra")
def another(token: str) -> WerkzeugResponse:
    """R8: another attention for this case, bought like any other."""
    order = find_order(token)
    attention = support_queries.find_for_order(db.session(), order.id)
    state = rules.effective_state(attention, clock.utcnow()) if attention else ""
    if state not in REPEATED_FROM:
        return refuse(token, 409, "Podrá pedirla cuando esta atención termine.", "otra")
    return redirect(f"/servicios/{order.service_slug}?caso={token}", 303)
