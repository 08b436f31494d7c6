"""The chain of proofs: what a link says, and its fingerprint. Pure.

A link is a file of text: the fingerprint of the link before it, and a JSON object whose
words a judge can read. Whoever has the file needs nothing but `sha256sum` to check it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ACCEPTED = "accepted"
CONFIRMED = "confirmed"
# What stands before the first link.
GENESIS = "0" * 64


def to_content(values: Mapping[str, Any]) -> str:
    """The words of a link, in the order given."""
    return json.dumps(values, ensure_ascii=False, indent=1)


def link_file(previous: str, content: str) -> bytes:
    """The exact bytes whose SHA-256 is the link's fingerprint."""
    return f"{previous}\n{content}\n".encode()


def link_hash(previous: str, content: str) -> str:
    """The fingerprint of a link, in hexadecimal."""
    return hashlib.sha256(link_file(previous, content)).hexdigest()


def instant(at: datetime) -> str:
    """An instant as the chain writes it: ISO, in UTC."""
    return at.astimezone(UTC).isoformat()
