"""What the owner edits, a form a group; every field is named as its setting."""

from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField

from portal.admin.fields_forms import (
    TypedField,
    lines_field,
    parse_address,
    parse_commune,
    parse_email,
    whole_field,
    yes_no_field,
)
from portal.chile import (
    format_phone,
    format_rut,
    is_mobile,
    parse_phone,
    parse_tax_rut,
)
from portal.settings.rules import BusinessSettings
from portal.terms.rules import QUOTED
from portal.text import clean_text

MAX_VERSION = 9


class SettingsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """One group of settings; `version` is theirs when the page was made."""

    title = ""
    lead = ""
    version = HiddenField()

    def fields(self) -> Iterator[TypedField]:
        """The fields that a person fills in."""
        return (field for field in self if isinstance(field, TypedField))

    def values(self) -> dict[str, Any]:
        """Setting -> value; the form must be valid."""
        return {field.short_name: field.value for field in self.fields()}

    @staticmethod
    def stored(business: BusinessSettings) -> dict[str, Any]:
        """Field -> value as it is stored now."""
        return {name: getattr(business, name) for name in business.__dict__}

    @property
    def is_quoted(self) -> bool:
        """Whether the terms quote any of these values."""
        return not QUOTED.isdisjoint(self.values())

    @property
    def seen_version(self) -> int:
        """The version that the page showed; one that no page showed fits none."""
        text = str(self.version.data or "")
        good = text.isascii() and text.isdigit() and len(text) <= MAX_VERSION
        return int(text) if good else -1


def _phone(label: str, **kw: Any) -> TypedField:
    return TypedField(
        label,
        limit=30,
        parse=parse_phone,
        show=format_phone,
        type="tel",
        inputmode="tel",
        **kw,
    )


def _email(label: str, **kw: Any) -> TypedField:
    return TypedField(label, parse=parse_email, type="email", inputmode="email", **kw)


def _parse_mobile(text: str) -> str:
    phone = parse_phone(text)
    if not is_mobile(phone):
        raise ValueError("Debe ser un celular, como 9 8765 4321.")
    return phone


class BusinessForm(SettingsForm):
    """Who sells, as consumer law asks every page to say."""

    title = "Datos de la empresa"
    lead = "Quién vende. Están al pie de las páginas, en los correos y en los términos."
    business_name = TypedField(
        "Razón social", limit=80, required="Escriba la razón social."
    )
    product_name = TypedField(
        "Nombre del programa",
        limit=80,
        required="Escriba el nombre del programa.",
    )
    business_rut = TypedField(
        "RUT de la empresa",
        limit=20,
        parse=parse_tax_rut,
        show=format_rut,
        description="Con guion y dígito, como 76.543.210-3.",
    )
    business_address = TypedField("Dirección", limit=120)
    business_email = _email(
        "Correo de la empresa", description="Para reclamos y datos personales."
    )
    legal_representative = TypedField("Representante legal", limit=80)
    public_phone = _phone(
        "Teléfono público",
        description="Lo pide la ley y está al pie de cada página. No es para atender.",
    )


class ChannelsForm(SettingsForm):
    """How a customer who has paid is attended."""

    title = "Teléfonos y canales"
    lead = "Solo los ve quien ya pagó, según el horario en que está."
    office_phone = _phone("Teléfono de la oficina", description="En horario normal.")
    whatsapp = TypedField(
        "WhatsApp",
        limit=30,
        parse=_parse_mobile,
        show=format_phone,
        type="tel",
        inputmode="tel",
        description="Un celular; en horario normal.",
    )
    support_email = _email("Correo de soporte", description="En horario normal.")
    first_mobile = TypedField(
        "Primer celular del horario especial",
        limit=30,
        required="En horario especial se muestran dos celulares: escriba el primero.",
        parse=_parse_mobile,
        show=format_phone,
        type="tel",
        inputmode="tel",
    )
    second_mobile = TypedField(
        "Segundo celular del horario especial",
        limit=30,
        required="En horario especial se muestran dos celulares: escriba el segundo.",
        parse=_parse_mobile,
        show=format_phone,
        type="tel",
        inputmode="tel",
    )
    remote_tool_name = TypedField("Programa de acceso remoto", limit=60)
    remote_tool_url = TypedField(
        "Dirección para bajarlo",
        limit=200,
        parse=parse_address,
        type="url",
        inputmode="url",
    )

    def values(self) -> dict[str, Any]:
        """Both mobiles are one setting."""
        values = super().values()
        mobiles = values.pop("first_mobile"), values.pop("second_mobile")
        return {**values, "special_mobiles": mobiles}

    @staticmethod
    def stored(business: BusinessSettings) -> dict[str, Any]:
        """The two mobiles apart."""
        first, second = (*business.special_mobiles, "", "")[:2]
        values = SettingsForm.stored(business)
        return {**values, "first_mobile": first, "second_mobile": second}

    def validate(self, extra_validators: None = None) -> bool:
        """Two mobiles are two different ones."""
        valid = bool(super().validate(extra_validators))
        if valid and self.first_mobile.value == self.second_mobile.value:
            self.second_mobile.errors = ["Debe ser otro número que el primero."]
            return False
        return valid


class TermsOfServiceForm(SettingsForm):
    """The minutes and days that we promise."""

    title = "Plazos y pausas"
    lead = (
        "Cambian desde la próxima página que se abra; lo ya vendido conserva lo suyo."
    )
    promise_minutes = whole_field(
        "Promesa de llamada", 1, 240, description="Minutos de horario normal."
    )
    no_answer_minutes = whole_field(
        "«No me contestan»", 1, 120, description="Minutos, en horario especial."
    )
    last_sale_minutes = whole_field(
        "Última venta del día", 0, 240, description="Minutos antes del último cierre."
    )
    order_life_minutes = whole_field(
        "Vida de un pedido sin pagar", 10, 1440, description="Minutos."
    )
    pause_limit_minutes = whole_field(
        "Límite de pausas de una atención", 0, 240, description="Minutos en total."
    )
    warranty_days = whole_field("Garantía", 0, 365, description="Días.")
    pause_reasons = lines_field(
        "Motivos de pausa",
        lambda line: clean_text(line, 120),
        required="Escriba al menos un motivo de pausa.",
        description="Uno por línea. El cliente los ve.",
    )


class DocumentsForm(SettingsForm):
    """Which paper is the boleta of who pays with a card."""

    title = "Boletas"
    lead = (
        "El modelo de emisión que su empresa informó al SII. Si no está segura, deje "
        "«no» y emita siempre la boleta: pregunte a su contadora y al medio de pago."
    )
    voucher_is_boleta = yes_no_field(
        "El voucher de Webpay y Mercado Pago vale como boleta",
        description="Sí o no. Una transferencia lleva siempre boleta.",
    )


class OnCallForm(SettingsForm):
    """Whom the portal alerts when a customer is not being attended."""

    title = "Avisos de turno"
    lead = (
        "Quién recibe un correo cuando se incumple la promesa o un cliente dice que no "
        "le contestan. La dueña los recibe siempre."
    )
    on_call_normal = lines_field(
        "En horario normal", parse_email, description="Un correo por línea."
    )
    on_call_special = lines_field(
        "En horario especial", parse_email, description="Un correo por línea."
    )


class CommunesForm(SettingsForm):
    """Where a technician visits."""

    title = "Comunas de las visitas"
    lead = "Sin ninguna, la asistencia en terreno se vende en las comunas de Santiago."
    on_site_communes = lines_field(
        "Comunas", parse_commune, rows=12, description="Una por línea."
    )


def _parse_processor(line: str) -> str:
    parts = [" ".join(part.split()) for part in line.split(";")]
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"Escriba nombre; para qué; país. Revise «{line[:40]}».")
    return clean_text("; ".join(parts), 200)


class ProcessorsForm(SettingsForm):
    """Who treats personal data for the business: the notice names them."""

    title = "Encargados de datos"
    lead = (
        "Empresas que ven datos de sus clientes por encargo suyo, con contrato: quien "
        "aloja el portal, quien despacha los correos, el programa de acceso remoto. Al "
        "guardar se publica sola, en un minuto, la nueva versión de la política de "
        "privacidad. Mercado Pago y Webpay ya están en ella."
    )
    processors = lines_field(
        "Encargados",
        _parse_processor,
        rows=6,
        description=(
            "Uno por línea: nombre; para qué; país. "
            "Como «Hosting Sur; aloja este sitio; Chile»."
        ),
    )


GROUPS: dict[str, type[SettingsForm]] = {
    "empresa": BusinessForm,
    "canales": ChannelsForm,
    "plazos": TermsOfServiceForm,
    "boletas": DocumentsForm,
    "turnos": OnCallForm,
    "comunas": CommunesForm,
    "encargados": ProcessorsForm,
}
