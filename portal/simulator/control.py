"""The JSON API that drives the simulator without its pages; from this machine only."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from portal import clock
from portal.errors import ConflictError, NotFoundError
from portal.simulator import faults, notifications, webpay, webpay_bank
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as mp_rules
from portal.simulator import webpay_rules as rules
from portal.simulator.faults import Fault
from portal.simulator.gateway import body_as_object, current, reply
from portal.simulator.store import Json

LOCAL = ("127.0.0.1", "::1")

blueprint = Blueprint("control", __name__, url_prefix="/control")


@blueprint.before_request
def only_from_here() -> Response | None:
    """A page of another site cannot send JSON here without asking first."""
    if request.remote_addr not in LOCAL:
        return reply({"error": "only from this machine"}, 403)
    if request.method == "POST" and not request.is_json:
        return reply({"error": "JSON needed"}, 415)
    return None


@blueprint.errorhandler(NotFoundError)
def not_found(error: NotFoundError) -> Response:
    return reply({"error": str(error)}, 404)


@blueprint.errorhandler(ConflictError)
def conflict(error: ConflictError) -> Response:
    return reply({"error": str(error)}, 409)


def _field(name: str, default: Any = None) -> Any:
    value = (body_as_object() or {}).get(name, default)
    if value is None:
        raise NotFoundError(f"{name} is missing")
    return value


@blueprint.post("/fail")
def fail() -> Response:
    """Plan a fault: operation, kind, times, delay (seconds)."""
    operation, kind = str(_field("operation")), str(_field("kind"))
    if not faults.is_known(operation, kind):
        raise NotFoundError(f"unknown fault: {operation} {kind}")
    fault = Fault(kind, float(_field("delay", 0)))
    current().faults.plan(operation, fault, int(_field("times", 1)))
    return reply({"pending": current().faults.pending()})


@blueprint.post("/release")
def release() -> Response:
    """Let every held call go on."""
    current().faults.release()
    return reply({})


@blueprint.post("/wait-until-held")
def wait_until_held() -> Response:
    """Answer when a call hangs in a `hold` fault."""
    if not current().faults.wait_until_held():
        raise ConflictError("no call is held")
    return reply({})


@blueprint.post("/clear-faults")
def clear_faults() -> Response:
    """Forget the planned faults."""
    current().faults.clear()
    return reply({})


@blueprint.post("/reset")
def reset() -> Response:
    """Forget everything; notifications are then sent as `notify` says."""
    current().faults.clear()
    with current().store.writing() as transaction:
        transaction.clear()
    notifications.set_mode(current().store, str(_field("notify", "never")))
    return reply({})


@blueprint.post("/notify-mode")
def notify_mode() -> Response:
    """How notifications are sent from now on."""
    name = str(_field("notify"))
    if name not in notifications.MODES:
        raise NotFoundError(f"unknown mode: {name}")
    notifications.set_mode(current().store, name)
    return reply({})


@blueprint.post("/webpay/outcome")
def webpay_outcome() -> Response:
    """The payer picks an outcome: token, code, method (GET, POST or nothing)."""
    code = str(_field("code"))
    if code not in webpay_bank.OUTCOMES:
        raise NotFoundError(f"unknown outcome: {code}")
    method = str(_field("method", ""))
    browser = webpay_bank.choose(current().store, str(_field("token")), code, method)
    if browser is None:
        raise NotFoundError("transaction not found")
    return reply(browser.as_json())


@blueprint.post("/mp/pay")
def mp_pay() -> Response:
    """The payer picks an outcome: preference_id, code, notify (a mode)."""
    code = str(_field("code"))
    if code != mp_rules.LEAVE and code not in mp_rules.PAYING:
        raise NotFoundError(f"unknown outcome: {code}")
    gateway = current()
    identity = str(_field("preference_id"))
    paid = account.pay(gateway.store, gateway.settings, identity, code)
    for payment_id in paid.payment_ids:
        notifications.tell(str(payment_id), str(_field("notify", "never")))
    ids = list(paid.payment_ids)
    return reply({"payment_ids": ids, "browser": paid.browser.as_json()})


@blueprint.post("/mp/act")
def mp_act() -> Response:
    """An act of Mercado Pago's panel: payment_id, act, amount, notify (a mode)."""
    identity, act = str(_field("payment_id")), str(_field("act"))
    amount = (body_as_object() or {}).get("amount")
    payment = account.act_from_panel(current().store, identity, act, amount)
    notifications.tell(identity, str(_field("notify", "never")))
    return reply(payment)


@blueprint.post("/mp/notify")
def mp_notify() -> Response:
    """Send notifications now: payment_id, signature, times; the answers' statuses."""
    identity, signing = str(_field("payment_id")), str(_field("signature", "good"))
    times = int(_field("times", 1))
    statuses = notifications.deliver_at_once(current(), identity, signing, times)
    return reply({"statuses": statuses})


def _webpay_entry(record: Json) -> Json:
    answer = rules.BANK.get(record["outcome"] or "")
    approves = answer is not None and answer.approves and record["outcome"] != "abo"
    committed = record["stage"] == "committed"
    return {
        **record,
        "status": rules.status_of(record, clock.utcnow()),
        "approved": committed and approves,
        "charged": rules.charged(record),
        "refunded": rules.refunded(record),
    }


@blueprint.get("/ledger")
def ledger() -> Response:
    """Everything both gateways did, the oldest first."""
    with current().store.reading() as transaction:
        payments = transaction.find(account.PAYMENT)[::-1]
        return reply(
            {
                "webpay": [
                    _webpay_entry(r) for r in transaction.find(webpay.KIND)[::-1]
                ],
                "preferences": transaction.find(account.PREFERENCE)[::-1],
                "payments": payments,
                "notifications": transaction.find(notifications.DELIVERY)[::-1],
            }
        )


@blueprint.get("/calls")
def calls() -> Response:
    """Every call received, the oldest first: operation, key, instant, headers."""
    with current().store.reading() as transaction:
        return jsonify(transaction.calls())
