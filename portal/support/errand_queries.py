"""Reading errands: the lane of the board, and one for its customer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Staff
from portal.errors import NotFoundError
from portal.orders.mask_queries import IS_HIDDEN, SHOWN_NAME, masked
from portal.orders.models import Contact, Order
from portal.support.customer_models import ErrandEntry
from portal.support.errand_rules import lane_key
from portal.support.models import Errand
from portal.support.states import ERRAND_OPEN, ERRAND_SCHEDULED

LIVING_ERRANDS = (ERRAND_OPEN, ERRAND_SCHEDULED)


@dataclass(frozen=True, slots=True)
class ErrandCard:
    """What the board shows of one errand; `said` are the last words to the customer."""

    id: int
    order_id: int
    state: str
    version: int
    opened_at: datetime
    changed_at: datetime
    scheduled_for: datetime | None
    service_name: str
    problem: str
    address: str | None
    commune: str | None
    name: str
    phone: str
    who: str | None
    said: str | None

    @property
    def number(self) -> str:
        return str(1000 + self.order_id)


def _cards() -> Select[*tuple[Any, ...]]:
    """Errands with the last thing done to each, in one query however many there are."""
    # Of each errand that is asked for: the newest of all would read every entry.
    entry = aliased(ErrandEntry)
    newest = (
        select(func.max(entry.id)).where(entry.errand_id == Errand.id).scalar_subquery()
    )
    return (
        select(
            Errand.id,
            Errand.order_id,
            Errand.state,
            Errand.version,
            Errand.opened_at,
            Errand.changed_at,
            Errand.scheduled_for,
            Order.service_name,
            masked(Order.problem).label("problem"),
            masked(Order.address).label("address"),
            masked(Order.commune).label("commune"),
            SHOWN_NAME.label("name"),
            masked(Contact.phone).label("phone"),
            Staff.name.label("who"),
            case((IS_HIDDEN, ""), else_=ErrandEntry.text).label("said"),
        )
        .join(Order, Order.id == Errand.order_id)
        .join(Contact, Contact.id == Order.contact_id)
        .outerjoin(ErrandEntry, ErrandEntry.id == newest)
        .outerjoin(Staff, Staff.id == ErrandEntry.staff_id)
    )


def open_errands(session: Session) -> list[ErrandCard]:
    """Every errand that somebody must still do: those without a date first."""
    rows = session.execute(_cards().where(Errand.state.in_(LIVING_ERRANDS)))
    cards = [ErrandCard(**row._mapping) for row in rows]
    return sorted(
        cards, key=lambda card: lane_key(card.scheduled_for, card.opened_at, card.id)
    )


def errand_card(session: Session, errand_id: int) -> ErrandCard:
    """One errand as the board shows it, whatever its state. Raises NotFoundError."""
    row = session.execute(_cards().where(Errand.id == errand_id)).one_or_none()
    if row is None:
        raise NotFoundError("No encontramos ese encargo.")
    return ErrandCard(**row._mapping)


def get_errand(session: Session, errand_id: int, *, lock: bool = False) -> Errand:
    """The errand with this id, its row locked for the transaction when asked."""
    statement = select(Errand).where(Errand.id == errand_id)
    errand = session.scalar(statement.with_for_update() if lock else statement)
    if errand is None:
        raise NotFoundError("No encontramos ese encargo.")
    return errand


@dataclass(frozen=True, slots=True)
class ErrandLine:
    """One act on an errand, as people read it."""

    kind: str
    text: str
    scheduled_for: datetime | None
    at: datetime
    author: str


def errand_entries(session: Session, errand_id: int) -> list[ErrandLine]:
    """What was done to an errand, oldest first."""
    entry = ErrandEntry
    rows = session.execute(
        select(entry.kind, entry.text, entry.scheduled_for, entry.at, Staff.name)
        .join(Staff, Staff.id == entry.staff_id)
        .where(entry.errand_id == errand_id)
        .order_by(entry.id)
    )
    return [ErrandLine(*row) for row in rows]
