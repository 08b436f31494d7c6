"""Fields of the owner's forms: what was typed stays, what it means is in `value`."""

from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any
from urllib.parse import urlsplit

from wtforms import Form, StringField
from wtforms.validators import ValidationError
from wtforms.widgets import TextArea

from portal.accounts.rules import check_email
from portal.chile import find_commune
from portal.money import parse_pesos
from portal.text import clean_text

_UNREADABLE = "El texto tiene caracteres que no se pueden usar."
MAX_LINES = 60
_INPUT_TYPES = ("type", "inputmode", "autocomplete", "rows")


class TypedField(StringField):  # type: ignore[misc]
    """A text of at most `limit` characters; `parse` says what it means.

    `parse` raises ValueError with the reason in Spanish; `show` is its inverse. Empty
    is the empty value unless `required` gives the words that ask for it.
    """

    def __init__(
        self,
        label: str,
        *,
        limit: int = 120,
        required: str = "",
        parse: Callable[[str], Any] = str,
        show: Callable[[Any], str] = str,
        empty: Any = "",
        multiline: bool = False,
        **kw: Any,
    ) -> None:
        attributes = {name: kw.pop(name) for name in _INPUT_TYPES if name in kw}
        super().__init__(label, render_kw={"maxlength": limit, **attributes}, **kw)
        self.limit, self.parse, self.show = limit, parse, show
        self.required, self.empty, self.multiline = required, empty, multiline
        self.flags.required = bool(required)
        self.value: Any = empty
        if multiline:
            self.widget = TextArea()

    def process_data(self, value: Any) -> None:
        self.value = self.empty if value is None else value
        self.data = "" if value is None or value == self.empty else self.show(value)

    def process_formdata(self, values: Sequence[str]) -> None:
        typed = values[0] if values else ""
        self.value = self.empty
        self.data = "".join(
            char for char in typed if char.isprintable() or char in "\r\n"
        )[: 4 * self.limit]
        text = clean_text(typed, self.limit, self.multiline)
        if "\ufffd" in text:
            raise ValueError(_UNREADABLE)
        if not text and self.required:
            raise ValueError(self.required)
        if text:
            self.value = self.parse(text)

    def pre_validate(self, form: Form) -> None:
        """A body without any field is no filled-in form either."""
        if self.required and self.raw_data is None and self.value == self.empty:
            raise ValidationError(self.required)


def parse_whole(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= 9
        if not is_number or not low <= int(text) <= high:
            raise ValueError(f"Escriba un número entero, de {low} a {high}.")
        return int(text)

    return parse


def whole_field(label: str, low: int, high: int, **kw: Any) -> TypedField:
    """A whole number that cannot be left empty."""
    return TypedField(
        label,
        limit=9,
        required=f"Escriba un número entero, de {low} a {high}.",
        parse=parse_whole(low, high),
        empty=None,
        inputmode="numeric",
        **kw,
    )


def _parse_yes_no(text: str) -> bool:
    word = text.lower().replace("í", "i")
    if word not in ("si", "no"):
        raise ValueError("Escriba sí o no.")
    return word == "si"


def yes_no_field(label: str, **kw: Any) -> TypedField:
    """A decision that cannot be left empty, written out."""
    return TypedField(
        label,
        limit=2,
        required="Escriba sí o no.",
        parse=_parse_yes_no,
        show=lambda yes: "sí" if yes else "no",
        empty=None,
        **kw,
    )


def parse_price(text: str) -> int:
    """Pesos greater than zero. Raises ValueError, in Spanish, for each mistake."""
    plain = text.removeprefix("$").strip()
    if plain.startswith("-"):
        raise ValueError("El precio no puede ser negativo.")
    try:
        amount = parse_pesos(plain)
    except ValueError as error:
        raise ValueError(_price_problem(plain)) from error
    if amount == 0:
        raise ValueError("El precio debe ser mayor que cero.")
    return amount


def _price_problem(text: str) -> str:
    digits = text.replace(".", "").replace(",", "")
    if digits.isascii() and digits.isdigit():
        if "," in text or ("." in text and len(text.rpartition(".")[2]) != 3):
            return "El precio va en pesos enteros, sin decimales, como 19.990."
        return "El precio no puede pasar de $100.000.000."
    return "Escriba el precio en pesos, solo con números, como 19.990."


def price_field(label: str, **kw: Any) -> TypedField:
    """A price in pesos, greater than zero."""
    return TypedField(
        label,
        limit=20,
        required="Escriba el precio.",
        parse=parse_price,
        show=lambda pesos: f"{pesos:,}".replace(",", "."),
        empty=None,
        inputmode="numeric",
        **kw,
    )


def parse_day(text: str) -> date:
    """A day as a browser or a person writes it: 2026-12-24 or 24-12-2026."""
    parts = text.replace("/", "-").split("-")
    if len(parts) == 3 and len(parts[0]) != 4:
        parts.reverse()
    try:
        return date.fromisoformat("-".join(part.zfill(2) for part in parts))
    except ValueError as error:
        raise ValueError("Escriba el día, como 24-12-2026.") from error


def parse_hour(text: str) -> time:
    """An hour of the clock: '18:31', '9:00', '18.31' or '1831'."""
    digits = text.replace(".", ":")
    if digits.isdigit() and len(digits) in (3, 4):
        digits = f"{digits[:-2]}:{digits[-2:]}"
    hours, _, minutes = digits.partition(":")
    try:
        if len(minutes) != 2:
            raise ValueError(text)
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise ValueError("Escriba la hora, como 18:31.") from error


def parse_address(text: str) -> str:
    """An address of the web, https only, without its blanks."""
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" and bool(parts.hostname) and " " not in text
    except ValueError:
        good = False
    if not good:
        raise ValueError("Escriba la dirección completa, como https://ejemplo.cl.")
    return text


def parse_commune(text: str) -> str:
    """One commune as it is spelled."""
    commune = find_commune(text)
    if commune is None:
        raise ValueError(f"No conocemos la comuna «{text[:40]}».")
    return commune


def parse_email(text: str) -> str:
    """One mail address in lower case; the reason names it."""
    try:
        return check_email(text)
    except ValueError as error:
        raise ValueError(f"«{text[:40]}» no es un correo válido.") from error


def parse_lines(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """A parser of one thing a line; empty lines and repetitions do not count."""

    def parse_all(text: str) -> tuple[str, ...]:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > MAX_LINES:
            raise ValueError(f"Escriba a lo más {MAX_LINES} líneas.")
        return tuple(dict.fromkeys(parse(line) for line in lines))

    return parse_all


def lines_field(label: str, parse: Callable[[str], str], **kw: Any) -> TypedField:
    """Several texts, one a line."""
    return TypedField(
        label,
        parse=parse_lines(parse),
        show="\n".join,
        empty=(),
        multiline=True,
        **{"limit": 2000, "rows": 5, **kw},
    )
