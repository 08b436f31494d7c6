"""Mercado Pago's pay page, as the payer sees it."""

from flask import Blueprint, Response, make_response, render_template, request

from portal import clock
from portal.errors import ConflictError, NotFoundError
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as rules
from portal.simulator import notifications
from portal.simulator.gateway import current
from portal.simulator.webpay_pages import send_browser

blueprint = Blueprint("mp_pages", __name__)


def _message(message: str, status: int) -> Response:
    page = render_template("simulator/message.html", message=message)
    return make_response(page, status)


@blueprint.errorhandler(NotFoundError)
def not_found(_error: NotFoundError) -> Response:
    return _message("Este enlace de Mercado Pago no existe.", 404)


@blueprint.errorhandler(ConflictError)
def conflict(error: ConflictError) -> Response:
    return _message(str(error), 409)


@blueprint.get("/mercadopago/checkout/v1/redirect")
def pay_page() -> Response:
    gateway = current()
    with gateway.store.reading() as transaction:
        identity = request.args.get("pref_id", "")
        preference = account.find_preference(transaction, identity)
    page = render_template(
        "simulator/mercadopago.html",
        preference=preference,
        rules=rules,
        total=rules.total(preference),
        problem=rules.payable_problem(preference, clock.utcnow()),
        modes=notifications.MODES,
        mode=notifications.mode(gateway.store),
    )
    return make_response(page)


@blueprint.post("/mercadopago/checkout/v1/pay")
def pay() -> Response:
    gateway = current()
    code = request.form.get("outcome", "")
    how = request.form.get("notify", "")
    if code != rules.LEAVE and code not in rules.PAYING:
        raise NotFoundError(code)
    identity = request.form.get("pref_id", "")
    paid = account.pay(gateway.store, gateway.settings, identity, code)
    for payment_id in paid.payment_ids:
        notifications.tell(str(payment_id), how if how in notifications.MODES else None)
    return send_browser(paid.browser)
