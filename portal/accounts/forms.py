"""The log-in form."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

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
