"""When and to whom an order may be sold. Pure."""

from datetime import datetime

from portal.catalog.rules import (
    ASISTENCIA_TERRENO,
    SOPORTE_ONLINE,
    Classified,
    WindowsBits,
    check_scope,
)
from portal.chile import SANTIAGO_COMMUNES
from portal.errors import RefusedError
from portal.hours.rules import Calendar, Regime, is_on_sale, regime_at
from portal.settings.rules import BusinessSettings

DEFAULT_STOP_MESSAGE = "Por ahora no estamos vendiendo. Vuelva a intentar más tarde."


class SaleClosedError(RefusedError):
    """Nothing is sold at this instant; `next_opening` (UTC) is when it will be."""

    def __init__(self, message: str, next_opening: datetime | None = None) -> None:
        self.next_opening = next_opening
        super().__init__(message)


class OutOfScopeError(RefusedError):
    """The support does not solve this; `service_slug` is the service that does."""

    def __init__(self, message: str, service_slug: str | None = None) -> None:
        self.service_slug = service_slug
        super().__init__(message)


def is_sold_by_the_hour(service_slug: str) -> bool:
    """Whether the service is attended at once, and so sold only while open."""
    return service_slug == SOPORTE_ONLINE


def check_sale(
    business: BusinessSettings, calendar: Calendar, service_slug: str, now: datetime
) -> Regime:
    """The regime under which the service is sold now.

    Raises SaleClosedError when sales are stopped, and for the support also when it is
    closed or past the day's last sale.
    """
    regime = regime_at(calendar, now)
    if business.sales_stopped:
        raise SaleClosedError(
            business.sales_stopped_message or DEFAULT_STOP_MESSAGE,
            regime.next_opening,
        )
    minutes = business.last_sale_minutes
    if not is_sold_by_the_hour(service_slug) or is_on_sale(calendar, now, minutes):
        return regime
    if regime.day_closes_at is None:
        raise SaleClosedError("Ahora estamos cerrados.", regime.next_opening)
    raise SaleClosedError(
        "Por hoy ya no alcanzamos a atenderle antes de cerrar.",
        regime_at(calendar, regime.day_closes_at).next_opening,
    )


def check_need(topic: Classified | None, windows_bits: WindowsBits) -> None:
    """Refuse to sell a support that would not solve the customer's problem.

    Raises OutOfScopeError with the topic's own answer.
    """
    if topic is None:
        raise RefusedError("Elija en la lista qué le pasa.")
    scope = check_scope(topic, windows_bits)
    if not scope.allowed:
        raise OutOfScopeError(scope.reason, scope.service_slug)


def served_communes(business: BusinessSettings) -> tuple[str, ...]:
    """Where a technician visits: the owner's list, or else Santiago."""
    return business.on_site_communes or SANTIAGO_COMMUNES


def check_place(
    business: BusinessSettings, service_slug: str, commune: str | None
) -> None:
    """Refuse a visit outside the communes that the owner serves."""
    if service_slug != ASISTENCIA_TERRENO:
        return
    if commune is None or commune not in served_communes(business):
        raise RefusedError("Por ahora no visitamos esa comuna.")
