"""Reading the catalogue."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.models import CannedSolution, Service, Topic
from portal.errors import NotFoundError
from portal.journal.models import JournalEntry

# Built once: every page of the shop asks it.
_ON_SALE = select(Service).where(Service.active).order_by(Service.position, Service.id)


def list_services(session: Session) -> list[Service]:
    """The services on sale, in the owner's order."""
    return list(session.scalars(_ON_SALE))


def find_service(session: Session, slug: str) -> Service | None:
    """The service on sale with this slug, or None."""
    return session.scalar(select(Service).where(Service.slug == slug, Service.active))


def list_topics(session: Session) -> list[Topic]:
    """The topics a customer may choose, in the owner's order: covered ones first."""
    return list(
        session.scalars(
            select(Topic)
            .where(Topic.active)
            .order_by(Topic.covered.desc(), Topic.position, Topic.id)
        )
    )


def find_topic(session: Session, slug: str) -> Topic | None:
    """The topic that a customer may choose with this slug, or None."""
    return session.scalar(select(Topic).where(Topic.slug == slug, Topic.active))


def confirmed_services(session: Session) -> set[int]:
    """The ids of the services whose price a person has written or confirmed."""
    return set(
        session.scalars(
            select(JournalEntry.object_id).where(
                JournalEntry.object_kind == "service",
                JournalEntry.action == "service.priced",
            )
        )
    )


def all_topics(session: Session) -> list[Topic]:
    """Every topic, those put aside too: covered ones first."""
    return list(
        session.scalars(
            select(Topic).order_by(
                Topic.active.desc(), Topic.covered.desc(), Topic.position, Topic.id
            )
        )
    )


def get_topic(session: Session, topic_id: int, *, lock: bool = False) -> Topic:
    """The topic with this id, put aside or not. Raises NotFoundError."""
    statement = select(Topic).where(Topic.id == topic_id)
    topic = session.scalar(statement.with_for_update() if lock else statement)
    if topic is None:
        raise NotFoundError("Ese tema no existe.")
    return topic


def list_canned(session: Session) -> list[CannedSolution]:
    """The canned solutions, those of a topic before the general ones."""
    canned = CannedSolution
    order = (canned.topic_slug.is_(None), canned.position, canned.id)
    return list(session.scalars(select(canned).where(canned.active).order_by(*order)))


def all_canned(session: Session) -> list[CannedSolution]:
    """Every canned solution, those taken off too, in the technicians' order."""
    canned = CannedSolution
    return list(session.scalars(select(canned).order_by(canned.position, canned.id)))


def get_canned(
    session: Session, canned_id: int, *, lock: bool = False
) -> CannedSolution:
    """The canned solution with this id, taken off or not. Raises NotFoundError."""
    statement = select(CannedSolution).where(CannedSolution.id == canned_id)
    canned = session.scalar(statement.with_for_update() if lock else statement)
    if canned is None:
        raise NotFoundError("Esa solución preparada no existe.")
    return canned
