"""Fields that pass everything typed through the one gate for text."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from wtforms import BooleanField, Form, RadioField, StringField
from wtforms.validators import DataRequired, Email, StopValidation, ValidationError
from wtforms.widgets import HiddenInput, TextArea

from portal.chile import find_commune, parse_phone
from portal.text import clean_text

_UNREADABLE = "El texto tiene caracteres que no se pueden usar."
# What the decoders write in place of bytes that are no text: a sign, or the bytes
# themselves, quoted. One alone may be a person's "20%DE".
_UNDECODED = re.compile("\ufffd|(?:%[89A-F][0-9A-F]){2}")
Check = Callable[[Form, StringField], None]
_FALSE = (False, "", "0", "false", "off", "no")


def _printable(text: str, limit: int) -> str:
    """The text as it may be shown again, when it did not pass the gate."""
    shown = "".join(char for char in text if char.isprintable() or char in "\r\n")
    return _UNDECODED.sub("", shown)[: 4 * limit]


class TextField(StringField):  # type: ignore[misc]
    """A text of at most `limit` characters; what is refused is shown again."""

    def __init__(
        self, label: str, *, limit: int, multiline: bool = False, **kw: object
    ):
        super().__init__(label, **kw)
        self.limit = limit
        self.multiline = multiline
        self.data: str = ""

    def process_data(self, value: str | None) -> None:
        self.data = value or ""

    def process_formdata(self, values: Sequence[str]) -> None:
        if not values:
            return
        self.data = _printable(values[0], self.limit)
        if _UNDECODED.search(values[0]):
            raise ValueError(_UNREADABLE)
        self.data = clean_text(values[0], self.limit, self.multiline)


class LongTextField(TextField):
    """A text of several lines."""

    widget = TextArea()

    def __init__(self, label: str, *, limit: int, **kw: object):
        super().__init__(label, limit=limit, multiline=True, **kw)


class HiddenTextField(TextField):
    """A value that the page carries; one that no page of ours carried is no value."""

    widget = HiddenInput()

    def process_formdata(self, values: Sequence[str]) -> None:
        try:
            super().process_formdata(values)
        except ValueError:
            self.data = ""


class OptionField(RadioField):  # type: ignore[misc]
    """One of a few, all in sight; nothing sent is the default."""

    def process_formdata(self, values: Sequence[str]) -> None:
        super().process_formdata([value for value in values[:1] if value])


class TickField(BooleanField):  # type: ignore[misc]
    """A box to tick; unticked unless the customer ticks it."""

    false_values = _FALSE


def parsed_by(parse: Callable[[str], object]) -> Check:
    """A validator out of a parser that raises ValueError with the reason in Spanish."""

    def check(_form: Form, field: TextField) -> None:
        # What the gate refused says so already.
        if field.process_errors:
            return
        try:
            parse(field.data)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    return check


def parse_commune(text: str) -> str:
    """The commune as it is spelled. Raises ValueError with the reason in Spanish."""
    commune = find_commune(text)
    if commune is None:
        raise ValueError("No conocemos esa comuna: escriba su nombre completo.")
    return commune


class ForFactura:
    """Demands the field when a factura is asked; otherwise the field does not count."""

    def __init__(self, message: str) -> None:
        self.message = message
        # The field is shown only for a factura, and then it is no optional one.
        self.field_flags = {"required": True}

    def __call__(self, form: Form, field: TextField) -> None:
        if form.document.data != "factura":
            field.errors = []
            raise StopValidation
        if not field.data:
            raise StopValidation(self.message)


def tax_field(
    label: str,
    limit: int,
    message: str,
    *,
    checks: Sequence[Check] = (),
    **extra: Any,
) -> TextField:
    """A field that counts only for a factura."""
    validators = [ForFactura(message), *checks]
    return TextField(label, limit=limit, validators=validators, **extra)


def name_field() -> TextField:
    """The name of a person."""
    return TextField(
        "Su nombre",
        limit=80,
        validators=[DataRequired("Escriba su nombre.")],
        render_kw={"autocomplete": "name", "maxlength": 80},
    )


def phone_field() -> TextField:
    """A phone of Chile, as a person writes it."""
    return TextField(
        "Su teléfono",
        limit=30,
        description="Con 9 dígitos, como 9\u00a08765\u00a04321.",
        validators=[
            DataRequired("Escriba su teléfono, como 9 8765 4321."),
            parsed_by(parse_phone),
        ],
        render_kw={
            "type": "tel",
            "inputmode": "tel",
            "autocomplete": "tel",
            "maxlength": 30,
        },
    )


def email_field(description: str) -> TextField:
    """The mail address of a person."""
    return TextField(
        "Su correo",
        limit=120,
        description=description,
        validators=[
            DataRequired("Escriba su correo, como nombre@correo.cl."),
            Email(
                "Revise el correo: debe ser como nombre@correo.cl.",
                allow_smtputf8=False,
            ),
        ],
        render_kw={
            "type": "email",
            "inputmode": "email",
            "autocomplete": "email",
            "maxlength": 120,
        },
    )
