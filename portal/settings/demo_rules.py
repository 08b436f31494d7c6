"""The demo's business: data that anybody sees is invented, and that works. Pure."""

from typing import Any

DEMO_VALUES: dict[str, Any] = {
    "business_name": "ItplusNet Demo Ltda.",
    "business_rut": "765432103",
    "business_address": "Avenida Demo 123, Santiago",
    "business_email": "contacto@demo.cl",
    "legal_representative": "Persona De Demostración",
    "public_phone": "+56221111111",
    "office_phone": "+56222222222",
    "whatsapp": "+56977777777",
    "support_email": "soporte@demo.cl",
    "special_mobiles": ["+56999999999", "+56988888888"],
    "remote_tool_name": "Escritorio Remoto Demo",
    "remote_tool_url": "https://example.com/",
    "processors": [
        "Hosting Demo; aloja este sitio; Chile",
        "Correo Demo; despacha nuestros correos; Estados Unidos",
    ],
    "on_site_communes": ["Santiago", "Providencia", "Ñuñoa", "Estación Central"],
}
