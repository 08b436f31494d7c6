"""The form with which customers correct their own data: the checks of the checkout."""

from typing import Any

from flask_wtf import FlaskForm

from portal.chile import format_phone, parse_phone
from portal.orders.fields_forms import email_field, name_field, phone_field
from portal.orders.models import Contact


class PersonForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Name, phone and mail of the person of an order."""

    class Meta:
        # Flask-WTF's CSRFProtect checks every post of the portal, this one too.
        csrf = False

    name = name_field()
    phone = phone_field()
    email = email_field("Aquí le llegan los correos de su pedido.")

    @staticmethod
    def stored(contact: Contact) -> dict[str, Any]:
        """Field -> value as it is stored now."""
        return {
            "name": contact.name,
            "phone": format_phone(contact.phone),
            "email": contact.email,
        }

    def values(self) -> dict[str, str]:
        """What was typed, checked; the form must be valid."""
        return {
            "name": str(self.name.data),
            "phone": parse_phone(self.phone.data),
            "email": str(self.email.data),
        }
