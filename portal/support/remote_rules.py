"""The code that opens the customer's computer: its form, its seal, its life. Pure."""

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from portal.orders.rules import derive
from portal.support.rules import UNDO_WINDOW
from portal.support.states import PAUSED, RUNNING, TAKEN, WAITING
from portal.text import clean_text

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

MAX_CODE = 60
MAX_TIMES = 20
# While one of these lasts the code may be given; staff see it from "taken" on.
GIVEN_IN = frozenset({WAITING, TAKEN, RUNNING, PAUSED})
SHOWN_IN = frozenset({TAKEN, RUNNING, PAUSED})
# An undone closing still needs the code.
WIPE_AFTER = UNDO_WINDOW


def clean_code(text: object) -> str:
    """The code as the tool shows it. Raises ValueError in Spanish."""
    code = clean_text(text, MAX_CODE)
    if len(code) < 3:
        raise ValueError("Escriba el código que muestra el programa.")
    return code


def _sealer(keys: Iterable[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # here: a start does without

    secrets = (derive(key, "remote-code", "") for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in secrets])


def seal(keys: Iterable[str], code: str) -> str:
    """The code as the database keeps it: a copy of it opens no computer."""
    return _sealer(keys).encrypt(code.encode()).decode()


def unseal(keys: Iterable[str], sealed: str) -> str | None:
    """The inverse of `seal`; None when no current key fits, and it is asked again."""
    from cryptography.fernet import InvalidToken

    try:
        return _sealer(keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
