"""The checkout form: every field with its type, its limit and its error in Spanish."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from portal.catalog.models import Topic
from portal.catalog.rules import ASISTENCIA_TERRENO, Scope, WindowsBits, check_scope
from portal.chile import parse_phone, parse_tax_rut
from portal.orders.fields_forms import (
    HiddenTextField,
    LongTextField,
    OptionField,
    TextField,
    TickField,
    email_field,
    name_field,
    parse_commune,
    parsed_by,
    phone_field,
    tax_field,
)
from portal.orders.sale_rules import is_sold_by_the_hour
from portal.orders.service import Draft

MIN_PROBLEM = 10
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SUPPORT_FIELDS = ("topic", "windows_bits")
_VISIT_FIELDS = ("address", "commune")
TAX_FIELDS = ("tax_rut", "tax_name", "tax_activity", "tax_address", "tax_commune")
_CHOOSE_TOPIC = "Elija en la lista qué le pasa."
_CHOOSE_COMMUNE = "Elija la comuna de la visita."


class CheckoutForm(FlaskForm):  # type: ignore[misc]
    """All the fields of the contract; each service keeps those that it needs."""

    class Meta:
        # Flask-WTF's CSRFProtect checks every post of the portal, this one too.
        csrf = False

    topic = SelectField(
        "¿Qué le pasa?",
        default="",
        validators=[DataRequired(_CHOOSE_TOPIC)],
        invalid_choice_message=_CHOOSE_TOPIC,
    )
    windows_bits = OptionField(
        "¿De cuántos bits es su Windows?",
        choices=[
            SelectChoice("32", "32 bits"),
            SelectChoice("64", "64 bits"),
            SelectChoice("unknown", "No lo sé"),
        ],
        default="unknown",
        invalid_choice_message="Elija 32 bits, 64 bits o No lo sé.",
    )
    problem = LongTextField(
        "Cuéntenos qué pasa",
        limit=1000,
        description="Qué estaba haciendo y qué dice la pantalla.",
        validators=[
            DataRequired("Cuéntenos qué pasa, en pocas palabras."),
            Length(min=MIN_PROBLEM, message="Cuéntenos un poco más, con una frase."),
        ],
        render_kw={"rows": 4, "maxlength": 1000},
    )
    name = name_field()
    phone = phone_field()
    email = email_field("Le enviamos el comprobante y el enlace de su pedido.")
    address = TextField(
        "Dirección de la visita",
        limit=120,
        description="Calle, número y, si lo hay, local u oficina.",
        validators=[DataRequired("Escriba la dirección de la visita.")],
        render_kw={"autocomplete": "address-line1", "maxlength": 120},
    )
    commune = SelectField(
        "Comuna de la visita",
        default="",
        validators=[DataRequired(_CHOOSE_COMMUNE)],
        invalid_choice_message="Por ahora no visitamos esa comuna.",
        render_kw={"autocomplete": "address-level2"},
    )
    document = OptionField(
        "¿Qué documento necesita?",
        choices=[SelectChoice("boleta", "Boleta"), SelectChoice("factura", "Factura")],
        default="boleta",
        invalid_choice_message="Elija boleta o factura.",
    )
    tax_rut = tax_field(
        "RUT de la empresa",
        20,
        "Escriba el RUT de la empresa.",
        checks=[parsed_by(parse_tax_rut)],
        description="Con guion y dígito, como 12.345.678-5.",
        render_kw={"autocapitalize": "characters", "maxlength": 20},
    )
    tax_name = tax_field(
        "Razón social",
        100,
        "Escriba la razón social.",
        render_kw={"autocomplete": "organization", "maxlength": 100},
    )
    tax_activity = tax_field(
        "Giro", 40, "Escriba el giro.", render_kw={"maxlength": 40}
    )
    tax_address = tax_field(
        "Dirección tributaria",
        70,
        "Escriba la dirección de la empresa.",
        render_kw={"autocomplete": "billing address-line1", "maxlength": 70},
    )
    tax_commune = tax_field(
        "Comuna de la empresa",
        40,
        "Escriba la comuna de la empresa.",
        checks=[parsed_by(parse_commune)],
        render_kw={"autocomplete": "billing address-level2", "maxlength": 40},
    )
    accept_terms = TickField(
        "Acepto los términos",
        validators=[DataRequired("Para continuar debe aceptar los términos.")],
    )
    form_key = HiddenTextField("", limit=64)
    terms_version = HiddenTextField("", limit=9)
    # The secret link's token of the order that this purchase continues.
    caso = HiddenTextField("", default="", limit=64)

    def prepare(
        self,
        slug: str,
        *,
        topics: Mapping[str, Topic],
        communes: Sequence[str],
        terms_version: int,
    ) -> None:
        """Keep the fields that this service asks, with what may be chosen now."""
        self.service_slug = slug
        self.topics = topics
        self.current_terms = terms_version
        if is_sold_by_the_hour(slug):
            self.topic.choices = _topic_choices(topics)
        else:
            self._drop(_SUPPORT_FIELDS)
        if slug == ASISTENCIA_TERRENO:
            self.commune.choices = [
                SelectChoice("", "Elija la comuna"),
                *(SelectChoice(name, name) for name in communes),
            ]
        else:
            self._drop(_VISIT_FIELDS)

    def _drop(self, names: Sequence[str]) -> None:
        for name in names:
            del self[name]

    @property
    def scope(self) -> Scope | None:
        """Whether the support solves what is chosen; None while nothing is."""
        if "topic" not in self:
            return None
        topic = self.topics.get(self.topic.data)
        if topic is None:
            return None
        return check_scope(topic, _bits(self))

    def validate(self, extra_validators: None = None) -> bool:
        """Check every field, and then what only holds for all of them together."""
        valid = bool(super().validate(extra_validators))
        if self.scope is not None and not self.scope.allowed:
            self.mark_scope()
            valid = False
        if self.terms_version.data != str(self.current_terms):
            self.refuse_terms()
            valid = False
        return valid

    def mark_scope(self) -> None:
        """Say beside the right field that the support does not solve this."""
        topic = self.topics.get(self.topic.data)
        if topic is not None and topic.covered:
            self.windows_bits.errors = [
                "El programa no funciona en Windows de 64 bits."
            ]
        else:
            self.topic.errors = ["El soporte en línea no resuelve esto."]

    def refuse_terms(self, reason: str = "") -> None:
        """Ask for the acceptance again, of the terms as they are now."""
        self.accept_terms.data = False
        self.accept_terms.errors = [
            reason or "Los términos cambiaron. Léalos y, si está de acuerdo, acéptelos."
        ]

    def recall(self, form_key: str, terms_version: str) -> None:
        """What the page carried, for a client that sent only what a person fills in."""
        self.form_key.data = self.form_key.data or form_key
        self.terms_version.data = self.terms_version.data or terms_version

    def seal(self) -> None:
        """Give the form its name, unless it has one, and the terms that it shows."""
        if not _FORM_KEY.fullmatch(self.form_key.data):
            self.form_key.data = secrets.token_urlsafe(18)
        self.terms_version.data = str(self.current_terms)

    def to_draft(
        self,
        *,
        remote_address: str,
        user_agent: str,
        session_sha256: str = "",
        parent_id: int | None = None,
    ) -> Draft:
        """What the customer asks for; the form must be valid."""
        factura = self.document.data == "factura"
        tax: dict[str, Any] = {
            name: self[name].data if factura else None for name in TAX_FIELDS
        }
        if factura:
            tax["tax_rut"] = parse_tax_rut(self.tax_rut.data)
            tax["tax_commune"] = parse_commune(self.tax_commune.data)
        return Draft(
            service_slug=self.service_slug,
            name=self.name.data,
            email=self.email.data,
            phone=parse_phone(self.phone.data),
            topic_slug=self.topic.data if "topic" in self else None,
            problem=self.problem.data,
            windows_bits=_bits(self),
            document=self.document.data,
            address=self.address.data if "address" in self else None,
            commune=self.commune.data if "commune" in self else None,
            terms_version=self.current_terms,
            form_key=self.form_key.data,
            remote_address=remote_address,
            user_agent=user_agent,
            session_sha256=session_sha256,
            parent_id=parent_id,
            **tax,
        )


def _bits(form: CheckoutForm) -> WindowsBits:
    found: dict[str, WindowsBits] = {"32": "32", "64": "64"}
    value = form.windows_bits.data if "windows_bits" in form else ""
    return found.get(value, "unknown")


def _topic_choices(topics: Mapping[str, Topic]) -> list[SelectChoice]:
    """The topics in two groups: solved by the support, or by something else."""
    return [
        SelectChoice("", "Elija en la lista"),
        *(
            SelectChoice(
                topic.slug,
                topic.title,
                optgroup=(
                    "Lo resolvemos en línea"
                    if topic.covered
                    else "Necesita otra solución"
                ),
            )
            for topic in topics.values()
        ),
    ]
