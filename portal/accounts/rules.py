"""Who may do what, and what a log-in form may say. Pure."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

OWNER = "owner"
TECHNICIAN = "technician"
ROLES = (OWNER, TECHNICIAN)

MIN_PASSWORD = 10
MAX_PASSWORD = 200
# A board on the wall stays open for days; after this one logs in again.
SESSION_LIFE = timedelta(days=30)
HOME = "/tablero"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in: plain values, read anew with every request."""

    id: int
    name: str
    role: str

    @property
    def is_owner(self) -> bool:
        return self.role == OWNER


def new_session_key() -> str:
    """A fresh random key, 256 bits, for one log-in."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What the database keeps of a session's key."""
    return hashlib.sha256(key.encode()).hexdigest()


def normal_email(text: str) -> str:
    """The address as it is stored and looked up."""
    return text.strip().lower()


def check_password(password: str) -> str:
    """The password itself. Raises ValueError, in Spanish, when it will not do."""
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"La contraseña lleva al menos {MIN_PASSWORD} caracteres.")
    if len(password) > MAX_PASSWORD:
        raise ValueError(f"La contraseña lleva a lo más {MAX_PASSWORD} caracteres.")
    if len(set(password)) == 1:
        raise ValueError("La contraseña no puede ser un solo carácter repetido.")
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
