"""The staff, as the owner writes it."""

from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from portal.accounts.rules import OWNER, TECHNICIAN
from portal.admin.fields_forms import TypedField, parse_email

ROLE_WORDS = {TECHNICIAN: "Técnico", OWNER: "Dueña"}


class MemberForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A new account; the portal makes its password."""

    name = TypedField("Nombre", limit=80, required="Escriba el nombre.")
    email = TypedField(
        "Correo",
        required="Escriba el correo.",
        parse=parse_email,
        type="email",
        inputmode="email",
    )
    role = RadioField(
        "Qué puede hacer",
        choices=[SelectChoice(role, word) for role, word in ROLE_WORDS.items()],
        default=TECHNICIAN,
        invalid_choice_message="Elija técnico o dueña.",
    )


class RenameForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Another name for an account."""

    new_name = TypedField("Nombre nuevo", limit=80, required="Escriba el nombre.")
