"""Prices and topics, as the owner writes them."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from portal.admin.fields_forms import TypedField, price_field
from portal.catalog.models import Service, Topic
from portal.catalog.rules import SOPORTE_ONLINE, price_mark, topic_mark
from portal.catalog.topics_service import TopicDraft


class PriceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The prices of one service; `seen` are those that the page showed."""

    seen = HiddenField()
    price_normal = price_field("Precio en horario normal")
    price_special = price_field("Precio en horario especial")

    @classmethod
    def of(cls, service: Service, *, sent: bool) -> "PriceForm":
        """The form of a service: as it was sent, or with its prices."""
        values = {
            "seen": price_mark(service),
            "price_normal": service.price_normal,
            "price_special": service.price_special,
        }
        kept: dict[str, Any] = {} if sent else {"formdata": None, "data": values}
        form = cls(prefix=service.slug, **kept)
        if service.price_special is None:
            del form.price_special
            form.price_normal.label.text = "Precio"
        return form

    def prices(self) -> tuple[int, int | None]:
        """Pesos; the form must be valid."""
        special = self.price_special.value if "price_special" in self else None
        return self.price_normal.value, special


class TopicForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """One topic; `seen` marks what the page showed."""

    seen = HiddenField()
    title = TypedField(
        "Qué le pasa al cliente",
        limit=120,
        required="Escriba el tema como lo diría el cliente.",
    )
    covered = RadioField(
        "¿Lo resuelve el soporte en línea?",
        choices=[SelectChoice("yes", "Sí, se vende"), SelectChoice("no", "No")],
        default="yes",
        invalid_choice_message="Elija sí o no.",
    )
    answer = TypedField(
        "Respuesta que lee el cliente",
        limit=600,
        required="Escriba la respuesta.",
        multiline=True,
        rows=4,
        description="La lee antes de pagar, apenas elige el tema.",
    )
    service_slug = SelectField(
        "Si no lo resuelve, servicio que sí",
        default="",
        invalid_choice_message="Elija un servicio de la lista.",
    )
    active = BooleanField("Se ofrece a los clientes", default=True)

    def prepare(self, services: list[Service]) -> None:
        """Offer the services that may solve what the support does not."""
        self.service_slug.choices = [
            SelectChoice("", "Ninguno"),
            *(
                SelectChoice(service.slug, service.name)
                for service in services
                if service.slug != SOPORTE_ONLINE
            ),
        ]

    @staticmethod
    def stored(topic: Topic) -> dict[str, Any]:
        """Field -> value as it is stored."""
        return {
            "seen": topic_mark(topic),
            "title": topic.title,
            "covered": "yes" if topic.covered else "no",
            "answer": topic.answer,
            "service_slug": topic.service_slug or "",
            "active": topic.active,
        }

    def draft(self) -> TopicDraft:
        """What was written; the form must be valid."""
        covered = self.covered.data == "yes"
        return TopicDraft(
            title=self.title.value,
            answer=" ".join(self.answer.value.split()),
            covered=covered,
            service_slug=None if covered else self.service_slug.data or None,
            active=bool(self.active.data),
        )
