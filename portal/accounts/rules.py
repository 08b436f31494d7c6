"""Who may do what, and what a log-in form may say. Pure."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from portal.text import clean_text

OWNER = "owner"
TECHNICIAN = "technician"
ROLES = (OWNER, TECHNICIAN)

MIN_PASSWORD = 10
MAX_PASSWORD = 200
_MAX_EMAIL = 120
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# A board on the wall stays open for days; after this one logs in again.
SESSION_LIFE = timedelta(days=30)
BOARD = "/tablero"
OWNERS_PAGE = "/administrar"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in: plain values, read anew with every request."""

    id: int
    name: str
    role: str

    @property
    def is_owner(self) -> bool:
        return self.role == OWNER

    @property
    def home(self) -> str:
        """Where this person's log-in leads."""
        return OWNERS_PAGE if self.is_owner else BOARD


def new_session_key() -> str:
    """A fresh random key, 256 bits, for one log-in."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What the database keeps of a session's key."""
    return hashlib.sha256(key.encode()).hexdigest()


def normal_email(text: str) -> str:
    """The address as it is stored and looked up; empty when it is no text."""
    try:
        return clean_text(text, _MAX_EMAIL).lower()
    except ValueError:
        return ""


def normal_password(text: str) -> str:
    """One form for what two keyboards write in two."""
    return unicodedata.normalize("NFC", text[:MAX_PASSWORD])


def check_email(text: str) -> str:
    """The address in lower case. Raises ValueError in Spanish."""
    email = normal_email(text)
    if not _EMAIL.fullmatch(email):
        raise ValueError("Escriba un correo válido, como ana@negocio.cl.")
    return email


def check_name(text: str) -> str:
    """The name as it is shown. Raises ValueError in Spanish."""
    name = clean_text(text, 80)
    if not name:
        raise ValueError("Escriba el nombre.")
    return name


def check_password(password: str) -> str:
    """The password itself. Raises ValueError, in Spanish, when it will not do."""
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"La contraseña lleva al menos {MIN_PASSWORD} caracteres.")
    if len(password) > MAX_PASSWORD:
        raise ValueError(f"La contraseña lleva a lo más {MAX_PASSWORD} caracteres.")
    if len(set(password)) == 1:
        raise ValueError("La contraseña no puede ser un solo carácter repetido.")
    return normal_password(password)


# What zxcvbn calls safely unguessable takes 10**8 tries and more: no listed password.
_STRONG = 3
# Our own words, which no list of common passwords has.
_OUR_WORDS = ("itplusnet", "soporte", "portal", "mesa", "ayuda", "tablero")
_ZXCVBN_READS = 72


def check_chosen(password: str, *about: str) -> str:
    """The password that a person thought of. Raises ValueError in Spanish.

    Beyond `check_password` it must withstand guessing by someone who knows lists of
    common passwords, us, and the words in `about` (name, mail, business).
    """
    # Read at the first change of a password: its lists are 14 MB that few need.
    from zxcvbn import zxcvbn

    password = check_password(password)
    words = [*about, *re.findall(r"\w{3,}", " ".join(about))]
    result = zxcvbn(password[:_ZXCVBN_READS], user_inputs=[*_OUR_WORDS, *words])
    if result["score"] < _STRONG:
        raise ValueError(
            "Esa contraseña es fácil de adivinar. Use tres o cuatro palabras que no"
            " tengan relación con usted ni con la empresa."
        )
    return password


def _is_plain(char: str) -> bool:
    return "!" <= char <= "~" and char != "\\"


def own_path(target: str | None) -> str | None:
    """`target` when it is a path of this site, else None.

    Browsers read `//evil`, `/\\evil` and a path with tabs or newlines in it as other
    hosts, so only plain ASCII without backslashes passes.
    """
    if not target or not all(map(_is_plain, target)):
        return None
    if not target.startswith("/") or target.startswith("//"):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return None
    return target
