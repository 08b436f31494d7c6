"""The secret link: computed from a seed and a key, never stored.

A copy of the database opens no order: the row keeps the random seed and, for look-up,
the SHA-256 of the token, which is an HMAC under a key derived from SECRET_KEY.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

_TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def new_seed() -> str:
    """A fresh random seed, 128 bits in hexadecimal."""
    return secrets.token_hex(16)


def derive(key: str, purpose: str, seed: str) -> bytes:
    """HMAC-SHA-256 of `seed` under the key that SECRET_KEY gives for `purpose`."""
    own = hmac.digest(key.encode(), purpose.encode(), "sha256")
    return hmac.digest(own, seed.encode(), "sha256")


def link_token(key: str, seed: str) -> str:
    """The token of the secret link: 128 bits, 22 characters safe in a URL."""
    digest = derive(key, "order-link", seed)[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def fingerprint(text: str) -> str:
    """SHA-256 in hexadecimal, for look-up by a secret that is not stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_token(keys: Iterable[str], seed: str, stored_hash: str) -> str:
    """The order's token, under whichever key it was made with.

    Raises LookupError when no key fits: the key was rotated out.
    """
    for key in keys:
        token = link_token(key, seed)
        if hmac.compare_digest(fingerprint(token), stored_hash):
            return token
    raise LookupError("no current key makes this order's link")


def is_token(text: str) -> bool:
    """Whether the text has the form of a link token."""
    return _TOKEN.fullmatch(text) is not None


def next_form_key(form_key: str, order_id: int) -> str:
    """The key of the order that replaces `order_id` when its form is sent again."""
    return fingerprint(f"{form_key}:{order_id}")
