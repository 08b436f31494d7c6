"""What a customer asks for, before it is an order. Pure."""

from dataclasses import dataclass

from portal.catalog.rules import WindowsBits
from portal.terms.rules import CHECKOUT_TEMPLATE


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a customer asks for, checked field by field; `phone` is E.164.

    `form_key` was made with the form: the same key is the same purchase.
    """

    service_slug: str
    name: str
    email: str
    phone: str
    topic_slug: str | None
    problem: str
    windows_bits: WindowsBits
    document: str
    tax_rut: str | None
    tax_name: str | None
    tax_activity: str | None
    tax_address: str | None
    tax_commune: str | None
    address: str | None
    commune: str | None
    terms_version: int
    form_key: str
    remote_address: str
    user_agent: str
    # SHA-256 of what tells this browser from others; of the session, never itself.
    session_sha256: str = ""
    template_version: str = CHECKOUT_TEMPLATE
    parent_id: int | None = None


# What the customer may still correct while the order is not paid.
CORRECTABLE = (
    "topic_slug",
    "problem",
    "windows_bits",
    "document",
    "tax_rut",
    "tax_name",
    "tax_activity",
    "tax_address",
    "tax_commune",
    "address",
    "commune",
)
