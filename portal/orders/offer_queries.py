"""What may be sold at this instant, to whom and at which price."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.catalog import queries as catalog_queries
from portal.catalog.models import Service
from portal.catalog.rules import price_for
from portal.errors import NotFoundError, RefusedError
from portal.hours import queries as hours_queries
from portal.hours.rules import Regime
from portal.orders.draft_rules import Draft
from portal.orders.sale_rules import (
    check_need,
    check_place,
    check_sale,
    is_sold_by_the_hour,
)
from portal.settings import queries as settings_queries
from portal.settings.rules import BusinessSettings
from portal.terms import queries as terms_queries


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A service on sale; the price in pesos, IVA included."""

    service: Service
    topic_title: str
    price: int
    regime: Regime
    business: BusinessSettings


def make_offer(session: Session, draft: Draft, now: datetime) -> Offer:
    """What the draft asks for, when it may be sold; errors as `service.place` says."""
    service = catalog_queries.find_service(session, draft.service_slug)
    if service is None:
        raise NotFoundError("Ese servicio no existe o ya no se vende.")
    business = settings_queries.load(session)
    calendar = hours_queries.load_calendar(session)
    regime = check_sale(business, calendar, service.slug, now)
    topic_title = _check_topic(session, draft)
    check_place(business, service.slug, draft.commune)
    _check_terms(session, draft)
    return Offer(
        service=service,
        topic_title=topic_title,
        price=price_for(service, regime.kind),
        regime=regime,
        business=business,
    )


def _check_topic(session: Session, draft: Draft) -> str:
    """The title of the chosen topic; empty for services that ask for none."""
    if not is_sold_by_the_hour(draft.service_slug):
        return ""
    topic = catalog_queries.find_topic(session, draft.topic_slug or "")
    check_need(topic, draft.windows_bits)
    return topic.title if topic else ""


def _check_terms(session: Session, draft: Draft) -> None:
    current = terms_queries.current(session)
    if current is None or draft.terms_version != current.number:
        raise RefusedError("Los términos cambiaron. Léalos y acéptelos de nuevo.")
