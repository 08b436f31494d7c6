"""`/administrar/datos`: what people ask about their data, and the owner's answers."""

from collections.abc import Callable
from datetime import date
from typing import cast

from flask import Blueprint, Response, flash, redirect

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.db import db
from portal.errors import ConflictError, RefusedError
from portal.privacy import queries, requests_service, rules
from portal.privacy.forms import AnswerForm, ExtendForm, HandForm
from portal.privacy.models import PrivacyRequest
from portal.privacy.states import OPEN, STATE_WORDS
from portal.web import page, settings

bp = Blueprint("privacy_owner", __name__, url_prefix="/administrar/datos")
REQUEST = "/solicitudes/<int(max=2147483647):request_id>"


def today() -> date:
    """Santiago's day."""
    return clock.local(clock.utcnow()).date()


def to(path: str, message: str) -> Response:
    """On to a page of this part, with what was done."""
    flash(message)
    return cast(Response, redirect(f"/administrar/datos{path}", 303))


@bp.get("")
@owner_required
def first_page() -> Response:
    """Requests by their last day, and the ways to the other papers."""
    session = db.session()
    return page(
        "privacy/owner.html",
        person=person(),
        waiting=queries.open_requests(session),
        answered=queries.answered_requests(session),
        rights=rules.RIGHTS,
        words=STATE_WORDS,
        today=today(),
        left_words=rules.left_words,
    )


@bp.get("/solicitudes/nueva")
@owner_required
def new() -> Response:
    """The form of a request that came by letter, phone or mail."""
    values = {"received": today().isoformat()}
    return _hand(HandForm(formdata=None, data=values))


def _hand(form: HandForm, code: int = 200) -> Response:
    return page(
        "privacy/owner_hand.html",
        code,
        person=person(),
        form=form,
        rights=rules.RIGHTS,
    )


@bp.post("/solicitudes/nueva")
@owner_required
def note_by_hand() -> Response:
    """Enter it: its clock has run since the day on which it came."""
    form = HandForm()
    if not form.validate():
        return _hand(form, 422)
    try:
        request_id = requests_service.note_by_hand(
            form.asked(),
            date.fromisoformat(form.received.data),
            by=person(),
            keys=settings().secret_keys,
            now=clock.utcnow(),
        )
    except RefusedError as error:
        form.received.errors = [str(error)]
        return _hand(form, 422)
    return to(f"/solicitudes/{request_id}", "Anotada. La persona recibe su número.")


@bp.get(REQUEST)
@owner_required
def request_page(request_id: int) -> Response:
    """One request, with what may be done."""
    asked = queries.get(db.session(), request_id)
    return _request(asked)


def _request(
    asked: PrivacyRequest,
    code: int = 200,
    *,
    answer: AnswerForm | None = None,
    extension: ExtendForm | None = None,
    error: str = "",
) -> Response:
    suggested = {"text": rules.RIGHTS[asked.kind].suggested}
    found = queries.orders_of(db.session(), asked.email)
    return page(
        "privacy/owner_request.html",
        code,
        person=person(),
        asked=asked,
        right=rules.RIGHTS[asked.kind],
        orders=[order for order, _contact in found],
        is_open=asked.state == OPEN,
        may_extend=rules.may_extend(asked.kind, asked.extended_at is not None)
        and today() <= asked.due_on,
        blocks=asked.kind == rules.BLOCK,
        erases=asked.kind == rules.DELETION,
        answer=answer or AnswerForm(formdata=None, data=suggested),
        extension=extension or ExtendForm(formdata=None),
        error=error,
        words=STATE_WORDS,
        today=today(),
        left_words=rules.left_words,
    )


def _act(request_id: int, act: Callable[[], None], message: str) -> Response:
    try:
        act()
    except ConflictError:
        again = queries.get(db.session(), request_id)
        return _request(again, 409, error="Esta solicitud ya se contestó.")
    except RefusedError as error:
        again = queries.get(db.session(), request_id)
        return _request(again, 422, error=str(error))
    return to(f"/solicitudes/{request_id}", message)


@bp.post(f"{REQUEST}/responder")
@owner_required
def answer(request_id: int) -> Response:
    """Answer, or refuse with the reason: kept, and mailed."""
    asked, form = queries.get(db.session(), request_id), AnswerForm()
    if not form.validate():
        return _request(asked, 422, answer=form)

    def act() -> None:
        requests_service.answer(
            request_id,
            form.text.data,
            refuses=form.decision.data == "no",
            by=person(),
            now=clock.utcnow(),
        )

    return _act(request_id, act, "Contestada: la respuesta sale por correo.")


@bp.post(f"{REQUEST}/extender")
@owner_required
def extend(request_id: int) -> Response:
    """Take the second term, once, with a reason."""
    asked, form = queries.get(db.session(), request_id), ExtendForm()
    if not form.validate():
        return _request(asked, 422, extension=form)

    def act() -> None:
        requests_service.extend(
            request_id, form.reason.data, by=person(), now=clock.utcnow()
        )

    return _act(request_id, act, "Plazo extendido: la persona recibe el motivo.")
