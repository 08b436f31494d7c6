"""The form of `/reenviar-enlace`."""

from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import InputRequired, ValidationError

from portal.text import clean_text

MAX_EMAIL = 120


class ResendForm(FlaskForm):  # type: ignore[misc]
    """The mail address with which somebody bought."""

    email = StringField("Su correo", [InputRequired("Escriba el correo de su compra.")])

    def validate_email(self, field: Field) -> None:
        # Here, as WTForms does: its tables are a thirtieth of a start.
        from email_validator import EmailNotValidError, validate_email

        try:
            text = clean_text(field.data, MAX_EMAIL)
            checked = validate_email(text, check_deliverability=False)
        except EmailNotValidError as error:
            raise ValidationError(
                "Escriba un correo, como nombre@ejemplo.cl."
            ) from error
        except ValueError as error:
            raise ValidationError(str(error)) from error
        field.data = checked.normalized
