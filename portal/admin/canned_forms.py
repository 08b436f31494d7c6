"""A canned solution, as the owner writes it."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField
from wtforms.fields.choices import SelectChoice

from portal.admin.fields_forms import TypedField
from portal.catalog.canned_service import CannedDraft
from portal.catalog.models import CannedSolution, Topic
from portal.catalog.rules import canned_mark

EVERY_TOPIC = "Todos los temas"


class CannedForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """One canned solution; `seen` marks what the page showed."""

    seen = HiddenField()
    title = TypedField(
        "Título en la lista del técnico",
        limit=80,
        required="Escriba un título corto.",
    )
    topic_slug = SelectField(
        "Tema", default="", invalid_choice_message="Elija un tema de la lista."
    )
    text = TypedField(
        "Texto que lee el cliente",
        limit=1000,
        required="Escriba el texto.",
        multiline=True,
        rows=5,
        description="El técnico lo puede completar antes de enviarlo.",
    )

    def prepare(self, topics: list[Topic]) -> None:
        """Offer the topics, those put aside too: old attentions have them."""
        self.topic_slug.choices = [
            SelectChoice("", EVERY_TOPIC),
            *(SelectChoice(topic.slug, topic.title) for topic in topics),
        ]

    @staticmethod
    def stored(canned: CannedSolution) -> dict[str, Any]:
        """Field -> value as it is stored."""
        return {
            "seen": canned_mark(canned),
            "title": canned.title,
            "topic_slug": canned.topic_slug or "",
            "text": canned.text,
        }

    def draft(self) -> CannedDraft:
        """What was written; the form must be valid."""
        return CannedDraft(
            title=self.title.value,
            text=self.text.value,
            topic_slug=self.topic_slug.data or None,
        )
