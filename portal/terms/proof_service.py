"""Adding a link to the chain of proofs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from portal.terms.models import ProofLink
from portal.terms.proof_rules import GENESIS, link_hash, to_content

# Any number that no other advisory lock of the portal uses.
_CHAIN_LOCK = 719_001


def append(
    session: Session, *, order_id: int, kind: str, values: Mapping[str, Any]
) -> ProofLink:
    """Add a link in the caller's transaction; asked again, it gives the one it has.

    The end of the chain is locked until the transaction ends (on SQLite there is one
    writer anyway), so call it last.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})"))
    found = session.scalar(
        select(ProofLink).where(ProofLink.order_id == order_id, ProofLink.kind == kind)
    )
    if found is not None:
        return found
    last = session.scalar(
        select(ProofLink.sha256).order_by(ProofLink.id.desc()).limit(1)
    )
    previous, content = last or GENESIS, to_content(values)
    link = ProofLink(
        order_id=order_id,
        kind=kind,
        content=content,
        previous=previous,
        sha256=link_hash(previous, content),
    )
    session.add(link)
    session.flush()
    return link
