"""The owner's values with their defaults. Nothing here is invented: what only the owner
can know (phones, RUT, address) is empty until it is set."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class BusinessSettings:
    """What the owner edits. Minutes are whole minutes; phones are E.164."""

    # Who sells. Shown to every customer, as consumer law asks.
    business_name: str = "ItplusNet Ltda."
    product_name: str = "Punto de Venta y Gestión ItplusNet"
    business_rut: str = ""
    business_address: str = ""
    business_email: str = ""
    legal_representative: str = ""
    public_phone: str = ""
    # How the customer is attended.
    office_phone: str = ""
    whatsapp: str = ""
    support_email: str = ""
    special_mobiles: tuple[str, ...] = ()
    remote_tool_name: str = ""
    remote_tool_url: str = ""
    # Rules of sale and attention.
    promise_minutes: int = 10
    last_sale_minutes: int = 30
    order_life_minutes: int = 30
    no_answer_minutes: int = 5
    pause_limit_minutes: int = 30
    pause_reasons: tuple[str, ...] = (
        "El cliente lo pidió",
        "El equipo se está reiniciando",
        "Esperamos a un tercero",
        "Se cortó la conexión",
    )
    warranty_days: int = 30
    # The SII's "modelo de emisión": whether a card's voucher is the boleta already.
    voucher_is_boleta: bool = False
    sales_stopped: bool = False
    sales_stopped_message: str = ""
    on_call_normal: tuple[str, ...] = ()
    on_call_special: tuple[str, ...] = ()
    on_site_communes: tuple[str, ...] = field(default=())
    # Who treats personal data for us: "name; what for; country" each.
    processors: tuple[str, ...] = ()


NAMES = frozenset(BusinessSettings.__dataclass_fields__)
