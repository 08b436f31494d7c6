"""Reading the catalogue."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.models import Service, Topic


def list_services(session: Session) -> list[Service]:
    """The services on sale, in the owner's order."""
    return list(
        session.scalars(
            select(Service).where(Service.active).order_by(Service.position, Service.id)
        )
    )


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
