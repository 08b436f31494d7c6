"""Webpay's form, as the payer sees it."""

from datetime import datetime

from flask import (
    Blueprint,
    Flask,
    Response,
    make_response,
    redirect,
    render_template,
    request,
)
from jinja2 import StrictUndefined

from portal import clock
from portal.simulator import webpay_bank
from portal.simulator import webpay_rules as rules
from portal.simulator.browser import BrowserReturn
from portal.simulator.gateway import current

blueprint = Blueprint("webpay_pages", __name__)

METHODS = ("", "GET", "POST")


def _moment(text: str) -> str:
    """An ISO instant on Santiago's wall clock."""
    return clock.local(datetime.fromisoformat(text)).strftime("%d-%m-%Y %H:%M:%S")


def _pesos(amount: int) -> str:
    return f"${amount:,}".replace(",", ".")


def prepare_templates(app: Flask) -> None:
    """The simulator's own filters: it knows nothing of the portal's."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {"moment": _moment, "pesos": _pesos}


def send_browser(browser: BrowserReturn) -> Response:
    """Send the payer's browser where the gateway would."""
    if browser.method == "GET":
        return make_response(redirect(browser.address, 303))
    return make_response(render_template("simulator/leave.html", browser=browser))


def _unknown() -> Response:
    message = "Esta transacción de Webpay no existe."
    return make_response(
        render_template("simulator/message.html", message=message), 404
    )


@blueprint.route("/webpay/webpayserver/initTransaction", methods=["GET", "POST"])
def form() -> Response:
    token = request.values.get("token_ws", "")
    record = webpay_bank.open_form(current().store, token)
    if record is None:
        return _unknown()
    page = render_template(
        "simulator/webpay.html",
        record=record,
        rules=rules,
        over=rules.form_is_over(record, clock.utcnow()),
    )
    return make_response(page)


@blueprint.post("/webpay/webpayserver/choose")
def choose() -> Response:
    code = request.form.get("outcome", "")
    method = request.form.get("method", "")
    if code not in webpay_bank.OUTCOMES or method not in METHODS:
        return _unknown()
    token = request.form.get("token_ws", "")
    browser = webpay_bank.choose(current().store, token, code, method)
    return _unknown() if browser is None else send_browser(browser)
