"""Giving an attention to a colleague, and noting that a customer is not there."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts import queries as accounts_queries
from portal.accounts.rules import Person
from portal.db import transaction
from portal.errors import RefusedError
from portal.support import queries
from portal.support.models import Attention
from portal.support.moves_service import (
    end_if_over,
    late,
    move,
    note_change,
    require_holder,
    was_changed_by,
    was_handed_over,
)
from portal.support.rules import CALLS_BEFORE_NO_SHOW
from portal.support.states import NO_SHOW, TAKEN


def hand_over(attention_id: int, to_id: int, *, by: Person, now: datetime) -> None:
    """Give what one holds to another active technician; state and clock stay.

    Raises RefusedError when that is nobody who may have it.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if _was_given(attention, to_id, by):
            return
        require_holder(session, attention, by, now)
        end_if_over(session, attention, now)
        _check_receiver(session, attention, to_id)
        data = {"from": attention.technician_id, "to": to_id}
        attention.technician_id = to_id
        attention.state_before = attention.state
        attention.changed_at, attention.changed_by_id = now, by.id
        note_change(session, attention, "attention.handed_over", by, now, data)


def _was_given(attention: Attention, to_id: int, by: Person) -> bool:
    given = was_handed_over(attention) and attention.technician_id == to_id
    return given and attention.changed_by_id == by.id


def _check_receiver(session: Session, attention: Attention, to_id: int) -> None:
    active = {each.id for each in accounts_queries.technicians(session)}
    if to_id not in active or to_id == attention.technician_id:
        raise RefusedError("Elija a otro técnico que esté activo.")


def no_show(attention_id: int, *, by: Person, now: datetime) -> None:
    """Note that the customer did not answer, after two calls; nobody holds it then.

    Raises RefusedError before the second call.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        if attention.state == NO_SHOW and was_changed_by(attention, TAKEN, by):
            return
        require_holder(session, attention, by, now)
        if attention.state != TAKEN:
            raise late(session, attention)
        if attention.calls < CALLS_BEFORE_NO_SHOW:
            raise RefusedError(
                "Anote dos llamadas sin respuesta antes de marcarlo ausente."
            )
        move(session, attention, NO_SHOW, by, now, technician_id=None, taken_at=None)
