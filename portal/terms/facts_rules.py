"""What the text of the terms quotes. Pure."""

from dataclasses import dataclass

# Fixed by the customer's terms; no setting changes it.
ATTENTION_MINUTES = 90


@dataclass(frozen=True, kw_only=True)
class PriceLine:
    """The prices of one service, in pesos with IVA; None: one price at any hour."""

    name: str
    price_normal: int
    price_special: int | None


@dataclass(frozen=True, kw_only=True)
class TermsFacts:
    """Everything that the text quotes and the owner may change.

    Texts are ready to print (RUT and phone formatted) and empty while not set.
    """

    business_name: str
    product_name: str
    business_rut: str
    business_address: str
    legal_representative: str
    business_email: str
    public_phone: str
    prices: tuple[PriceLine, ...]
    weekly: tuple[tuple[str, str], ...]
    promise_minutes: int
    no_answer_minutes: int
    last_sale_minutes: int
    order_life_minutes: int
    pause_limit_minutes: int
    warranty_days: int
    voucher_is_boleta: bool = False


def minutes(count: int) -> str:
    """1 -> '1 minuto'."""
    return f"{count} minuto" if count == 1 else f"{count} minutos"
