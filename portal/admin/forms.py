"""What the owner types on the first page."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import ValidationError

from portal.admin.rules import MAX_MESSAGE
from portal.text import clean_text


def _tidy(_form: FlaskForm, field: TextAreaField) -> None:
    """One line, for it stands in one paragraph of the shop."""
    try:
        text = clean_text(field.data or "", MAX_MESSAGE, multiline=True)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    field.clean = " ".join(text.split())


class StopForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Why nothing is sold for now; `version` is that of the message shown."""

    version = HiddenField()
    message = TextAreaField("Mensaje para los clientes", [_tidy])
