"""What the customer's page shows, and what it says of the money. Pure."""

from dataclasses import dataclass

from portal.orders import states as order_states
from portal.payments import refund_rules
from portal.payments import states as pay
from portal.support import states as support

REVIEW = "review"
VERIFYING = "verifying"
EXPIRED = "expired"
CANCELLED = "cancelled"
LATE = "late"
REFUNDED = "refunded"
CHARGED_BACK = "charged_back"
ERRAND = "errand"
REFUNDING = "refunding"
REFUND_REJECTED = "refund_rejected"
# The stages of an attention have the names of its states.

# Stages at which a promise to call may be missed.
BEFORE_START = frozenset({support.WAITING, support.TAKEN})
WAIT_SECONDS = 2
REVIEW_SECONDS = 5


_REFUND_STAGES = {
    refund_rules.REQUESTED: REFUNDING,
    refund_rules.SENT: REFUNDING,
    refund_rules.REJECTED: REFUND_REJECTED,
    refund_rules.CONFIRMED: REFUNDED,
    refund_rules.PAID_BY_HAND: REFUNDED,
}


def stage_of(
    *,
    order_state: str,
    work_state: str | None,
    is_attention: bool,
    verifying: bool,
    late_money: bool,
    life_is_over: bool,
    refund_state: str | None,
) -> str:
    """Which of the page's faces fits the order as it stands.

    `refund_state` is of the newest refund of the whole price, None without one.
    """
    if order_state == order_states.AWAITING_PAYMENT:
        if verifying:
            return VERIFYING
        return EXPIRED if life_is_over else REVIEW
    if order_state in (order_states.EXPIRED, order_states.CANCELLED):
        if late_money:
            return _REFUND_STAGES.get(refund_state or "", LATE)
        return EXPIRED if order_state == order_states.EXPIRED else CANCELLED
    if order_state == order_states.REFUNDED:
        return REFUNDED
    if order_state == order_states.CHARGED_BACK:
        return CHARGED_BACK
    if work_state == support.CANCELLED and (is_attention or refund_state):
        # A paid order whose attention is cancelled always has its refund.
        return _REFUND_STAGES.get(refund_state or "", REFUNDING)
    if is_attention and work_state is not None:
        return work_state
    return ERRAND


@dataclass(frozen=True)
class Notice:
    """What became of the last try to pay."""

    kind: str
    title: str
    text: str


_NO_CHARGE = "No se hizo ningún cobro."
_CANCELLED = Notice(
    "warn",
    _NO_CHARGE,
    "Usted anuló la compra en Webpay. Puede volver a intentar o usar otro medio.",
)
_FORM_TIMEOUT = Notice(
    "warn",
    _NO_CHARGE,
    "El tiempo para pagar en el formulario terminó. Puede volver a intentar.",
)
_FORM_ERROR = Notice(
    "warn",
    _NO_CHARGE,
    "El formulario de pago se interrumpió. Puede volver a intentar.",
)
_NOT_OPENED = Notice(
    "warn",
    "No pudimos abrir el medio de pago. No se hizo ningún cobro.",
    "Intente otra vez en un momento, o use el otro medio de pago.",
)
_WEBPAY_REJECTED = Notice(
    "danger",
    "El pago no fue autorizado. No se hizo ningún cobro.",
    "Puede deberse a datos de la tarjeta mal escritos (vencimiento o código de "
    "seguridad), a saldo insuficiente o a una tarjeta aún no habilitada.",
)
_OPEN = Notice(
    "info",
    "Todavía no recibimos su pago.",
    "Si ya pagó, espere: esta página cambia sola. Si no, puede volver a intentar.",
)
_REJECTED_TEXTS = (
    ("insufficient_amount", "Su tarjeta no tiene cupo o saldo suficiente."),
    ("call_for_authorize", "Su banco pide que usted autorice el pago: llámelo."),
    ("bad_filled", "Algún dato de la tarjeta no coincide. Revíselo."),
    ("card_disabled", "Su tarjeta no está habilitada para compras por internet."),
    ("max_attempts", "Alcanzó el límite de intentos con esta tarjeta."),
    (
        "duplicated_payment",
        "Ya hay un pago por este monto: revise sus movimientos antes de insistir.",
    ),
    ("high_risk", "Por seguridad, el pago no se pudo realizar."),
    ("blacklist", "Por seguridad, el pago no se pudo realizar."),
    ("invalid_installments", "Su tarjeta no acepta esa cantidad de cuotas."),
    ("expired", "Se venció el plazo para pagar."),
)


def rejection_text(detail: str) -> str:
    """Mercado Pago's `status_detail` in words for the payer, never accusing."""
    for sign, text in _REJECTED_TEXTS:
        if sign in detail:
            return text
    return "El banco rechazó el pago. Puede llamarlo o usar otro medio."


def notice_of(
    *,
    gateway: str,
    state: str,
    detail: str,
    was_opened: bool,
    rejected_tries: int,
) -> Notice | None:
    """What to say of the last try to pay, on the page that offers to pay again."""
    if state in (pay.FAILED, pay.UNKNOWN) and not was_opened:
        return _NOT_OPENED
    if state == pay.REJECTED and gateway == pay.WEBPAY:
        return _WEBPAY_REJECTED
    if state == pay.REJECTED or (state == pay.REDIRECTED and rejected_tries):
        return Notice(
            "danger",
            "El pago fue rechazado. No se hizo ningún cobro.",
            rejection_text(detail),
        )
    if state == pay.ABORTED:
        return _CANCELLED if detail == "aborted" else _FORM_ERROR
    if state == pay.TIMED_OUT:
        return _FORM_TIMEOUT
    return _OPEN if state == pay.REDIRECTED else None


def suggests_other_gateway(rejections: int) -> bool:
    """After two refusals insisting with one medium may count as risk."""
    return rejections >= 2


@dataclass(frozen=True)
class PaymentType:
    """How Webpay was paid: the receipt's fields 6 and 7."""

    kind: str
    installments: str


_PAYMENT_TYPES = {
    "VD": PaymentType("Débito", "Sin cuotas"),
    "VP": PaymentType("Prepago", "Sin cuotas"),
    "VN": PaymentType("Crédito", "Sin cuotas"),
    "VC": PaymentType("Crédito", "Cuotas normales"),
    "SI": PaymentType("Crédito", "3 cuotas sin interés"),
    "S2": PaymentType("Crédito", "2 cuotas sin interés"),
    "NC": PaymentType("Crédito", "Cuotas sin interés"),
}
_MERCADOPAGO_TYPES = {
    "credit_card": "Crédito",
    "debit_card": "Débito",
    "prepaid_card": "Prepago",
    "account_money": "Dinero en Mercado Pago",
    "bank_transfer": "Transferencia",
}


def payment_type(code: str, installments: int) -> PaymentType:
    """The gateway's code for the means of payment, in words."""
    known = _PAYMENT_TYPES.get(code)
    if known:
        return known
    kind = _MERCADOPAGO_TYPES.get(code, "Otro")
    return PaymentType(kind, "Cuotas" if installments > 1 else "Sin cuotas")


def whatsapp_text(name: str, number: str, paid_hour: str) -> str:
    """The customer's first words on WhatsApp: the number, never link or RUT."""
    return (
        f"Hola, soy {name}. Pagué la atención N° {number} a las {paid_hour}. "
        "Mi problema: "
    )
