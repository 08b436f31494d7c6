"""What the shop window shows at one instant."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from portal.catalog.models import Service
from portal.catalog.queries import list_services
from portal.catalog.rules import SOPORTE_ONLINE, price_for
from portal.chile import format_phone, format_rut
from portal.clock import local
from portal.hours.queries import load_calendar
from portal.hours.rules import (
    CLOSED,
    Regime,
    next_change,
    regime_at,
    sale_closes_at,
    upcoming_closed_days,
    weekly_text,
)
from portal.orders.draft_rules import CORRECTABLE
from portal.orders.models import Contact, Order
from portal.orders.sale_rules import SaleClosedError, check_sale
from portal.settings.rules import BusinessSettings

_CLOSED_DAYS = 3


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The services, the hour, and whether one of them is sold now.

    `refusal` says why it is not. `sale_ends` is the day's last sale of the support and
    `changes_at` the next instant at which the page says something else.
    """

    regime: Regime
    services: list[Service]
    refusal: SaleClosedError | None
    sale_ends: datetime | None
    changes_at: datetime | None
    weekly: list[tuple[str, str]]
    closed_days: list[tuple[date, str]]

    def find(self, slug: str) -> Service | None:
        """The service on sale with this slug, or None."""
        return next((item for item in self.services if item.slug == slug), None)

    def price_of(self, service: Service) -> int | None:
        """Pesos with IVA at this hour; None when it has no price while closed."""
        if self.regime.kind == CLOSED and service.price_special is not None:
            return None
        return price_for(service, self.regime.kind)


def load_shop(
    session: Session,
    business: BusinessSettings,
    now: datetime,
    slug: str = SOPORTE_ONLINE,
) -> Shop:
    """The shop as it stands, with the sale of the service `slug`."""
    calendar = load_calendar(session)
    refusal = None
    try:
        check_sale(business, calendar, slug, now)
    except SaleClosedError as error:
        refusal = error
    sale_ends = sale_closes_at(calendar, now, business.last_sale_minutes)
    edges = [next_change(calendar, now), sale_ends]
    return Shop(
        regime=regime_at(calendar, now),
        services=list_services(session),
        refusal=refusal,
        sale_ends=sale_ends,
        changes_at=min((edge for edge in edges if edge and edge > now), default=None),
        weekly=weekly_text(calendar),
        closed_days=upcoming_closed_days(calendar, local(now).date(), _CLOSED_DAYS),
    )


def values_again(order: Order, contact: Contact) -> dict[str, object]:
    """What the form shows for another purchase for the case of a paid order."""
    values = values_of(order, contact)
    del values["form_key"]  # another purchase, and so another form
    return values


def values_of(order: Order, contact: Contact) -> dict[str, object]:
    """What the form shows to correct an order."""
    values = {name: getattr(order, name) for name in CORRECTABLE}
    return {
        **values,
        "topic": order.topic_slug,
        "name": contact.name,
        "email": contact.email,
        "phone": format_phone(contact.phone),
        "tax_rut": format_rut(order.tax_rut or ""),
        "form_key": order.form_key,
    }
