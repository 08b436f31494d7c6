"""Mercado Pago Checkout Pro's rules (Chile) as pure functions."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from portal.simulator.store import Json

CURRENCY = "CLP"
SITE = "MLC"
REFUND_LIFE = timedelta(days=180)
MAX_REFERENCE = 256
MAX_DESCRIPTOR = 22
MAX_IDEMPOTENCY_KEY = 64
# Mercado Pago writes its instants with this fixed offset, whatever the country.
_OFFSET = timezone(timedelta(hours=-4))


@dataclass(frozen=True)
class PayOutcome:
    """What becomes of the payer's attempt when this button is picked."""

    label: str
    status: str = "approved"
    detail: str = "accredited"
    method: str = "visa"
    payment_type: str = "credit_card"
    card: str = "7115"
    instalments: int = 1
    copies: int = 1
    returns: bool = True


APPROVALS = {
    "credit": PayOutcome("Tarjeta de crédito"),
    "credit_6": PayOutcome("Tarjeta de crédito, 6 cuotas", instalments=6),
    "debit": PayOutcome(
        "Tarjeta de débito", method="debvisa", payment_type="debit_card", card="4373"
    ),
    "prepaid": PayOutcome(
        "Tarjeta de prepago", method="visa", payment_type="prepaid_card", card="2211"
    ),
    "account_money": PayOutcome(
        "Dinero en cuenta",
        method="account_money",
        payment_type="account_money",
        card="",
    ),
}
PENDING = {
    "pending_contingency": PayOutcome(
        "En proceso (contingencia)", "in_process", "pending_contingency"
    ),
    "pending_review_manual": PayOutcome(
        "En revisión manual", "in_process", "pending_review_manual"
    ),
    "pending_waiting_payment": PayOutcome(
        "Pendiente: falta pagar", "pending", "pending_waiting_payment"
    ),
    "pending_waiting_transfer": PayOutcome(
        "Pendiente: espera transferencia", "pending", "pending_waiting_transfer"
    ),
    "pending_challenge": PayOutcome(
        "Pendiente: desafío 3DS", "pending", "pending_challenge"
    ),
    "pending_capture": PayOutcome(
        "Autorizado sin captura", "authorized", "pending_capture"
    ),
}
_CARD_REASONS = (
    "bad_filled_card_number bad_filled_date bad_filled_other bad_filled_security_code "
    "blacklist call_for_authorize card_disabled card_error duplicated_payment "
    "high_risk insufficient_amount invalid_installments max_attempts other_reason "
    "card_type_not_allowed 3ds_mandatory 3ds_challenge time_out"
)
_OTHER_REASONS = (
    "cc_amount_rate_limit_exceeded rejected_by_bank rejected_by_regulations "
    "rejected_by_biz_rule rejected_insufficient_data rejected_high_risk bank_error "
    "insufficient_amount"
)
REJECTIONS = {
    detail: PayOutcome(detail, "rejected", detail, card="8781")
    for detail in (
        *(f"cc_rejected_{reason}" for reason in _CARD_REASONS.split()),
        *_OTHER_REASONS.split(),
    )
}
ODD = {
    "close": PayOutcome("Aprobado, y el navegador nunca vuelve", returns=False),
    "twice": PayOutcome("Aprobado dos veces (dos pestañas)", copies=2),
    "other_amount": PayOutcome("Aprobado por otro monto"),
    "other_currency": PayOutcome("Aprobado en otra moneda"),
    "other_reference": PayOutcome("Aprobado con otra referencia"),
    "other_collector": PayOutcome("Aprobado para otra cuenta"),
    "other_mode": PayOutcome("Aprobado en el otro modo (live_mode)"),
}
PAYING = APPROVALS | PENDING | REJECTIONS | ODD
LEAVE = "leave"
PANEL_ACTS = {
    "approve": "Aprobar",
    "reject": "Rechazar",
    "cancel": "Anular",
    "refund": "Devolver",
    "mediation": "Abrir reclamo",
    "chargeback": "Contracargo",
    "chargeback_won": "Contracargo ganado",
}


def collector_id(access_token: str) -> int:
    """The account number that belongs to this token."""
    digest = hashlib.sha256(access_token.encode()).hexdigest()
    return 100_000_000 + int(digest[:7], 16)


def moment(instant: datetime) -> str:
    """As Mercado Pago writes instants: 2026-11-23T10:04:58.396-04:00."""
    return instant.astimezone(_OFFSET).isoformat(timespec="milliseconds")


def parse_moment(value: object) -> datetime | None:
    """An ISO instant with an offset, or None."""
    try:
        parsed = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _item_problem(item: object) -> str | None:
    if not isinstance(item, dict):
        return "items must be objects"
    if not isinstance(item.get("title"), str) or not item["title"].strip():
        return "title of item needed"
    if not _is_whole(item.get("quantity")):
        return "quantity must be a positive integer"
    if not _is_whole(item.get("unit_price")):
        return "unit_price invalid: CLP accepts no decimals"
    if item.get("currency_id", CURRENCY) != CURRENCY:
        return "currency_id invalid"
    return None


def _address_problem(body: Json) -> str | None:
    back = body.get("back_urls") or {}
    if not isinstance(back, dict):
        return "back_urls must be an object"
    for url in (*back.values(), body.get("notification_url") or "https://x"):
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            return "back_urls and notification_url must be valid URLs"
    return None


def _limits_problem(body: Json) -> str | None:
    if len(str(body.get("external_reference") or "")) > MAX_REFERENCE:
        return "external_reference too long"
    if len(str(body.get("statement_descriptor") or "")) > MAX_DESCRIPTOR:
        return "statement_descriptor too long"
    for name in ("expiration_date_from", "expiration_date_to", "date_of_expiration"):
        if body.get(name) is not None and parse_moment(body[name]) is None:
            return f"{name} must be an ISO 8601 date with offset"
    return None


def _methods_problem(body: Json) -> str | None:
    methods = body.get("payment_methods") or {}
    if not isinstance(methods, dict):
        return "payment_methods must be an object"
    excluded = methods.get("excluded_payment_types") or []
    if not isinstance(excluded, list) or not all(isinstance(e, dict) for e in excluded):
        return "excluded_payment_types must be a list of objects"
    types = [entry.get("id") for entry in excluded]
    return "account_money cannot be excluded" if "account_money" in types else None


def preference_problem(body: Json) -> tuple[str, str] | None:
    """The error's name and text when the preference is refused."""
    items = body.get("items")
    if not isinstance(items, list) or not items:
        return "invalid_items", "items needed"
    for item in items:
        if problem := _item_problem(item):
            return "invalid_items", problem
    if problem := _address_problem(body):
        return "invalid_back_urls", problem
    if body.get("auto_return") and not (body.get("back_urls") or {}).get("success"):
        text = "auto_return invalid. back_url.success must be defined"
        return "invalid_auto_return", text
    problem = _limits_problem(body) or _methods_problem(body)
    return ("bad_request", problem) if problem else None


def total(preference: Json) -> int:
    """Pesos that the preference asks for."""
    return sum(i["quantity"] * i["unit_price"] for i in preference["items"])


def payable_problem(preference: Json, now: datetime) -> str | None:
    """Why the link cannot be paid now, in Spanish; None when it can."""
    if not preference.get("expires"):
        return None
    start = parse_moment(preference.get("expiration_date_from"))
    end = parse_moment(preference.get("expiration_date_to"))
    if start and now < start:
        return "Este enlace de pago todavía no está vigente."
    return "Este enlace de pago venció." if end and now >= end else None


def refunded(payment: Json) -> int:
    return int(payment["transaction_amount_refunded"])


def refund_problem(payment: Json, amount: object, now: datetime) -> str | None:
    """Why a refund is refused; None when it goes on. No `amount`: the rest."""
    if payment["status"] != "approved":
        return "Payment status does not allow a refund"
    approved = parse_moment(payment["date_approved"])
    if approved is None or now - approved > REFUND_LIFE:
        return "The payment is too old to be refunded"
    if amount is None:
        return None
    if not _is_whole(amount):
        return "Invalid amount"
    rest = payment["transaction_amount"] - refunded(payment)
    too_much = isinstance(amount, int) and amount > rest
    return "Amount to refund is greater than the balance" if too_much else None


def apply_refund(payment: Json, refund: Json, now: datetime) -> None:
    """Put a refund on its payment."""
    payment["refunds"].append(refund)
    payment["transaction_amount_refunded"] = refunded(payment) + refund["amount"]
    payment["date_last_updated"] = moment(now)
    whole = refunded(payment) >= payment["transaction_amount"]
    payment["status"] = "refunded" if whole else "approved"
    payment["status_detail"] = "refunded" if whole else "partially_refunded"


def signature(secret: str, payment_id: str, request_id: str, stamp: str) -> str:
    """The `x-signature` header of a notification."""
    manifest = f"id:{payment_id};request-id:{request_id};ts:{stamp};"
    code = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    return f"ts={stamp},v1={code}"
