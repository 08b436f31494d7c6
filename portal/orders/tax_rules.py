"""Which paper is the tax document of a purchase. Pure.

The seller is a company that charges IVA on every service, so there is one tax mode. Its
invoicing is done apart; the portal's own page is never a boleta.
"""

from datetime import date

from portal.chile import format_date

BOLETA = "boleta"
# The SII lets the voucher of an electronic payment count; a transfer is none.
ELECTRONIC = ("webpay", "mercadopago")


def voucher_counts(document: str, gateway: str, *, voucher_is_boleta: bool) -> bool:
    """Whether the gateway's voucher is this purchase's boleta already."""
    return voucher_is_boleta and document == BOLETA and gateway in ELECTRONIC


def receipt_words(
    document: str, medium: str, *, counts: bool, folio: str, issued_on: date | None
) -> str:
    """What the receipt says of itself, under its title."""
    if folio and issued_on:
        return (
            f"No es documento tributario: su {document} es la N° {folio}, del "
            f"{format_date(issued_on)}."
        )
    if counts:
        return f"Su boleta es el voucher que le entregó {medium}: vale como boleta."
    return f"No es documento tributario: su {document} llega por separado."
