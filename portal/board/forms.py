"""What technicians write on a card."""

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import AnyOf, ValidationError

from portal.support.rules import clean_entry
from portal.support.states import ENTRY_KINDS, OUTCOMES


def _tidy(_form: FlaskForm, field: TextAreaField) -> None:
    try:
        field.clean = clean_entry(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _tidy_if_any(form: FlaskForm, field: TextAreaField) -> None:
    field.clean = ""
    if (field.data or "").strip():
        _tidy(form, field)


class EntryForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A public line: what we will do, or what we did."""

    kind = StringField("Qué es", [AnyOf(ENTRY_KINDS, "Elija Haremos o Hecho.")])
    text = TextAreaField("Texto para el cliente", [_tidy])


class NoteForm(FlaskForm):  # type: ignore[misc]
    """An internal line."""

    text = TextAreaField("Nota interna", [_tidy])


class CloseForm(FlaskForm):  # type: ignore[misc]
    """The outcome, and the last thing done."""

    outcome = StringField(
        "Resultado",
        [AnyOf(OUTCOMES, "Elija el resultado: resuelto, parcial o no resuelto.")],
    )
    text = TextAreaField("Lo último que se hizo", [_tidy_if_any])
