"""Which paper is the tax document: a setting for cards, a boleta for all the rest."""

from datetime import date

import pytest

from portal.orders.tax_rules import receipt_words, voucher_counts


@pytest.mark.parametrize(
    ("document", "gateway", "setting", "counts"),
    [
        ("boleta", "webpay", True, True),
        ("boleta", "mercadopago", True, True),
        ("boleta", "webpay", False, False),  # CL-62: always issue, unless told
        ("boleta", "manual", True, False),  # CL-63: a transfer needs its boleta
        ("factura", "webpay", True, False),
    ],
)
def test_only_a_card_s_voucher_counts_and_only_as_boleta(
    document: str, gateway: str, setting: bool, counts: bool
) -> None:
    assert voucher_counts(document, gateway, voucher_is_boleta=setting) is counts


def test_the_receipt_never_calls_itself_a_tax_document() -> None:
    day = date(2026, 11, 24)

    def words(counts: bool, folio: str) -> str:
        return receipt_words(
            "boleta", "Webpay", counts=counts, folio=folio, issued_on=day
        )

    assert (
        words(False, "") == "No es documento tributario: su boleta llega por separado."
    )
    assert "N° 77, del 24-11-2026" in words(True, "77")
    assert words(True, "") == (
        "Su boleta es el voucher que le entregó Webpay: vale como boleta."
    )
