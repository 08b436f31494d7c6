"""The acts on an errand: agree on a date, do it, cancel it.

Each is one transaction by compare-and-set: of two at once one wins, and the other gets
`LateErrandError`, which says who did what and when.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.chile import format_date, format_hour
from portal.clock import local
from portal.db import transaction
from portal.errors import ConflictError, RefusedError, StaleStateError
from portal.journal.service import Actor, change_state, record
from portal.mail.service import enqueue
from portal.support import errand_queries as queries
from portal.support.customer_models import ErrandEntry
from portal.support.errand_rules import AGREED, CALLED_OFF, DONE
from portal.support.models import Errand
from portal.support.states import (
    ERRAND_CANCELLED,
    ERRAND_DONE,
    ERRAND_SCHEDULED,
    ERRAND_TRANSITIONS,
)


class LateErrandError(ConflictError):
    """Another act came first; the message says whose, and when."""


def schedule(
    errand_id: int,
    when: datetime,
    words: str = "",
    *,
    by: Person,
    now: datetime,
    version: int | None = None,
) -> None:
    """Note the date (UTC) agreed with the customer, and tell them by mail.

    A date already set is changed only by who saw it: `version` is the errand's as the
    form showed it. The same date again has no second effect.
    """
    with transaction() as session:
        errand = queries.get_errand(session, errand_id, lock=True)
        same = errand.scheduled_for == when and errand.technician_id == by.id
        if errand.state == ERRAND_SCHEDULED and same:
            return
        if errand.state == ERRAND_SCHEDULED:
            if version != errand.version:
                raise _late(session, errand)
            _reschedule(session, errand, when, by, now)
        else:
            _move(session, errand, ERRAND_SCHEDULED, by, now, scheduled_for=when)
        _write(session, errand, AGREED, words, by, now)
        enqueue(
            session,
            kind="errand.scheduled",
            order_id=errand.order_id,
            key=str(errand.version),
            now=now,
        )


def finish(errand_id: int, words: str, *, by: Person, now: datetime) -> None:
    """Say what was done; the customer reads it and gets it by mail."""
    with transaction() as session:
        errand = queries.get_errand(session, errand_id, lock=True)
        if errand.state == ERRAND_DONE and errand.technician_id == by.id:
            return
        _move(session, errand, ERRAND_DONE, by, now, done_at=now)
        _write(session, errand, DONE, words, by, now)
        enqueue(session, kind="errand.done", order_id=errand.order_id, now=now)


def call_off(errand_id: int, reason: str, *, by: Person, now: datetime) -> None:
    """Cancel an errand, with the reason that the customer reads; the owner alone.

    The money is another act: the owner's, or the customer's with one tap.
    """
    if not by.is_owner:
        raise RefusedError("Solo quien administra el negocio anula un encargo.")
    with transaction() as session:
        errand = queries.get_errand(session, errand_id, lock=True)
        if errand.state == ERRAND_CANCELLED and errand.technician_id == by.id:
            return
        _move(session, errand, ERRAND_CANCELLED, by, now)
        _write(session, errand, CALLED_OFF, reason, by, now)
        enqueue(session, kind="errand.cancelled", order_id=errand.order_id, now=now)


def _move(
    session: Session, errand: Errand, to: str, by: Person, now: datetime, **values: Any
) -> None:
    try:
        change_state(
            session,
            errand,
            to,
            machine=ERRAND_TRANSITIONS,
            at=now,
            actor=Actor("staff", by.id),
            action=f"errand.{to}",
            order_id=errand.order_id,
            changed_at=now,
            technician_id=by.id,
            **values,
        )
    except StaleStateError as error:
        session.refresh(errand)
        raise _late(session, errand) from error


def _reschedule(
    session: Session, errand: Errand, when: datetime, by: Person, now: datetime
) -> None:
    """Another date is no other state: history says it, screens see the version."""
    errand.scheduled_for, errand.technician_id = when, by.id
    errand.changed_at = now
    errand.version += 1
    record(
        session,
        at=now,
        actor=Actor("staff", by.id),
        action="errand.rescheduled",
        object_kind="errand",
        object_id=errand.id,
        order_id=errand.order_id,
    )
    session.flush()


def _write(
    session: Session, errand: Errand, kind: str, text: str, by: Person, now: datetime
) -> None:
    session.add(
        ErrandEntry(
            errand_id=errand.id,
            kind=kind,
            text=text,
            scheduled_for=errand.scheduled_for if kind == AGREED else None,
            at=now,
            staff_id=by.id,
        )
    )


_WHAT_HAPPENED = {AGREED: "Lo agendó", DONE: "Lo hizo", CALLED_OFF: "Lo anuló"}


def _late(session: Session, errand: Errand) -> LateErrandError:
    """Who did what, and when: 'Lo agendó Ana a las 15:04:12, para el 27-11-2026...'"""
    at = f"{local(errand.changed_at):%H:%M:%S}"
    lines = queries.errand_entries(session, errand.id)
    if not lines or lines[-1].at != errand.changed_at:
        return LateErrandError(f"El encargo se anuló a las {at}.")
    last = lines[-1]
    what = f"{_WHAT_HAPPENED[last.kind]} {last.author} a las {at}"
    if last.scheduled_for is not None:
        day, hour = format_date(last.scheduled_for), format_hour(last.scheduled_for)
        what += f", para el {day} a las {hour}"
    return LateErrandError(f"{what}.")
