"""The owner's first page: money to decide about, the day, stopping the sales."""

from typing import cast

from flask import Blueprint, Response, current_app, flash, redirect

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin import (
    alerts_queries,
    order_queries,
    orders_queries,
    queries,
    rules,
    service,
)
from portal.admin.alerts_rules import requests_alert
from portal.admin.forms import StopForm
from portal.db import db
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import Actor
from portal.mail import failed_service
from portal.orders.sale_rules import DEFAULT_STOP_MESSAGE
from portal.payments.reconcile import ask_one
from portal.payments.views import gateways
from portal.settings import queries as settings_queries
from portal.web import business, page, settings

bp = Blueprint("admin", __name__, url_prefix="/administrar")


@bp.get("")
@owner_required
def first_page() -> Response:
    """What waits for the owner, and how the day goes."""
    return _page()


def _page(code: int = 200, form: StopForm | None = None, error: str = "") -> Response:
    now, session = clock.utcnow(), db.session()
    take_pulse = cast(queries.TakePulse, current_app.extensions["portal_pulse"])
    pulse = take_pulse(session, settings(), now)
    waiting = queries.money_waiting(session, now)
    refunds = order_queries.refunds_waiting(session, queries.SHOWN)
    mails = alerts_queries.failing_mails(session)
    count_requests = cast(
        queries.CountRequests, current_app.extensions["portal_requests"]
    )
    typed = {
        "message": business().sales_stopped_message,
        "version": _message_version(),
    }
    return page(
        "admin/first.html",
        code,
        person=person(),
        money=waiting[: queries.SHOWN],
        has_more=len(waiting) > queries.SHOWN,
        refunds=refunds,
        alerts=[
            *alerts_queries.current(
                session, settings(), pulse, waiting, refunds, mails, now
            ),
            *requests_alert(count_requests(session, now)),
        ],
        mails=mails,
        folios=orders_queries.folios_missing(session, now),
        today=queries.today(session, now),
        pulse=pulse,
        age_words=rules.age_words,
        form=form or StopForm(formdata=None, data=typed),
        usual_message=DEFAULT_STOP_MESSAGE,
        simulator_url=settings().simulator_url if settings().is_demo else "",
        error=error,
        now=now,
    )


def _message_version() -> str:
    return str(settings_queries.version_of(db.session(), service.MESSAGE))


def _done(message: str) -> Response:
    flash(message)
    return cast(Response, redirect("/administrar", 303))


@bp.post("/pagos/<int(max=2147483647):payment_id>/preguntar")
@owner_required
def ask_gateway(payment_id: int) -> Response:
    """Ask the gateway about one payment, now."""
    try:
        found = ask_one(payment_id, gateways(), clock.utcnow())
    except RefusedError as error:
        return _page(422, error=str(error))
    gateway, number = queries.title_of(db.session(), payment_id)
    told = [state for _, state in found.changed]
    return _done(rules.answer_words(gateway, number, found.unanswered, told))


@bp.post("/correos/<int(max=2147483647):row_id>/intentar")
@owner_required
def try_mail_now(row_id: int) -> Response:
    """Let the worker try a mail that failed, at once."""
    failed_service.try_now(row_id, now=clock.utcnow())
    return _done("El portal lo intenta otra vez ahora.")


@bp.post("/correos/<int(max=2147483647):row_id>/descartar")
@owner_required
def give_up_mail(row_id: int) -> Response:
    """Send it no more: the address is wrong, or it was told by phone."""
    failed_service.give_up(
        row_id, actor=Actor("staff", person().id), now=clock.utcnow()
    )
    return _done("Ese correo ya no se enviará.")


@bp.post("/ventas/detener")
@owner_required
def stop_sales() -> Response:
    """Stop every sale, with a message; while stopped, change the message."""
    form = StopForm()
    if not form.validate():
        return _page(422, form=form)
    seen, now = str(form.version.data or ""), clock.utcnow()
    try:
        service.stop_sales(form.message.clean, by=person(), now=now, seen=seen)
    except StaleStateError as error:
        form.version.data = _message_version()
        theirs = settings_queries.load(db.session()).sales_stopped_message
        return _page(409, form, f"{error} Ahora dice: «{theirs}». Revise el suyo.")
    return _done("Las ventas están detenidas. La portada ya lo dice.")


@bp.post("/ventas/reanudar")
@owner_required
def resume_sales() -> Response:
    """Sell again."""
    service.resume_sales(by=person(), now=clock.utcnow())
    return _done("Las ventas están abiertas otra vez.")
