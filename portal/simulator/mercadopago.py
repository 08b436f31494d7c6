"""Mercado Pago's REST API: preferences, payments, refunds and what hangs on them."""

import hmac
import uuid
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from portal import clock
from portal.errors import ConflictError, NotFoundError
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as rules
from portal.simulator import notifications
from portal.simulator.gateway import body_as_object, current, operation, reply
from portal.simulator.store import Json, Transaction

IDEMPOTENCY = "idempotency"
DEFAULT_PAGE = 30
MAX_PAGE = 1000

blueprint = Blueprint("mercadopago", __name__, url_prefix="/mercadopago")


def refuse(status: int, error: str, message: str) -> Response:
    """An error as Mercado Pago writes it."""
    body = {"message": message, "error": error, "status": status, "cause": []}
    return reply(body, status)


@blueprint.before_request
def authenticate() -> Response | None:
    """The bearer token must be the account's own."""
    token = current().settings.mercadopago_access_token
    given = request.headers.get("Authorization", "")
    if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return None
    return refuse(401, "unauthorized", "invalid access token")


@blueprint.get("/users/me")
def get_user() -> Response:
    """Whose the token is."""
    account = rules.collector_id(current().settings.mercadopago_access_token)
    return reply({"id": account, "site_id": "MLC"})


@blueprint.errorhandler(NotFoundError)
def not_found(error: NotFoundError) -> Response:
    return refuse(404, "not_found", str(error))


@blueprint.errorhandler(ConflictError)
def conflict(error: ConflictError) -> Response:
    return refuse(400, "bad_request", str(error))


def _idempotency_key(scope: str) -> str | None:
    key = request.headers.get("x-idempotency-key", "")
    return f"{scope}:{key}" if 0 < len(key) <= rules.MAX_IDEMPOTENCY_KEY else None


def _remember(transaction: Transaction, key: str | None, answer: Json) -> None:
    if key is not None:
        transaction.add(IDEMPOTENCY, key, answer, clock.utcnow())


def _remembered(transaction: Transaction, key: str | None) -> Json | None:
    return None if key is None else transaction.get(IDEMPOTENCY, key)


def _new_preference(body: Json, now: datetime) -> Json:
    collector = rules.collector_id(current().settings.mercadopago_access_token)
    identity = f"{collector}-{uuid.uuid4()}"
    page = f"{request.url_root}mercadopago/checkout/v1/redirect?pref_id={identity}"
    return {
        **body,
        "id": identity,
        "init_point": page,
        "sandbox_init_point": page,
        "date_created": rules.moment(now),
        "collector_id": collector,
        "client_id": "8123456789012345",
        "site_id": rules.SITE,
        "operation_type": "regular_payment",
        "merchant_order_id": account.new_id(),
    }


@blueprint.post("/checkout/preferences")
@operation("mp_preference")
def create_preference() -> Response:
    body = body_as_object()
    if body is None:
        return refuse(400, "bad_request", "invalid JSON")
    problem = rules.preference_problem(body)
    if problem:
        return refuse(400, *problem)
    now = clock.utcnow()
    key = _idempotency_key("preference")
    with current().store.writing() as transaction:
        known = _remembered(transaction, key)
        if known is not None:
            return reply(known, 201)
        preference = _new_preference(body, now)
        reference = str(body.get("external_reference") or "")
        transaction.add(
            account.PREFERENCE, preference["id"], preference, now, parent=reference
        )
        _remember(transaction, key, preference)
    return reply(preference, 201)


@blueprint.get("/checkout/preferences/search")
@operation("mp_other")
def search_preferences() -> Response:
    reference = request.args.get("external_reference")
    with current().store.reading() as transaction:
        found = transaction.find(account.PREFERENCE, parent=reference)
    return reply({"elements": found, "total": len(found), "next_offset": 0})


@blueprint.get("/checkout/preferences/<identity>")
@operation("mp_preference_get")
def get_preference(identity: str) -> Response:
    with current().store.reading() as transaction:
        return reply(account.find_preference(transaction, identity))


@blueprint.put("/checkout/preferences/<identity>")
@operation("mp_preference_update")
def update_preference(identity: str) -> Response:
    body = body_as_object()
    if body is None:
        return refuse(400, "bad_request", "invalid JSON")
    with current().store.writing() as transaction:
        found = account.find_preference(transaction, identity)
        changed = {**found, **body, "id": identity}
        problem = rules.preference_problem(changed)
        if problem:
            return refuse(400, *problem)
        transaction.save(account.PREFERENCE, identity, changed)
    return reply(changed)


def _in_range(payment: Json) -> bool:
    name = request.args.get("range")
    if name is None:
        return True
    value = rules.parse_moment(payment.get(name))
    start = rules.parse_moment(request.args.get("begin_date"))
    end = rules.parse_moment(request.args.get("end_date"))
    if value is None or (start and value < start):
        return False
    return not (end and value > end)


def _matches(payment: Json) -> bool:
    for name in ("external_reference", "status", "payment_type_id"):
        wanted = request.args.get(name)
        if wanted is not None and payment[name] != wanted:
            return False
    return _in_range(payment)


def _page_number(name: str, default: int, highest: int) -> int | None:
    text = request.args.get(name, str(default))
    valid = text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= highest
    return int(text) if valid else None


@blueprint.get("/v1/payments/search")
@operation("mp_search")
def search_payments() -> Response:
    limit = _page_number("limit", DEFAULT_PAGE, MAX_PAGE)
    offset = _page_number("offset", 0, 10_000)
    if limit is None or offset is None:
        return refuse(400, "bad_request", "invalid paging")
    for name in ("begin_date", "end_date"):
        given = request.args.get(name)
        if given is not None and rules.parse_moment(given) is None:
            return refuse(400, "bad_request", f"invalid {name}")
    with current().store.reading() as transaction:
        found = [p for p in transaction.find(account.PAYMENT) if _matches(p)]
    if request.args.get("criteria", "desc") == "asc":
        found.reverse()
    paging = {"total": len(found), "limit": limit, "offset": offset}
    return reply({"paging": paging, "results": found[offset : offset + limit]})


@blueprint.get("/v1/payments/<identity>")
@operation("mp_payment")
def get_payment(identity: str) -> Response:
    with current().store.reading() as transaction:
        return reply(account.find_payment(transaction, identity))


@blueprint.put("/v1/payments/<identity>")
@operation("mp_cancel")
def cancel_payment(identity: str) -> Response:
    body = body_as_object() or {}
    if body.get("status") != "cancelled":
        return refuse(400, "bad_request", "only status=cancelled is known here")
    with current().store.writing() as transaction:
        payment = account.find_payment(transaction, identity)
        account.cancel(payment)
        payment["date_last_updated"] = rules.moment(clock.utcnow())
        transaction.save(account.PAYMENT, identity, payment)
    notifications.tell(identity)
    return reply(payment)


@blueprint.post("/v1/payments/<identity>/refunds")
@operation("mp_refund")
def create_refund(identity: str) -> Response:
    body = body_as_object() if request.data else {}
    if body is None:
        return refuse(400, "bad_request", "invalid JSON")
    key = _idempotency_key(f"refund:{identity}")
    if key is None:
        return refuse(400, "bad_request", "Header x-idempotency-key can't be null")
    with current().store.writing() as transaction:
        known = _remembered(transaction, key)
        if known is not None:
            return reply(known, 201)
        payment = account.find_payment(transaction, identity)
        amount = body.get("amount")
        refund = account.give_back(transaction, payment, amount, clock.utcnow())
        _remember(transaction, key, refund)
    notifications.tell(identity)
    return reply(refund, 201)


@blueprint.get("/v1/payments/<identity>/refunds")
@operation("mp_refund_get")
def list_refunds(identity: str) -> Response:
    with current().store.reading() as transaction:
        return jsonify(account.find_payment(transaction, identity)["refunds"])


@blueprint.get("/v1/payments/<identity>/refunds/<refund_id>")
@operation("mp_refund_get")
def get_refund(identity: str, refund_id: str) -> Response:
    with current().store.reading() as transaction:
        payment = account.find_payment(transaction, identity)
    for refund in payment["refunds"]:
        if str(refund["id"]) == refund_id:
            return reply(refund)
    raise NotFoundError("refund not found")
