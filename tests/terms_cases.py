"""What tests of the terms let the text quote."""

from portal.hours.queries import DEFAULT_CALENDAR
from portal.hours.rules import weekly_text
from portal.terms.rules import PriceLine, TermsFacts

FACTS = TermsFacts(
    business_name="ItplusNet Ltda.",
    product_name="Punto de Venta y Gestión ItplusNet",
    business_rut="12.345.678-5",
    business_address="Calle Inventada 123, Santiago",
    legal_representative="Olive Dueña",
    business_email="hola@demo.cl",
    public_phone="+56 2 2345 6789",
    prices=(
        PriceLine(name="Soporte en línea", price_normal=19_990, price_special=29_990),
        PriceLine(name="Reinstalación", price_normal=45_990, price_special=None),
    ),
    weekly=tuple(weekly_text(DEFAULT_CALENDAR)),
    promise_minutes=10,
    no_answer_minutes=5,
    last_sale_minutes=30,
    order_life_minutes=30,
    pause_limit_minutes=30,
    warranty_days=30,
)
