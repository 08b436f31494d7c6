"""Writing the catalogue. Prices are quoted by the terms: change them through there."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog import rules
from portal.catalog.canned_rules import CANNED
from portal.catalog.defaults_rules import SERVICES, TOPICS
from portal.catalog.models import CannedSolution, Service, Topic
from portal.errors import NotFoundError, StaleStateError
from portal.journal.service import SYSTEM, Actor, record
from portal.settings.service import bump_revision


def ensure_defaults(session: Session, now: datetime) -> None:
    """Add what is sold, topics and canned solutions of the first day where they miss.

    It never changes a row that exists, so what the owner edited stays. The prices are
    invented: the owner must confirm them before real money may flow.
    """
    added = _add_services(session, now) + _add_topics(session)
    session.flush()
    added += _add_canned(session)
    if added:
        session.flush()
        bump_revision(session, now)


def _add_services(session: Session, now: datetime) -> int:
    present = set(session.scalars(select(Service.slug)))
    missing = [item for item in SERVICES if item.slug not in present]
    for item in missing:
        row = Service(**asdict(item), position=SERVICES.index(item) + 1)
        session.add(row)
        session.flush()
        record(
            session,
            at=now,
            actor=SYSTEM,
            action="service.added",
            object_kind="service",
            object_id=row.id,
            data={"prices": [item.price_normal, item.price_special]},
        )
    return len(missing)


def _add_topics(session: Session) -> int:
    present = set(session.scalars(select(Topic.slug)))
    missing = [item for item in TOPICS if item.slug not in present]
    session.add_all(
        Topic(**asdict(item), position=TOPICS.index(item) + 1) for item in missing
    )
    return len(missing)


def _add_canned(session: Session) -> int:
    present = set(session.scalars(select(CannedSolution.slug)))
    missing = [item for item in CANNED if item.slug not in present]
    session.add_all(
        CannedSolution(**asdict(item), position=CANNED.index(item) + 1)
        for item in missing
    )
    return len(missing)


def set_prices(
    session: Session,
    slug: str,
    price_normal: int,
    price_special: int | None,
    *,
    actor: Actor,
    now: datetime,
    seen: str | None = None,
) -> None:
    """Set a service's prices (pesos with IVA) in the caller's transaction.

    Only `terms.service` calls it, because the terms quote the prices. `seen` is the
    `rules.price_mark` of what was shown. Raises NotFoundError, RefusedError for amounts
    that are no price, and StaleStateError when they were changed since they were seen.
    """
    row = session.scalar(select(Service).where(Service.slug == slug).with_for_update())
    if row is None:
        raise NotFoundError("Ese servicio no existe.")
    has_special = row.price_special is not None
    rules.check_prices(price_normal, price_special, has_special=has_special)
    if seen is not None and seen != rules.price_mark(row):
        raise StaleStateError("Otra persona cambió este precio entre tanto.")
    before = [row.price_normal, row.price_special]
    row.price_normal, row.price_special = price_normal, price_special
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="service.priced",
        object_kind="service",
        object_id=row.id,
        data={"before": before, "after": [price_normal, price_special]},
    )
    bump_revision(session, now)
