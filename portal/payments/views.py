"""Where the gateways send the customer back, and where they notify."""

from typing import cast

from flask import Blueprint, Response, current_app, make_response, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from portal import clock
from portal.db import db
from portal.orders import queries as order_queries
from portal.payments import notifications, queries, returns, rules
from portal.payments.gateways import Gateways
from portal.payments.gateways.mercadopago_signature import is_signed
from portal.payments.models import Payment
from portal.web import csrf_exempt, page, settings

bp = Blueprint("payments", __name__)


def gateways() -> Gateways:
    """The gateways of the running application."""
    return cast(Gateways, current_app.extensions["portal_gateways"])


def _to_order(order_id: int | None) -> WerkzeugResponse:
    """On to the order's secret page; a neutral page for a return we do not know."""
    if order_id is None:
        return page("payments/unknown_return.html", 404)
    session = db.session()
    order = order_queries.get(session, order_id)
    return redirect(order_queries.path_of(order, settings().secret_keys), 303)


def _parameters() -> dict[str, list[str]]:
    """The return's parameters, from the address and, by POST, from the body."""
    merged = {name: list(request.args.getlist(name)) for name in request.args}
    if request.method == "POST":
        for name in request.form:
            merged.setdefault(name, []).extend(request.form.getlist(name))
    return merged


@bp.route("/pago/webpay/retorno", methods=["GET", "POST"])
@csrf_exempt
def webpay_return() -> WerkzeugResponse:
    """Webpay's four returns, by either method, with no cookie and no log-in."""
    now = clock.utcnow()
    params = _parameters()
    kind = rules.classify_return(params)
    if kind == rules.INVALID:
        return page("payments/unknown_return.html", 400)
    payment = _payment_of(kind, params)
    if payment is None:
        return _to_order(None)
    payment_id, order_id = payment.id, payment.order_id
    if kind == rules.NORMAL:
        returns.webpay_returned(
            payment_id, params["token_ws"][0], gateways=gateways(), now=now
        )
    else:
        returns.webpay_not_paid(payment_id, kind, now=now)
    return _to_order(order_id)


def _payment_of(kind: str, params: dict[str, list[str]]) -> Payment | None:
    """The attempt that the return is about, if this portal made it."""

    def first(name: str) -> str:
        return (params.get(name) or [""])[0]

    session = db.session()
    if kind == rules.TIMEOUT:
        session_id = first("TBK_ID_SESION") or first("TBK_ID_SESSION")
        return queries.find_by_buy_order(session, first("TBK_ORDEN_COMPRA"), session_id)
    token = first("TBK_TOKEN") if kind == rules.ABORTED else first("token_ws")
    return queries.find_by_webpay_token(session, token)


@bp.get("/pago/mercadopago/retorno")
def mercadopago_return() -> WerkzeugResponse:
    """Back from Mercado Pago: nothing in the address is believed."""
    payment_id = request.args.get("payment_id") or request.args.get("collection_id")
    order_id = returns.mercadopago_returned(
        request.args.get("external_reference", ""),
        payment_id or "",
        gateways=gateways(),
        now=clock.utcnow(),
    )
    return _to_order(order_id)


@bp.post("/pago/mercadopago/aviso")
@csrf_exempt
def mercadopago_notification() -> Response:
    """A signed hint; the body is never read. Forged: 401 and nothing else happens."""
    ids = request.args.getlist("data.id")
    request_id = request.headers.get("x-request-id")
    signed = len(ids) == 1 and is_signed(
        request.headers.get("x-signature", ""),
        request_id,
        ids[0],
        settings().mercadopago_webhook_secrets,
    )
    if not signed:
        current_app.logger.warning("notification refused: signature")
        return make_response("", 401)
    topic = request.args.get("type") or request.args.get("topic") or ""
    if topic in notifications.READ and not rules.is_mercadopago_id(ids[0]):
        return make_response("", 400)
    notifications.receive(
        topic, ids[0], request_id or "", gateways=gateways(), now=clock.utcnow()
    )
    return make_response("", 200)
