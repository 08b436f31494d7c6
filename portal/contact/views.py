"""`/atencion/<token>`: everything about one order, whatever its state."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from portal import clock
from portal.contact import queries, rules, version_rules
from portal.contact.customer_queries import load_side
from portal.contact.receipt_queries import load_receipt
from portal.contact.version_queries import find_rows
from portal.db import db
from portal.errors import ConflictError, RefusedError, StaleStateError
from portal.journal.service import CUSTOMER
from portal.orders import queries as order_queries
from portal.orders import rules as order_rules
from portal.orders import service as order_service
from portal.orders.models import Order
from portal.payments import late_money, refund_requests, refunds
from portal.payments import states as pay
from portal.payments.attempts import (
    BeingVerifiedError,
    GatewayDownError,
    NotPayableError,
    PriceChangedError,
    start,
)
from portal.payments.views import gateways
from portal.support import days_service
from portal.web import (
    allow_payment_forms,
    fragment,
    limiter,
    nothing_changed,
    page,
    settings,
)

bp = Blueprint("contact", __name__, url_prefix="/atencion/<token>")

# What a refused act gives back to its form; a remote code is typed again.
_TYPED = ("message", "stars", "comment")
_PAYABLE = (pay.MERCADOPAGO, pay.WEBPAY)
# Each opens a form at a gateway. Per order, whatever address it is asked from; per
# address, far above what the customers behind one address of a phone company do.
_PER_ORDER = "20 per 10 minutes"
_PER_ADDRESS = "200 per 10 minutes"


def _order_asked() -> str:
    return order_rules.fingerprint(str((request.view_args or {}).get("token", "")))


def find_order(token: str) -> Order:
    """The order behind the link; the same 404 for any link that opens nothing."""
    return order_queries.get_by_token(db.session(), token)


@bp.get("")
def order_page(token: str) -> Response:
    """The whole page."""
    case = queries.load_case(db.session(), find_order(token), now=clock.utcnow())
    return _show("contact/order.html", token, case)


@bp.get("/ahora")
def order_fragment(token: str) -> Response:
    """The page's `<main>`, when it differs from the version that the page has."""
    session, now, asked = db.session(), clock.utcnow(), request.args.get("v", "")
    found = find_rows(session, token)
    if found and version_rules.rows_hold(asked, found[1], now):
        return nothing_changed(version_rules.holds_until(asked), found)
    case = queries.load_case(session, find_order(token), now=now)
    if version_rules.is_same(asked, case.version):
        return nothing_changed()
    return _show("contact/_order.html", token, case)


def _show(
    template: str,
    token: str,
    case: queries.Case,
    code: int = 200,
    error: str = "",
    act: str = "",
) -> Response:
    """The page or its fragment; `act` is the one that `error` speaks of."""
    show = fragment if template == "contact/_order.html" else page
    response = show(
        template,
        code,
        case=case,
        token=token,
        error=error,
        act=act,
        typed={name: request.form.get(name, "") if act else "" for name in _TYPED},
        side=load_side(db.session(), case),
        order_url=f"{settings().public_url}/atencion/{token}",
        remote_address=f"{settings().public_url.partition('://')[2]}/remoto",
        channels=queries.shows_channels(case),
        may_withdraw=queries.may_withdraw(case),
        retract_text=queries.retract_text(db.session(), case),
        receipt=load_receipt(db.session(), case),
        whatsapp_words=queries.whatsapp_words(case),
    )
    return allow_payment_forms(response) if case.stage == rules.REVIEW else response


@bp.post("/pagar")
@limiter.limit(_PER_ORDER, key_func=_order_asked)
@limiter.limit(_PER_ADDRESS)
def pay_order(token: str) -> WerkzeugResponse:
    """Open an attempt at a gateway and send the customer there."""
    order = find_order(token)
    gateway = request.form.get("gateway", "")
    if gateway not in _PAYABLE:
        return refuse(token, 422, "Elija cómo quiere pagar.")
    try:
        return _start(token, order, gateway)
    except GatewayDownError:
        # The page says that nothing was charged and offers both ways again.
        return redirect(f"/atencion/{token}", 303)
    except (NotPayableError, BeingVerifiedError) as problem:
        return refuse(token, 409, str(problem))
    except RefusedError as problem:
        return refuse(token, 422, str(problem))


def _start(token: str, order: Order, gateway: str) -> WerkzeugResponse:
    now = clock.utcnow()
    try:
        sent = start(order.id, gateway, gateways=gateways(), now=now)
    except PriceChangedError as change:
        if request.form.get("price") != str(change.price):
            return refuse(token, 409, str(change))
        keys = settings().secret_keys
        order = order_service.renew(order.id, keys=keys, now=now)
        sent = start(order.id, gateway, gateways=gateways(), now=now)
    if sent.token is None:
        return redirect(sent.url, 303)
    return allow_payment_forms(
        page("contact/to_webpay.html", url=sent.url, token_ws=sent.token)
    )


@bp.post("/devolucion")
def refund_order(token: str) -> WerkzeugResponse:
    """Retracto: all the money back, while the work has not begun."""
    order_id, now = find_order(token).id, clock.utcnow()
    try:
        refund_id = refund_requests.request_by_customer(order_id, now=now)
    except ConflictError as problem:
        return refuse(token, 409, str(problem))
    except RefusedError as problem:
        return refuse(token, 422, str(problem))
    refunds.send(refund_id, gateways(), now=now)
    return redirect(f"/atencion/{token}", 303)


@bp.post("/elegir")
def choose(token: str) -> WerkzeugResponse:
    """R7: what is to become of money that came out of hours, late, or was refused."""
    act = _CHOICES.get(request.form.get("choice", ""))
    if act is None:
        return refuse(token, 422, "Elija qué prefiere que hagamos.")
    try:
        act(find_order(token).id, clock.utcnow())
    except StaleStateError:
        return refuse(token, 409, "Eso ya cambió: vea aquí cómo quedó.")
    except ConflictError as problem:
        return refuse(token, 409, str(problem))
    except RefusedError as problem:
        return refuse(token, 422, str(problem))
    return redirect(f"/atencion/{token}", 303)


def _attend_late_money(order_id: int, now: datetime) -> None:
    late_money.honour(order_id, actor=CUSTOMER, now=now)


def _back_to_queue(order_id: int, now: datetime) -> None:
    refund_requests.return_to_queue(order_id, now=now)


def _attend_now(order_id: int, now: datetime) -> None:
    days_service.attend_now(order_id, now=now)


def _at_next_opening(order_id: int, now: datetime) -> None:
    days_service.keep_for_opening(order_id, now=now)


_CHOICES: dict[str, Callable[[int, datetime], None]] = {
    "atender": _attend_late_money,
    "fila": _back_to_queue,
    "ahora": _attend_now,
    "apertura": _at_next_opening,
}


def refuse(token: str, code: int, message: str, act: str = "") -> Response:
    """The order's page again, saying what stands in the way of `act`."""
    case = queries.load_case(db.session(), find_order(token), now=clock.utcnow())
    return _show("contact/order.html", token, case, code, message, act)
