"""What may be given back of a payment, told before the owner asks for it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.chile import format_date, format_hour
from portal.money import format_pesos
from portal.payments import states
from portal.payments.refund_rules import LIMITS

# Transbank: all of it within three hours is undone as if it had not been.
REVERSAL = timedelta(hours=3)

REASONS = {
    states.SURPLUS: "Pago de más: el pedido ya estaba pagado",
    states.LATE: "Llegó tarde: el pedido ya no esperaba pago",
    states.MISMATCH: "El cobro no coincide con el pedido",
}


@dataclass(frozen=True, slots=True)
class Giving:
    """What the gateway's rules allow: `whole` and `part` are None when they do."""

    left: int
    whole: str | None
    part: str | None

    @property
    def allowed(self) -> bool:
        return self.whole is None or self.part is None


def told(
    giving: Giving, gateway: str, approved_at: datetime | None, now: datetime
) -> list[str]:
    """The rules in words, for above the form."""
    if not giving.allowed:
        return [giving.whole or ""]
    lines = [_how_much(giving)]
    if approved_at is not None and gateway in LIMITS:
        until = format_date(approved_at + LIMITS[gateway])
        lines.append(f"Se puede hasta el {until}.")
    if approved_at is not None and gateway == states.WEBPAY:
        reversal_ends = approved_at + REVERSAL
        if now < reversal_ends and giving.whole is None:
            lines.append(
                f"Completa y antes de las {format_hour(reversal_ends)}, Webpay la "
                "reversa al instante; después la anula y el banco tarda unos días."
            )
    return lines


def _how_much(giving: Giving) -> str:
    left = format_pesos(giving.left)
    if giving.part is not None:
        return f"Solo completa, {left}. {giving.part}"
    return f"Hasta {left}, en todo o en parte."
