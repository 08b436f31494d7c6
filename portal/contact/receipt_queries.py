"""The receipt of a purchase: what it says beside the payment's own columns."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.contact import rules
from portal.contact.queries import Case
from portal.money import split_iva
from portal.orders.document_models import OrderDocument
from portal.orders.tax_rules import receipt_words, voucher_counts
from portal.payments import states as pay


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Derived lines, in pesos; `paper` says which one is the tax document."""

    gateway: str
    net: int
    iva: int
    type: rules.PaymentType
    paper: str


def load_receipt(session: Session, case: Case) -> Receipt | None:
    """The receipt of a paid order, or None."""
    paid = case.applied
    if paid is None:
        return None
    said = paid.evidence or {}
    net, iva = split_iva(paid.amount)
    medium = pay.medium_name(paid.gateway, paid.amount)
    noted = session.get(OrderDocument, case.order.id)
    document = noted.kind if noted else case.order.document
    counts = voucher_counts(
        document, paid.gateway, voucher_is_boleta=case.business.voucher_is_boleta
    )
    return Receipt(
        gateway=medium,
        net=net,
        iva=iva,
        type=rules.payment_type(
            str(said.get("payment_type", "")), int(said.get("installments") or 0)
        ),
        paper=receipt_words(
            document,
            medium,
            counts=counts,
            folio=noted.folio if noted else "",
            issued_on=noted.issued_on if noted else None,
        ),
    )
