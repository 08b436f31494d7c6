"""Webpay Plus's rules as pure functions: fields, states, commit, refunds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.simulator.store import Json

FORM_LIFE = timedelta(minutes=10)
# Transbank gives no number: an approval that nobody confirms is reversed in the end.
COMMIT_DEADLINE = timedelta(minutes=10)
STATUS_LIFE = timedelta(days=7)
REVERSAL_LIFE = timedelta(hours=3)
REFUND_LIFE = timedelta(days=90)
MAX_LENGTHS = {"buy_order": 26, "session_id": 61, "return_url": 255}
MAX_AMOUNT = 999_999_999
_ORDER_CHARACTERS = set("|_=&%.,~:/?[+!@()>-")
TOTAL_ONLY = {
    "VD": "Debit or prepaid transactions only allow total refunds",
    "VP": "Debit or prepaid transactions only allow total refunds",
    "VC": "Partial nullification not allowed for instalments",
    "SI": "Partial nullification not allowed for instalments",
    "S2": "Partial nullification not allowed for instalments",
    "NC": "Partial nullification not allowed for instalments",
}

LOCKED = "Transaction already locked by another process"
NOT_FOUND = "Invalid value for parameter: transaction not found"
TOO_EARLY = (
    "Invalid status '10' for transaction while authorizing. "
    "Commerce will be notified by webpay to authorize"
)
TOO_OLD = "The transactions's date has passed max time (7 days) to recover the status"


@dataclass(frozen=True)
class BankAnswer:
    """What the bank says when the payer picks this button."""

    label: str
    payment_type: str = "VN"
    card: str = "6623"
    response_code: int = 0
    instalments: int = 0
    shows_instalment: bool = False

    @property
    def approves(self) -> bool:
        return self.response_code == 0


APPROVALS = {
    "visa": BankAnswer("Visa crédito"),
    "amex": BankAnswer("American Express", card="2032"),
    "redcompra": BankAnswer("Redcompra débito", "VD", "7763"),
    "prepaid": BankAnswer("Prepago Visa", "VP", "6590"),
    "instalments": BankAnswer(
        "6 cuotas, con el valor de la cuota", "VC", "6623", 0, 6, True
    ),
    "instalments_null": BankAnswer(
        "6 cuotas, sin el valor de la cuota", "VC", "6623", 0, 6
    ),
    "interest_free_3": BankAnswer(
        "3 cuotas sin interés (SI)", "SI", "6623", 0, 3, True
    ),
    "interest_free_2": BankAnswer(
        "2 cuotas sin interés (S2)", "S2", "6623", 0, 2, True
    ),
    "interest_free_n": BankAnswer(
        "10 cuotas sin interés (NC)", "NC", "6623", 0, 10, True
    ),
}
REJECTIONS = {
    "rejected": BankAnswer("Rechazado: Mastercard (-1)", "VN", "0568", -1),
    "rejected_redcompra": BankAnswer("Rechazado: Redcompra (-4)", "VD", "3829", -4),
    "rejected_prepaid": BankAnswer("Rechazado: prepago (-3)", "VP", "9480", -3),
    **{
        f"rejected_{code}": BankAnswer(f"Rechazado ({-code})", "VN", "0568", -code)
        for code in range(2, 12)
    },
}
ODD = {
    "close": BankAnswer("Aprobado, y el navegador nunca vuelve"),
    "double": BankAnswer("Aprobado, con otra llamada de servidor a servidor"),
    "other_amount": BankAnswer("Aprobado por otro monto"),
    "other_order": BankAnswer("Aprobado con otra orden de compra"),
    "other_session": BankAnswer("Aprobado con otra sesión"),
    "abo": BankAnswer("Código 0 sin autorización (vci ABO)"),
}
BANK = APPROVALS | REJECTIONS | ODD
LEAVING = {
    "aborted": "Anular compra y volver",
    "timeout": "Se acabó el tiempo del formulario",
    "form_error": "Error del formulario o pestaña recuperada",
}


def parse_amount(value: object) -> int | None:
    """Whole positive pesos from a string or an integer, else None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 17):
        return None
    amount = int(text)
    return amount if 0 < amount <= MAX_AMOUNT else None


def creation_problem(body: Json) -> str | None:
    """What Webpay refuses in a `create`, in its words; None when it is right."""
    for name, longest in MAX_LENGTHS.items():
        value = body.get(name)
        if value is None:
            return f"{name} is required!"
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            return f"Invalid value for parameter: {name}"
    order = body["buy_order"]
    if not all((c.isascii() and c.isalnum()) or c in _ORDER_CHARACTERS for c in order):
        return "Invalid value for parameter: buy_order"
    if not body["return_url"].startswith(("http://", "https://")):
        return "Invalid value for parameter: return_url"
    if body.get("amount") is None:
        return "amount is required!"
    return (
        None if parse_amount(body["amount"]) else "Invalid value for parameter: amount"
    )


def instant(text: str) -> datetime:
    """The instant that a record holds."""
    return datetime.fromisoformat(text)


def form_is_over(record: Json, now: datetime) -> bool:
    """Whether the payer's time in the form has run out."""
    return now - instant(record["created_at"]) > FORM_LIFE


def status_of(record: Json, now: datetime) -> str:
    """Webpay's status of the transaction at `now`."""
    if record["stage"] == "committed":
        return str(record["status"])
    if record["stage"] != "decided" or record["outcome"] == "abo":
        return "INITIALIZED"
    if now - instant(record["decided_at"]) <= COMMIT_DEADLINE:
        return "INITIALIZED"
    return "REVERSED" if BANK[record["outcome"]].approves else "FAILED"


def commit_refusal(record: Json, now: datetime) -> str | None:
    """Why a commit is refused, in Webpay's words; None when it goes on."""
    stage = record["stage"]
    if stage == "committed":
        state = str(record["status"]).lower()
        return f"Transaction has an invalid finished state: {state}"
    if stage in ("aborted", "timed_out"):
        return "Transaction has an invalid finished state: aborted"
    if stage != "decided" or record["outcome"] == "abo":
        return TOO_EARLY
    if now - instant(record["decided_at"]) > COMMIT_DEADLINE:
        return "Transaction has an invalid finished state: aborted"
    return None


def utc_text(moment: datetime) -> str:
    """As Webpay writes instants: 2019-05-22T16:41:21.063Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def refunded(record: Json) -> int:
    """Pesos given back so far."""
    return sum(int(refund["amount"]) for refund in record["refunds"])


def charged(record: Json) -> int:
    """Pesos that the bank took: not what was asked for when it approved another sum."""
    extra = 1000 if record["outcome"] == "other_amount" else 0
    return int(record["amount"]) + extra


def _as_sent(record: Json) -> Json:
    outcome = record["outcome"]
    order, session = record["buy_order"], record["session_id"]
    return {
        "amount": charged(record),
        "buy_order": f"otra-{order}"[:26] if outcome == "other_order" else order,
        "session_id": f"otra-{session}"[:61] if outcome == "other_session" else session,
    }


def _bank_fields(record: Json, answer: BankAnswer) -> Json:
    fields: Json = {
        "vci": "TSY" if answer.approves else "TSN",
        "card_detail": {"card_number": answer.card},
        "payment_type_code": answer.payment_type,
        "response_code": answer.response_code,
        "installments_number": answer.instalments,
    }
    if answer.approves:
        fields["authorization_code"] = record["authorization_code"]
    if answer.instalments:
        each = charged(record) // answer.instalments
        fields["installments_amount"] = each if answer.shows_instalment else None
    if refunded(record):
        fields["balance"] = charged(record) - refunded(record)
    return fields


def transaction_view(record: Json, now: datetime) -> Json:
    """The JSON of `commit` and `status`."""
    created = instant(record["created_at"])
    status = status_of(record, now)
    view = {
        "status": status,
        **_as_sent(record),
        "accounting_date": created.strftime("%m%d"),
        "transaction_date": utc_text(created),
        "installments_number": 0,
    }
    if record["outcome"] == "abo":
        return {**view, "vci": "ABO", "response_code": 0}
    if status == "INITIALIZED":
        return view
    return {**view, **_bank_fields(record, BANK[record["outcome"]])}


def refund_refusal(record: Json, amount: int | None, now: datetime) -> str | None:
    """Why a refund is refused; None when it goes on."""
    if record["stage"] != "committed" or record["status"] == "FAILED":
        return "Transaction not found"
    if record["status"] in ("REVERSED", "NULLIFIED"):
        return "Transaction already nullified"
    if amount is None:
        return "Invalid value for parameter: amount"
    if now - instant(record["committed_at"]) > REFUND_LIFE:
        return "Nullification period exceeded"
    if amount > charged(record) - refunded(record):
        return "Amount to refund is bigger than the balance"
    if amount < charged(record):
        return TOTAL_ONLY.get(BANK[record["outcome"]].payment_type)
    return None


def refund_type(record: Json, amount: int, now: datetime) -> str:
    """REVERSED for the total in the first three hours, NULLIFIED otherwise."""
    young = now - instant(record["committed_at"]) < REVERSAL_LIFE
    return "REVERSED" if young and amount == charged(record) else "NULLIFIED"


def status_after_refund(record: Json, kind: str) -> str:
    """The transaction's status once the refund is in its list."""
    if kind == "REVERSED":
        return "REVERSED"
    whole = refunded(record) == charged(record)
    return "NULLIFIED" if whole else "PARTIALLY_NULLIFIED"
