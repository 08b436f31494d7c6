"""Whether the proofs of acceptance stand: texts, rows and the chain, computed anew.

Written apart from `terms.proof_service`, on purpose: it shares no code with it. The ids
are of links where a link is at fault, else of orders or versions.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FORGED_TEXT = "published terms whose text has another fingerprint"
FORGED_LINK = "a link of the chain of proofs that was changed or does not follow"
OTHER_WORDS = "an acceptance that differs from its link in the chain of proofs"
NO_LINK = "an order whose acceptance is not in the chain of proofs"
NO_ACCEPTANCE = "a link of the chain of proofs without its acceptance"
NOT_CONFIRMED = "a confirmation that was sent and is not in the chain of proofs"

_ACCEPTANCES = """
SELECT l.id AS link_id, a.order_id, l.content, a.version, a.sha256, a.address,
  a.price_shown
FROM terms_acceptances a
LEFT JOIN proof_links l ON l.order_id = a.order_id AND l.kind = 'accepted'
"""
_ORPHANS = """
SELECT l.id FROM proof_links l WHERE l.kind = 'accepted' AND NOT EXISTS (
  SELECT 1 FROM terms_acceptances a WHERE a.order_id = l.order_id)
"""
# Mails older than the chain have no fingerprint of their text.
_UNPROVEN = """
SELECT m.order_id FROM outbox m WHERE m.kind = 'order.confirmed' AND m.state = 'sent'
  AND m.text_sha256 IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM proof_links l WHERE l.order_id = m.order_id
      AND l.kind = 'confirmed' AND l.content LIKE '%' || m.message_id || '%')
"""


def broken_proofs(session: Session) -> dict[str, tuple[int, ...]]:
    """What is wrong, with the ids; empty when every proof stands."""
    found: dict[str, list[int]] = defaultdict(list)
    for meaning, id in _faults(session):
        found[meaning].append(id)
    return {meaning: tuple(ids) for meaning, ids in found.items()}


def _faults(session: Session) -> Iterator[tuple[str, int]]:
    versions = session.execute(text("SELECT number, body, sha256 FROM terms_versions"))
    for number, body, sha256 in versions:
        if _sha256(body) != sha256:
            yield FORGED_TEXT, number
    yield from _forged_links(session)
    for row in session.execute(text(_ACCEPTANCES)):
        if row.link_id is None:
            yield NO_LINK, row.order_id
        elif not _agree(row):
            yield OTHER_WORDS, row.link_id
    for meaning, statement in ((NO_ACCEPTANCE, _ORPHANS), (NOT_CONFIRMED, _UNPROVEN)):
        for row in session.execute(text(statement)):
            yield meaning, int(row[0])


def _forged_links(session: Session) -> Iterator[tuple[str, int]]:
    """Walk the chain from its first link: each begins with the one before it."""
    before = "0" * 64
    statement = "SELECT id, content, previous, sha256 FROM proof_links ORDER BY id"
    for id, content, previous, sha256 in session.execute(text(statement)):
        if previous != before or _sha256(f"{previous}\n{content}\n") != sha256:
            yield FORGED_LINK, id
        before = sha256


def _agree(row: Any) -> bool:
    try:
        told = json.loads(row.content)
    except ValueError:
        return False
    return bool(
        told.get("pedido") == 1000 + row.order_id
        and told.get("version") == row.version
        and told.get("texto_sha256") == row.sha256
        and told.get("direccion_ip") == row.address
        and told.get("precio_mostrado") == row.price_shown
    )


def _sha256(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
