"""The rest of Mercado Pago's API: chargebacks, merchant orders, lists, the account."""

from flask import Blueprint, Response, jsonify

from portal.errors import NotFoundError
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as rules
from portal.simulator.gateway import current, operation, reply
from portal.simulator.mercadopago import authenticate, not_found
from portal.simulator.store import Json

blueprint = Blueprint("mercadopago_lists", __name__, url_prefix="/mercadopago")
blueprint.before_request(authenticate)
blueprint.register_error_handler(NotFoundError, not_found)

_METHODS = (
    ("visa", "Visa", "credit_card"),
    ("master", "Mastercard", "credit_card"),
    ("amex", "American Express", "credit_card"),
    ("debvisa", "Visa Débito", "debit_card"),
    ("debmaster", "Mastercard Débito", "debit_card"),
    ("account_money", "Dinero en Mercado Pago", "account_money"),
    ("servipag", "Servipag", "ticket"),
)
_IDENTIFICATIONS = (("RUT", "RUT", 7, 20), ("Otro", "Otro", 5, 20))


@blueprint.get("/v1/chargebacks/<identity>")
@operation("mp_chargeback")
def get_chargeback(identity: str) -> Response:
    with current().store.reading() as transaction:
        found = transaction.get(account.CHARGEBACK, identity)
    if found is None:
        raise NotFoundError("chargeback not found")
    return reply(found)


def _payment_of_order(payment: Json) -> Json:
    kept = "id transaction_amount transaction_amount_refunded currency_id status"
    brief = {
        name: payment[name] for name in f"{kept} status_detail date_created".split()
    }
    return {**brief, "total_paid_amount": payment["transaction_amount"]}


def _merchant_order(preference: Json, payments: list[Json]) -> Json:
    approved = [p for p in payments if p["date_approved"] is not None]
    paid = sum(p["transaction_amount"] for p in approved)
    whole = paid >= rules.total(preference)
    return {
        "id": preference["merchant_order_id"],
        "status": "closed" if whole else "opened",
        "order_status": "paid" if whole else "payment_required",
        "external_reference": preference.get("external_reference"),
        "preference_id": preference["id"],
        "site_id": rules.SITE,
        "total_amount": rules.total(preference),
        "paid_amount": paid,
        "refunded_amount": sum(rules.refunded(p) for p in payments),
        "payments": [_payment_of_order(p) for p in payments],
    }


@blueprint.get("/merchant_orders/<identity>")
@operation("mp_other")
def get_merchant_order(identity: str) -> Response:
    with current().store.reading() as transaction:
        for preference in transaction.find(account.PREFERENCE):
            if str(preference["merchant_order_id"]) == identity:
                payments = transaction.find(account.PAYMENT, parent=preference["id"])
                return reply(_merchant_order(preference, payments))
    raise NotFoundError("merchant order not found")


@blueprint.get("/v1/payment_methods")
@operation("mp_other")
def payment_methods() -> Response:
    return jsonify(
        [
            {"id": identity, "name": name, "payment_type_id": kind, "status": "active"}
            for identity, name, kind in _METHODS
        ]
    )


@blueprint.get("/v1/identification_types")
@operation("mp_other")
def identification_types() -> Response:
    return jsonify(
        [
            {"id": i, "name": n, "type": "number", "min_length": a, "max_length": b}
            for i, n, a, b in _IDENTIFICATIONS
        ]
    )


@blueprint.get("/users/me")
@operation("mp_other")
def me() -> Response:
    token = current().settings.mercadopago_access_token
    return reply({"id": rules.collector_id(token), "site_id": rules.SITE})
