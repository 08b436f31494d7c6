"""What the owner types about money."""

from flask_wtf import FlaskForm
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, ValidationError

from portal.money import parse_pesos
from portal.orders.notes_service import MAX_NOTE
from portal.payments.owner_words import CHARGEBACK, MAX_REASON, REFUND
from portal.text import clean_text

_NO_AMOUNT = "Escriba el monto en pesos, como 19.990."
_NO_REASON = "Escriba el motivo."
_AMOUNT, _WHY = InputRequired(_NO_AMOUNT), InputRequired(_NO_REASON)


def _amount(_form: FlaskForm, field: StringField) -> None:
    try:
        field.clean = parse_pesos(field.data or "")
    except ValueError as error:
        raise ValidationError(_NO_AMOUNT) from error
    if field.clean == 0:
        raise ValidationError("El monto debe ser mayor que cero.")


def _reason(_form: FlaskForm, field: StringField) -> None:
    try:
        field.clean = clean_text(field.data or "", MAX_REASON)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    if not field.clean:
        raise ValidationError(_NO_REASON)


class RefundForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Pesos to give back, and why."""

    amount = StringField("Monto", [_AMOUNT, _amount])
    reason = StringField("Motivo", [_WHY, _reason])


class NoteForm(FlaskForm):  # type: ignore[misc]
    """What was seen in the gateway's panel."""

    kind = RadioField(
        "Qué pasó",
        [AnyOf((REFUND, CHARGEBACK), "Elija qué pasó.")],
        choices=[
            SelectChoice(REFUND, "Devolución"),
            SelectChoice(CHARGEBACK, "Contracargo"),
        ],
        default=REFUND,
        validate_choice=False,
    )
    amount = StringField("Monto", [_AMOUNT, _amount])
    reason = StringField("Dónde y cuándo lo vio", [_WHY, _reason])


class UnpaidForm(FlaskForm):  # type: ignore[misc]
    """Why an attempt without an answer was not paid."""

    reason = StringField("Dónde lo buscó", [_WHY, _reason])


def _note(_form: FlaskForm, field: StringField) -> None:
    try:
        field.clean = clean_text(field.data or "", MAX_NOTE, multiline=True)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    if not field.clean:
        raise ValidationError("Escriba la nota.")


class OrderNoteForm(FlaskForm):  # type: ignore[misc]
    """What the owner wants remembered of an order."""

    text = TextAreaField("Nota interna", [InputRequired("Escriba la nota."), _note])


class PaidByHandForm(FlaskForm):  # type: ignore[misc]
    """How and when a refused refund was paid."""

    reason = StringField("Cómo y cuándo", [_WHY, _reason])
