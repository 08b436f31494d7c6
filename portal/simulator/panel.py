"""The panel: what both gateways did, the acts of their own panels, the fault plan."""

from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
)

from portal import clock
from portal.errors import ConflictError, NotFoundError
from portal.simulator import faults, notifications, webpay
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as mp_rules
from portal.simulator import webpay_rules as rules
from portal.simulator.control import LOCAL
from portal.simulator.faults import Fault
from portal.simulator.gateway import current, reply

SHOWN = 30
MAX_TIMES = 100
MAX_DELAY_SECONDS = 120.0
_APIS = ("/mercadopago/", "/webpay/rswebpaytransaction/", "/control/")

blueprint = Blueprint("panel", __name__)


@blueprint.before_request
def only_own_forms() -> None:
    """No page of another site may press the panel's buttons."""
    if request.remote_addr not in LOCAL:
        abort(403)
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@blueprint.app_errorhandler(404)
def missing(_error: Exception) -> Response:
    if request.path.startswith(_APIS):
        return reply({"message": "not found", "error": "not_found", "status": 404}, 404)
    message = "Aquí no hay nada: vea el panel del simulador."
    return make_response(
        render_template("simulator/message.html", message=message), 404
    )


@blueprint.after_app_request
def secure(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; "
        "img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/")
def panel() -> Response:
    gateway = current()
    now = clock.utcnow()
    with gateway.store.reading() as transaction:
        records = transaction.find(webpay.KIND, limit=SHOWN)
        preferences = transaction.find(account.PREFERENCE, limit=SHOWN)
        payments = transaction.find(account.PAYMENT, limit=SHOWN)
    page = render_template(
        "simulator/panel.html",
        transactions=[(record, rules.status_of(record, now)) for record in records],
        preferences=[
            (p, mp_rules.total(p), mp_rules.payable_problem(p, now))
            for p in preferences
        ],
        payments=payments,
        acts=mp_rules.PANEL_ACTS,
        operations=faults.OPERATIONS,
        kinds=faults.KINDS,
        pending=gateway.faults.pending(),
        modes=notifications.MODES,
        mode=notifications.mode(gateway.store),
        portal_url=gateway.settings.public_url,
    )
    return make_response(page)


def _back() -> Response:
    return make_response(redirect("/", 303))


def _refused(message: str) -> Response:
    return make_response(
        render_template("simulator/message.html", message=message), 409
    )


def _amount() -> int | None:
    """Pesos typed; nothing means the whole. Raises ConflictError."""
    text = request.form.get("amount", "").strip()
    if not text:
        return None
    amount = rules.parse_amount(text)
    if amount is None:
        raise ConflictError("El monto debe ser un número entero de pesos.")
    return amount


@blueprint.post("/panel/pago")
def act() -> Response:
    identity = request.form.get("payment_id", "")
    name = request.form.get("act", "")
    try:
        account.act_from_panel(current().store, identity, name, _amount())
        notifications.tell(identity)
    except (ConflictError, NotFoundError) as error:
        return _refused(str(error))
    return _back()


@blueprint.post("/panel/aviso")
def notify() -> Response:
    identity = request.form.get("payment_id", "")
    signing = request.form.get("signature", "good")
    try:
        status = notifications.deliver(current(), identity, signing)
    except NotFoundError as error:
        return _refused(str(error))
    text = f"El portal contestó {status}." if status else "El portal no contestó."
    return make_response(render_template("simulator/message.html", message=text))


@blueprint.post("/panel/fallas")
def plan() -> Response:
    form = request.form
    operation = form.get("operation", "")
    kind = form.get("kind", "") + ("_after" if form.get("after") else "")
    if not faults.is_known(operation, kind):
        return _refused("Esa falla no existe.")
    times = form.get("times", default=1, type=int)
    delay = form.get("delay", default=0.0, type=float)
    fault = Fault(kind, min(max(delay, 0.0), MAX_DELAY_SECONDS))
    current().faults.plan(operation, fault, min(max(times, 1), MAX_TIMES))
    return _back()


@blueprint.post("/panel/sin-fallas")
def clear() -> Response:
    current().faults.clear()
    return _back()


@blueprint.post("/panel/avisos")
def set_mode() -> Response:
    name = request.form.get("notify", "")
    if name not in notifications.MODES:
        return _refused("Esa forma de avisar no existe.")
    notifications.set_mode(current().store, name)
    return _back()
