"""What technicians write on a card."""

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, NumberRange, ValidationError

from portal.catalog.models import CannedSolution
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
    canned = StringField("Solución preparada")


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
    canned = StringField("Solución preparada")


class PauseForm(FlaskForm):  # type: ignore[misc]
    """Why the clock stops."""

    reason = StringField("Motivo", [InputRequired("Elija el motivo de la pausa.")])


class HandOverForm(FlaskForm):  # type: ignore[misc]
    """To whom it goes."""

    to = IntegerField(
        "Técnico",
        [InputRequired("Elija a quién."), NumberRange(1, 2**31 - 1, "Elija a quién.")],
    )


def add_canned(form: EntryForm | CloseForm, known: Sequence[CannedSolution]) -> None:
    """Put the chosen canned solution after what was typed.

    With scripts it stands in the box already, and nothing is chosen any more.
    """
    chosen = next((each for each in known if str(each.id) == form.canned.data), None)
    if chosen is not None:
        form.text.data = f"{form.text.data or ''}\n{chosen.text}".strip()
