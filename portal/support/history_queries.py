"""A customer's orders, found by RUT, phone or mail, for the staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, union
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.orders.mask_queries import IS_HIDDEN
from portal.orders.models import Contact, Order
from portal.support.customer_models import ErrandEntry, Rating
from portal.support.customer_queries import Message, messages_of
from portal.support.models import Attention, AttentionEntry, AttentionNote, Errand
from portal.support.queries import Line

SHOWN_ORDERS = 40


@dataclass(frozen=True, slots=True)
class Chapter:
    """One paid order of the same customer, and what was done for it."""

    order_id: int
    paid_at: datetime | None
    order_state: str
    service_name: str
    topic: str
    problem: str
    price: int
    attention_id: int | None
    attention_state: str | None
    outcome: str | None
    technician: str | None
    stars: int | None
    comment: str | None
    errand_id: int | None
    errand_state: str | None
    lines: tuple[Line, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def number(self) -> str:
        return str(1000 + self.order_id)


def is_closed_to_staff(contact: Contact) -> bool:
    """Whether the person's data are blocked or gone: then nobody reads them here."""
    return contact.is_hidden


def _same_person(contact: Contact) -> ColumnElement[bool]:
    """The orders of these contacts; each way to know them by an index of its own."""
    same = [
        select(Contact.id).where(Contact.phone == contact.phone),
        select(Contact.id).where(func.lower(Contact.email) == contact.email.lower()),
    ]
    if contact.rut:
        same.append(select(Contact.id).where(Contact.rut == contact.rut))
    return Order.contact_id.in_(union(*same))


_PAID = (
    select(
        Order.id.label("order_id"),
        Order.paid_at,
        Order.state.label("order_state"),
        Order.service_name,
        Order.topic_title.label("topic"),
        Order.problem,
        Order.price,
        Attention.id.label("attention_id"),
        Attention.state.label("attention_state"),
        Attention.outcome,
        Staff.name.label("technician"),
        Rating.stars,
        Rating.comment,
        Errand.id.label("errand_id"),
        Errand.state.label("errand_state"),
    )
    .join(Contact, Contact.id == Order.contact_id)
    .outerjoin(Attention, Attention.order_id == Order.id)
    .outerjoin(Errand, Errand.order_id == Order.id)
    .outerjoin(Rating, Rating.attention_id == Attention.id)
    .outerjoin(
        Staff, Staff.id == func.coalesce(Attention.technician_id, Errand.technician_id)
    )
    .where(
        # Who ever paid, without naming states: by its index SQLite would read them all.
        Order.paid_at.is_not(None),
        ~IS_HIDDEN,
    )
    .order_by(Order.id.desc())
    .limit(SHOWN_ORDERS)
)


def chapters(session: Session, contact: Contact) -> list[Chapter]:
    """The paid orders of who has this RUT, phone or mail, newest first.

    None of a person whose data are blocked or pseudonymised, whoever asks.
    """
    if is_closed_to_staff(contact):
        return []
    rows = session.execute(_PAID.where(_same_person(contact))).all()
    attentions = [row.attention_id for row in rows if row.attention_id]
    errands = [row.errand_id for row in rows if row.errand_id]
    lines = _lines(session, attentions)
    done = _errand_lines(session, errands)
    said = messages_of(session, attentions)
    return [
        Chapter(
            **row._mapping,
            lines=tuple(lines.get(row.attention_id, []) + done.get(row.errand_id, [])),
            messages=tuple(said.get(row.attention_id, [])),
        )
        for row in rows
    ]


def _lines(session: Session, ids: Sequence[int]) -> dict[int, list[Line]]:
    """Public entries and internal notes of the attentions, in order of time."""
    entry, note_ = AttentionEntry, AttentionNote
    public = select(entry.attention_id, entry.kind, entry.text, entry.at, Staff.name)
    internal = select(note_.attention_id, note_.text, note_.at, Staff.name)
    found = [
        Line(*row)
        for row in session.execute(
            public.join(Staff, Staff.id == entry.technician_id).where(
                entry.attention_id.in_(ids)
            )
        )
    ]
    found += [
        Line(row.attention_id, "", row.text, row.at, row.name)
        for row in session.execute(
            internal.join(Staff, Staff.id == note_.technician_id).where(
                note_.attention_id.in_(ids)
            )
        )
    ]
    return _by_owner(found)


def _errand_lines(session: Session, ids: Sequence[int]) -> dict[int, list[Line]]:
    entry = ErrandEntry
    rows = session.execute(
        select(entry.errand_id, entry.kind, entry.text, entry.at, Staff.name)
        .join(Staff, Staff.id == entry.staff_id)
        .where(entry.errand_id.in_(ids))
    )
    return _by_owner([Line(*row) for row in rows])


def _by_owner(lines: list[Line]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.at):
        found.setdefault(line.attention_id, []).append(line)
    return found
