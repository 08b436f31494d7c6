"""Shared screens: pairing codes, PINs and turns. Pure."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.accounts.rules import Person, key_hash

# A pairing code is read out from one screen and typed on another.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
CODE_LIFE = timedelta(minutes=10)
# A turn lasts until so long after its last act.
TURN = timedelta(minutes=3)
WRONG_PINS = 5
WAIT = timedelta(seconds=60)
DEVICE_DAYS = 365

_PIN = re.compile(r"[0-9]{4,6}")
_RUNS = ("0123456789", "9876543210")


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A paired screen at one instant: whose turn it is, until when it takes no PIN."""

    id: int
    name: str
    turn: Person | None
    turn_until: datetime | None
    waits_until: datetime | None


def new_code() -> str:
    """A fresh pairing code, without letters that are mistaken for figures."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def shown_code(code: str) -> str:
    """The code as a person reads it: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}"


def code_hash(typed: str) -> str:
    """What the database keeps of a code, however it was typed."""
    kept = re.sub(r"[^A-Z0-9]", "", typed[:40].upper())
    return key_hash(f"pairing:{kept}")


def check_screen_name(text: str) -> str:
    """The name of a screen. Raises ValueError in Spanish."""
    name = " ".join(text.split())
    if not name or not name.isprintable():
        raise ValueError("Escriba un nombre para la pantalla.")
    if len(name) > 60:
        raise ValueError("El nombre lleva a lo más 60 caracteres.")
    return name


def check_pin(pin: str) -> str:
    """The PIN itself. Raises ValueError, in Spanish, when it will not do."""
    if not _PIN.fullmatch(pin):
        raise ValueError("El PIN lleva de 4 a 6 números.")
    if len(set(pin)) == 1 or any(pin in run for run in _RUNS):
        raise ValueError("Ese PIN es muy fácil: no use 1111 ni 1234.")
    return pin
