"""What people ask about their data, and what the owner answers."""

from datetime import date

from flask_wtf import FlaskForm
from wtforms import Form, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, ValidationError

from portal.orders.fields_forms import (
    LongTextField,
    TextField,
    TickField,
    email_field,
    name_field,
)
from portal.privacy.requests_service import Asked
from portal.privacy.rules import RIGHTS

MAX_TEXT = 2000


class _OwnForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    class Meta:
        # Flask-WTF's CSRFProtect checks every post of the portal, this one too.
        csrf = False


class AskForm(_OwnForm):
    """Who asks, which right, what."""

    kind = RadioField(
        "¿Qué quiere pedir?",
        choices=[SelectChoice(key, right.title) for key, right in RIGHTS.items()],
        invalid_choice_message="Elija qué quiere pedir.",
    )
    text = LongTextField(
        "Cuéntenos qué necesita",
        limit=MAX_TEXT,
        description="Con una frase basta. Si sabe el número de su pedido, escríbalo.",
        validators=[
            DataRequired("Cuéntenos qué necesita, con una frase."),
            Length(min=5, message="Cuéntenos un poco más, con una frase."),
        ],
        render_kw={"rows": 4, "maxlength": MAX_TEXT},
    )
    name = name_field()
    email = email_field("Le enviamos un enlace para confirmar que es suyo.")

    def asked(self) -> Asked:
        """What was typed; the form must be valid."""
        return Asked(
            kind=str(self.kind.data),
            name=self.name.data,
            email=self.email.data,
            text=self.text.data,
        )


def _is_day(_form: Form, field: TextField) -> None:
    try:
        date.fromisoformat(field.data)
    except ValueError as error:
        raise ValidationError("Escriba el día en que llegó.") from error


class HandForm(AskForm):
    """A request that came by letter, phone or mail."""

    received = TextField(
        "Día en que llegó",
        limit=10,
        validators=[DataRequired("Escriba el día en que llegó."), _is_day],
        render_kw={"type": "date"},
    )


class AnswerForm(_OwnForm):
    """The owner's answer."""

    decision = RadioField(
        "Qué decide",
        choices=[
            SelectChoice("si", "Se hace lo que pide"),
            SelectChoice("no", "No se puede, por el motivo que explico"),
        ],
        invalid_choice_message="Elija qué decide.",
    )
    text = LongTextField(
        "Respuesta",
        limit=4000,
        description="La persona la recibe tal cual, con el modo de reclamar.",
        validators=[
            DataRequired("Escriba la respuesta."),
            Length(min=20, message="Explíquelo un poco más."),
        ],
        render_kw={"rows": 8, "maxlength": 4000},
    )


class ExtendForm(_OwnForm):
    """Why more time is needed."""

    reason = LongTextField(
        "Motivo",
        limit=500,
        description="La persona lo recibe por correo.",
        validators=[
            DataRequired("Escriba el motivo."),
            Length(min=10, message="Explíquelo con una frase."),
        ],
        render_kw={"rows": 2, "maxlength": 500},
    )


class EraseForm(_OwnForm):
    """One tick between a look and an act that nobody can take back."""

    sure = TickField(
        "Leí qué se borra y sé que no se puede deshacer",
        validators=[DataRequired("Marque que leyó qué se borra.")],
    )
