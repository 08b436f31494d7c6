"""What the ends of the day do to those who wait: nobody is lost overnight."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import reading, transaction
from portal.errors import RefusedError, StaleStateError
from portal.hours.queries import load_calendar
from portal.hours.rules import CLOSED, NORMAL, Calendar, add_open_minutes, regime_at
from portal.journal.service import CUSTOMER, SYSTEM, change_state, record
from portal.settings import queries as settings_queries
from portal.support import due_queries, queries
from portal.support.models import Attention
from portal.support.promise_service import tell_on_call
from portal.support.states import DEFERRED, TRANSITIONS, WAITING


def follow_the_day(now: datetime) -> int:
    """Defer who still waits when the day ended, and bring them back at the opening.

    The place in the queue stays; a promise is made anew. How many were moved.
    """
    with reading() as session:
        calendar = load_calendar(session)
        closed = regime_at(calendar, now).kind == CLOSED
        ids = due_queries.ids_in_state(session, WAITING if closed else DEFERRED)
    return sum(_move(attention_id, now) for attention_id in ids)


def _move(attention_id: int, now: datetime) -> bool:
    try:
        with transaction() as session:
            calendar = load_calendar(session)
            attention = queries.get(session, attention_id, lock=True)
            return _follow(session, attention, calendar, now)
    except StaleStateError:
        return False  # somebody took or cancelled it at the same moment


def _follow(
    session: Session, attention: Attention, calendar: Calendar, now: datetime
) -> bool:
    kind = regime_at(calendar, now).kind
    if attention.state == WAITING and kind == CLOSED:
        to, promise_at = DEFERRED, None
    elif attention.state == DEFERRED and kind != CLOSED:
        to, promise_at = WAITING, None
        if kind == NORMAL:
            minutes = settings_queries.load(session).promise_minutes
            promise_at = add_open_minutes(calendar, now, minutes)
    else:
        return False
    if to == WAITING and attention.deferred_to and attention.deferred_to > now:
        return False  # the customer chose a later opening
    change_state(
        session,
        attention,
        to,
        machine=TRANSITIONS,
        at=now,
        actor=SYSTEM,
        action=f"attention.{to}",
        order_id=attention.order_id,
        reason="Terminó el día" if to == DEFERRED else "Abrió la Mesa de Ayuda",
        regime_kind=kind,
        promise_at=promise_at,
        no_answer_at=None,
        changed_at=now,
        changed_by_id=None,
        state_before=attention.state,
    )
    if to == WAITING:
        tell_on_call(session, attention.order_id, kind, now=now)
    return True


def keep_for_opening(order_id: int, *, now: datetime) -> None:
    """The customer chooses the next opening for a deferred attention.

    Raises StaleStateError when it is no longer deferred.
    """
    with transaction() as session:
        attention = _deferred(session, order_id)
        opening = regime_at(load_calendar(session), now).next_opening
        if attention.deferred_to == opening:
            return
        attention.deferred_to = opening
        attention.version += 1
        attention.changed_at = now
        record(
            session,
            at=now,
            actor=CUSTOMER,
            action="attention.opening_chosen",
            object_kind="attention",
            object_id=attention.id,
            order_id=order_id,
            from_state=DEFERRED,
            to_state=DEFERRED,
        )


def attend_now(order_id: int, *, now: datetime) -> None:
    """The customer wants to be attended as soon as it is open again.

    Raises StaleStateError when it is no longer deferred, RefusedError while closed.
    """
    with transaction() as session:
        attention = _deferred(session, order_id)
        calendar = load_calendar(session)
        if regime_at(calendar, now).kind == CLOSED:
            raise RefusedError("Todavía estamos cerrados: le atenderemos al abrir.")
        attention.deferred_to = None
        session.flush()
        _follow(session, attention, calendar, now)


def _deferred(session: Session, order_id: int) -> Attention:
    attention = queries.find_for_order(session, order_id)
    if attention is None or attention.state != DEFERRED:
        raise StaleStateError("the attention is not deferred")
    session.refresh(attention, with_for_update=True)
    return attention
