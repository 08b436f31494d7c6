"""The one gate for text that comes from outside."""

import unicodedata

_SPACING = {"\t": " ", "\u2028": "\n", "\u2029": "\n", "\x85": "\n"}
# Invisible marks of direction and width. Phones paste them around numbers; on a screen
# they only help to make a text look like another.
_INVISIBLE = (
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_TABLE = str.maketrans({**_SPACING, **dict.fromkeys(_INVISIBLE, "")})


def _is_allowed(char: str, multiline: bool) -> bool:
    if char == "\n":
        return multiline
    # Cc: control characters, NUL among them. Cs: lone surrogates. The last two can be
    # in no XML, so in no spreadsheet.
    return unicodedata.category(char) not in ("Cc", "Cs") and char not in "\ufffe\uffff"


def clean_text(value: object, limit: int, multiline: bool = False) -> str:
    """The text in NFC, without outer blanks or invisible marks, up to `limit` long.

    A tab becomes a blank, every kind of line break a newline. Raises ValueError with
    the reason in Spanish when it is no text, is too long, or holds a control character,
    a lone surrogate or, unless `multiline`, a newline.
    """
    if not isinstance(value, str):
        raise ValueError("Escriba un texto.")
    plain = value.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)
    text = unicodedata.normalize("NFC", plain).strip()
    if len(text) > limit:
        raise ValueError(f"Escriba a lo más {limit} caracteres.")
    if not all(_is_allowed(char, multiline) for char in text):
        raise ValueError("El texto tiene caracteres que no se pueden usar.")
    return text
