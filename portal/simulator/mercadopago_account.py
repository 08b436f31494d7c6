"""Mercado Pago's side: what the payer or the panel does to preferences and payments."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from portal import clock
from portal.config import Settings
from portal.errors import ConflictError, NotFoundError
from portal.simulator import mercadopago_rules as rules
from portal.simulator.browser import NEVER, BrowserReturn
from portal.simulator.mercadopago_rules import PayOutcome
from portal.simulator.store import Json, Store, Transaction

PREFERENCE = "preference"
PAYMENT = "payment"
CHARGEBACK = "chargeback"
_NULL_RETURN = (
    "collection_id",
    "collection_status",
    "payment_id",
    "status",
    "payment_type",
    "merchant_order_id",
    "merchant_account_id",
)


@dataclass(frozen=True)
class Paid:
    """What came of the payer's choice."""

    payment_ids: tuple[int, ...]
    browser: BrowserReturn


def new_id() -> int:
    """A number that a fresh database of the simulator will not give again."""
    return 10**11 + secrets.randbelow(9 * 10**11)


def find_preference(transaction: Transaction, identity: str) -> Json:
    """Raises NotFoundError."""
    record = transaction.get(PREFERENCE, identity)
    if record is None:
        raise NotFoundError("preference not found")
    return record


def find_payment(transaction: Transaction, identity: str) -> Json:
    """Raises NotFoundError."""
    record = transaction.get(PAYMENT, identity)
    if record is None:
        raise NotFoundError("payment not found")
    return record


def _card(outcome: PayOutcome) -> Json:
    if not outcome.card:
        return {}
    holder = {"name": "APRO", "identification": {"type": "Otro", "number": "123456789"}}
    return {
        "first_six_digits": "416881",
        "last_four_digits": outcome.card,
        "expiration_month": 11,
        "expiration_year": 2030,
        "cardholder": holder,
    }


def _money(code: str, preference: Json, outcome: PayOutcome) -> Json:
    amount = rules.total(preference)
    if code == "other_amount":
        amount += 1000
    return {
        "currency_id": "USD" if code == "other_currency" else rules.CURRENCY,
        "transaction_amount": amount,
        "transaction_amount_refunded": 0,
        "installments": outcome.instalments,
        "transaction_details": {
            "total_paid_amount": amount,
            "net_received_amount": amount - amount * 319 // 10_000,
            "installment_amount": amount // outcome.instalments,
        },
        "fee_details": [],
        "refunds": [],
    }


def _owner(code: str, preference: Json, settings: Settings) -> Json:
    collector = rules.collector_id(settings.mercadopago_access_token)
    reference = preference.get("external_reference")
    return {
        "collector_id": collector + 1 if code == "other_collector" else collector,
        "external_reference": "otra-ref" if code == "other_reference" else reference,
        "live_mode": code == "other_mode",
        "order": {"id": preference["merchant_order_id"], "type": "mercadopago"},
        "payer": preference.get("payer") or {},
        "metadata": preference.get("metadata") or {},
        "description": preference["items"][0]["title"],
        "statement_descriptor": preference.get("statement_descriptor"),
        "notification_url": preference.get("notification_url"),
    }


def _new_payment(
    code: str, preference: Json, settings: Settings, now: datetime
) -> Json:
    outcome = rules.PAYING[code]
    return {
        "id": new_id(),
        "status": outcome.status,
        "status_detail": outcome.detail,
        "date_created": rules.moment(now),
        "date_approved": rules.moment(now) if outcome.status == "approved" else None,
        "date_last_updated": rules.moment(now),
        "operation_type": "regular_payment",
        "payment_method_id": outcome.method,
        "payment_type_id": outcome.payment_type,
        "captured": outcome.status != "authorized",
        "binary_mode": bool(preference.get("binary_mode")),
        "card": _card(outcome),
        **_owner(code, preference, settings),
        **_money(code, preference, outcome),
    }


def _go_back(preference: Json, payment: Json | None) -> BrowserReturn:
    urls = preference.get("back_urls") or {}
    params = dict.fromkeys(_NULL_RETURN, "null")
    where = "failure"
    if payment is not None:
        status = payment["status"]
        params |= {
            "collection_id": str(payment["id"]),
            "collection_status": status,
            "payment_id": str(payment["id"]),
            "status": status,
            "payment_type": payment["payment_type_id"],
            "merchant_order_id": str(preference["merchant_order_id"]),
        }
        known = {"approved": "success", "rejected": "failure"}
        where = known.get(status, "pending")
    params |= {
        "external_reference": str(preference.get("external_reference") or "null"),
        "preference_id": preference["id"],
        "site_id": rules.SITE,
        "processing_mode": "aggregator",
    }
    return BrowserReturn("GET", urls[where], params) if where in urls else NEVER


def pay(store: Store, settings: Settings, preference_id: str, code: str) -> Paid:
    """The payer picks `code` on the pay page.

    Raises NotFoundError, and ConflictError when the link cannot be paid.
    """
    now = clock.utcnow()
    with store.writing() as transaction:
        preference = find_preference(transaction, preference_id)
        if code == rules.LEAVE:
            return Paid((), _go_back(preference, None))
        problem = rules.payable_problem(preference, now)
        if problem:
            raise ConflictError(problem)
        outcome = rules.PAYING[code]
        payments = [
            _new_payment(code, preference, settings, now)
            for _copy in range(outcome.copies)
        ]
        for payment in payments:
            _add(transaction, payment, preference_id, now)
    browser = _go_back(preference, payments[-1]) if outcome.returns else NEVER
    return Paid(tuple(payment["id"] for payment in payments), browser)


def _add(
    transaction: Transaction, payment: Json, preference_id: str, now: datetime
) -> None:
    identity = str(payment["id"])
    transaction.add(PAYMENT, identity, payment, now, parent=preference_id)


def give_back(
    transaction: Transaction, payment: Json, amount: int | None, now: datetime
) -> Json:
    """Refund `amount` pesos, or the rest. Raises ConflictError with the reason."""
    problem = rules.refund_problem(payment, amount, now)
    if problem:
        raise ConflictError(problem)
    rest = payment["transaction_amount"] - rules.refunded(payment)
    refund = {
        "id": new_id(),
        "payment_id": payment["id"],
        "amount": rest if amount is None else amount,
        "source": {"id": str(payment["collector_id"]), "type": "collector"},
        "date_created": rules.moment(now),
        "status": "approved",
    }
    rules.apply_refund(payment, refund, now)
    transaction.save(PAYMENT, str(payment["id"]), payment)
    return refund


def _change(payment: Json, allowed: str, status: str, detail: str) -> None:
    if payment["status"] not in allowed.split():
        raise ConflictError(f"El pago está {payment['status']}: no se puede.")
    payment["status"], payment["status_detail"] = status, detail


def cancel(payment: Json, detail: str = "by_collector") -> None:
    """Raises ConflictError when the payment is not pending."""
    _change(payment, "pending in_process authorized", "cancelled", detail)


def _approve(payment: Json, now: datetime) -> None:
    _change(payment, "pending in_process authorized", "approved", "accredited")
    payment["date_approved"] = rules.moment(now)


def _charge_back(transaction: Transaction, payment: Json, now: datetime) -> None:
    _change(payment, "approved in_mediation", "charged_back", "settled")
    identity = str(new_id())
    payment["chargeback_id"] = identity
    body = {
        "id": identity,
        "payments": [payment["id"]],
        "currency": payment["currency_id"],
        "amount": payment["transaction_amount"],
        "coverage_applied": False,
        "coverage_elegible": False,
        "documentation_required": False,
        "documentation_status": "not_supplied",
        "date_created": rules.moment(now),
        "live_mode": payment["live_mode"],
    }
    transaction.add(CHARGEBACK, identity, body, now, parent=str(payment["id"]))


def act_from_panel(
    store: Store, payment_id: str, act: str, amount: int | None = None
) -> Json:
    """What the shop or the bank does in Mercado Pago's own panel; the payment after it.

    Raises NotFoundError, and ConflictError when the payment's state forbids it.
    """
    now = clock.utcnow()
    with store.writing() as transaction:
        payment = find_payment(transaction, payment_id)
        match act:
            case "approve":
                _approve(payment, now)
            case "reject":
                detail = "cc_rejected_other_reason"
                _change(payment, "pending in_process authorized", "rejected", detail)
            case "cancel":
                cancel(payment)
            case "refund":
                give_back(transaction, payment, amount, now)
            case "mediation":
                _change(payment, "approved", "in_mediation", "pending")
            case "chargeback":
                _charge_back(transaction, payment, now)
            case "chargeback_won":
                _change(payment, "charged_back", "charged_back", "reimbursed")
            case _:
                raise NotFoundError("unknown act")
        payment["date_last_updated"] = rules.moment(now)
        transaction.save(PAYMENT, payment_id, payment)
    return payment
