"""An order opened by hand, and the document of an order."""

import re
import secrets
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from portal.admin.fields_forms import TypedField, parse_commune, parse_email
from portal.admin.hours_forms import day_field
from portal.catalog.models import Service, Topic
from portal.catalog.rules import ASISTENCIA_TERRENO, SOPORTE_ONLINE
from portal.chile import format_rut, parse_phone, parse_tax_rut
from portal.money import parse_pesos
from portal.orders.draft_rules import Draft
from portal.payments.manual import FREE, TRANSFER

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TAX = {
    "tax_rut": "Escriba el RUT de la empresa.",
    "tax_name": "Escriba la razón social.",
    "tax_activity": "Escriba el giro.",
    "tax_address": "Escriba la dirección de la empresa.",
    "tax_commune": "Escriba la comuna de la empresa.",
}
_DOCUMENTS = [SelectChoice("boleta", "Boleta"), SelectChoice("factura", "Factura")]


def _parse_amount(text: str) -> int:
    try:
        return parse_pesos(text)
    except ValueError as error:
        raise ValueError("Escriba el monto en pesos, como 19.990.") from error


def _parse_folio(text: str) -> str:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError("El folio lleva solo números.")
    return text.lstrip("0")


class HandForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What the owner types of an order that no gateway paid."""

    form_key = HiddenField()
    kind = RadioField(
        "Cómo se pagó",
        choices=[
            SelectChoice(TRANSFER, "Por transferencia"),
            SelectChoice(FREE, "Sin costo para el cliente"),
        ],
        default=TRANSFER,
        invalid_choice_message="Elija transferencia o sin costo.",
    )
    amount = TypedField(
        "Monto recibido, IVA incluido",
        limit=20,
        parse=_parse_amount,
        empty=0,
        inputmode="numeric",
        description="En blanco si es sin costo.",
    )
    reason = TypedField(
        "Motivo",
        limit=300,
        required="Escriba el motivo.",
        description="Como «Transferencia del 24-11». Queda en el historial.",
    )
    service = SelectField(
        "Servicio", invalid_choice_message="Elija un servicio de la lista."
    )
    topic = SelectField(
        "Qué le pasa (soporte online)",
        default="",
        invalid_choice_message="Elija un tema de la lista.",
    )
    problem = TypedField(
        "Detalle",
        limit=1000,
        required="Cuente qué pasa, para el técnico.",
        multiline=True,
        rows=3,
    )
    name = TypedField("Nombre del cliente", limit=80, required="Escriba el nombre.")
    phone = TypedField(
        "Teléfono",
        limit=30,
        required="Escriba el teléfono.",
        parse=parse_phone,
        type="tel",
        inputmode="tel",
    )
    email = TypedField(
        "Correo",
        required="Escriba el correo.",
        parse=parse_email,
        type="email",
        inputmode="email",
        description="Recibe el comprobante y el enlace de su pedido.",
    )
    address = TypedField("Dirección (visita)", limit=120)
    commune = TypedField("Comuna (visita)", limit=40, parse=parse_commune)
    document = RadioField(
        "Documento",
        choices=_DOCUMENTS,
        default="boleta",
        invalid_choice_message="Elija boleta o factura.",
    )
    tax_rut = TypedField(
        "RUT (factura)", limit=20, parse=parse_tax_rut, show=format_rut
    )
    tax_name = TypedField("Razón social (factura)", limit=100)
    tax_activity = TypedField("Giro (factura)", limit=40)
    tax_address = TypedField("Dirección (factura)", limit=70)
    tax_commune = TypedField("Comuna (factura)", limit=40, parse=parse_commune)

    def prepare(self, services: list[Service], topics: list[Topic]) -> None:
        """Offer what is sold, and give the form its own name."""
        self.service.choices = [SelectChoice(it.slug, it.name) for it in services]
        self.topic.choices = [
            SelectChoice("", "Elija en la lista"),
            *(SelectChoice(it.slug, it.title) for it in topics if it.covered),
        ]
        if not _FORM_KEY.fullmatch(str(self.form_key.data or "")):
            self.form_key.data = secrets.token_urlsafe(18)

    def validate(self, extra_validators: None = None) -> bool:
        """Check every field, and then what only holds for all of them together."""
        super().validate(extra_validators)
        self._check_money()
        if self.service.data == SOPORTE_ONLINE and not self.topic.data:
            self.topic.errors = ["Elija qué le pasa al cliente."]
        if self.service.data == ASISTENCIA_TERRENO:
            self._require("address", "Escriba la dirección de la visita.")
            self._require("commune", "Escriba la comuna de la visita.")
        if self.document.data == "factura":
            for name, message in _TAX.items():
                self._require(name, message)
        return not self.errors

    def _check_money(self) -> None:
        if self.amount.errors:
            return
        if self.kind.data == FREE and self.amount.value:
            self.amount.errors = ["Sin costo no lleva monto: déjelo en blanco."]
        if self.kind.data == TRANSFER and not self.amount.value:
            self.amount.errors = ["Escriba el monto que recibió, mayor que cero."]

    def _require(self, name: str, message: str) -> None:
        if not self[name].errors and not self[name].value:
            self[name].errors = [message]

    def draft(self) -> Draft:
        """What the customer bought; the form must be valid."""
        visits = self.service.data == ASISTENCIA_TERRENO
        factura = self.document.data == "factura"
        tax: dict[str, Any] = {n: self[n].value if factura else None for n in _TAX}
        return Draft(
            service_slug=self.service.data,
            name=self.name.value,
            email=self.email.value,
            phone=self.phone.value,
            topic_slug=self.topic.data if self.service.data == SOPORTE_ONLINE else None,
            problem=self.problem.value,
            windows_bits="unknown",
            document=self.document.data,
            address=self.address.value if visits else None,
            commune=self.commune.value if visits else None,
            terms_version=0,
            form_key=str(self.form_key.data),
            remote_address="",
            user_agent="",
            **tax,
        )


class DocumentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The boleta or factura that was issued apart."""

    kind = RadioField(
        "Documento", choices=_DOCUMENTS, invalid_choice_message="Elija uno."
    )
    folio = TypedField(
        "Folio",
        limit=12,
        required="Escriba el folio.",
        parse=_parse_folio,
        inputmode="numeric",
    )
    issued_on = day_field("Fecha de emisión", required="Escriba la fecha.")
