"""The evidence of one order, with its fingerprints computed anew."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.admin.proof_rules import lines_of
from portal.errors import NotFoundError
from portal.orders.models import Order
from portal.terms import queries as terms_queries
from portal.terms.models import ProofLink, TermsVersion
from portal.terms.proof_rules import link_file, link_hash
from portal.terms.rules import Block, text_hash, to_blocks


@dataclass(frozen=True, slots=True)
class LinkShown:
    """One link as the page says it; `holds` when its fingerprint is the right one."""

    link: ProofLink
    lines: list[tuple[str, str]]
    holds: bool
    file_name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves that the customer of one order accepted which text."""

    order: Order
    version: TermsVersion
    text_holds: bool
    links: list[LinkShown]
    blocks: list[Block]


def load(session: Session, order: Order) -> Evidence:
    """Raises NotFoundError when the order's terms are not there."""
    version = terms_queries.find_version(session, order.terms_version)
    if version is None:
        raise NotFoundError("No encontramos los términos de ese pedido.")
    links = terms_queries.proof_links(session, order.id)
    return Evidence(
        order=order,
        version=version,
        text_holds=text_hash(version.body) == version.sha256,
        links=[_shown(link) for link in links],
        blocks=to_blocks(version.body),
    )


def _shown(link: ProofLink) -> LinkShown:
    return LinkShown(
        link=link,
        lines=lines_of(link.content),
        holds=link_hash(link.previous, link.content) == link.sha256,
        file_name=f"eslabon-{link.id}.txt",
    )


def file_of(session: Session, order: Order, link_id: int) -> bytes:
    """The exact bytes of a link of the order. Raises NotFoundError."""
    for link in terms_queries.proof_links(session, order.id):
        if link.id == link_id:
            return link_file(link.previous, link.content)
    raise NotFoundError("Ese eslabón no es de este pedido.")
