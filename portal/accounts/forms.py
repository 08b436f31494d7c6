"""The log-in form, and that of one's own password."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from portal.accounts.rules import MAX_PASSWORD


class LoginForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Who one is; `next` is where one wanted to go."""

    email = StringField(
        "Correo",
        [InputRequired("Escriba su correo."), Length(max=120, message="Es muy largo.")],
    )
    password = PasswordField(
        "Contraseña",
        [
            InputRequired("Escriba su contraseña."),
            Length(max=MAX_PASSWORD, message="Es muy larga."),
        ],
    )
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Another password for oneself, typed twice; the present one is asked first."""

    present = PasswordField(
        "Contraseña actual", [InputRequired("Escriba su contraseña actual.")]
    )
    fresh = PasswordField(
        "Contraseña nueva", [InputRequired("Escriba una contraseña nueva.")]
    )
    repeated = PasswordField(
        "Repita la contraseña nueva",
        [
            InputRequired("Escriba otra vez la contraseña nueva."),
            EqualTo("fresh", "No es igual a la de arriba."),
        ],
    )
