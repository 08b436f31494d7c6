"""The acts of a customer on the own attention.

Every act is one transaction and repeats without effect; one that came too late raises
ConflictError. The history says that it happened, never what was written.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import ConflictError, NotFoundError, RefusedError, StaleStateError
from portal.hours.queries import load_calendar
from portal.hours.rules import NORMAL, SPECIAL, regime_at
from portal.journal.service import CUSTOMER, change_state
from portal.settings import queries as settings_queries
from portal.support import customer_queries, queries
from portal.support.alert_service import alert_no_answer
from portal.support.customer_models import AttentionMessage, Rating
from portal.support.customer_rules import (
    BACK_FROM,
    BURST,
    BURST_WINDOW,
    CALLED_IN,
    MAX_MESSAGES,
    MESSAGED_IN,
    no_answer_from,
)
from portal.support.models import Attention
from portal.support.moves_service import note_as
from portal.support.queue_service import new_promise
from portal.support.states import CLOSED, NO_SHOW, TRANSITIONS, WAITING

_TOO_LATE = "Eso ya cambió: vea aquí cómo quedó."


def own_attention(session: Session, order_id: int) -> Attention:
    """The order's attention, its row locked. Raises NotFoundError."""
    attention = queries.find_for_order(session, order_id)
    if attention is None:
        raise NotFoundError("Este pedido no tiene una atención.")
    session.refresh(attention, with_for_update=True)
    return attention


def note(
    session: Session,
    attention: Attention,
    action: str,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """What the customer changed that is no change of state."""
    note_as(CUSTOMER, session, attention, action, now, data)


def say_no_answer(order_id: int, *, now: datetime) -> None:
    """Nobody answers: red on the board, owner and on-call told, refund offered."""
    with transaction() as session:
        attention = own_attention(session, order_id)
        if attention.state not in CALLED_IN or attention.contacted_at:
            raise ConflictError(_TOO_LATE)
        if attention.no_answer_at is not None:
            return
        kind = regime_at(load_calendar(session), now).kind
        _check_no_answer(session, attention, kind, now)
        attention.no_answer_at = now
        note(session, attention, "attention.no_answer", now)
        alert_no_answer(session, order_id, kind, now=now)


def _check_no_answer(
    session: Session, attention: Attention, kind: str, now: datetime
) -> None:
    if kind == NORMAL:
        raise RefusedError("En horario normal le llamamos nosotros.")
    if kind != SPECIAL:
        raise RefusedError("Ahora estamos cerrados: le atenderemos al abrir.")
    minutes = settings_queries.load(session).no_answer_minutes
    if now < no_answer_from(attention.queued_at, minutes):
        raise RefusedError(f"Denos {minutes} minutos desde su pago y avísenos aquí.")


def come_back(order_id: int, *, now: datetime) -> None:
    """From no-show back to the queue, at the old place."""
    with transaction() as session:
        attention = own_attention(session, order_id)
        if attention.state == WAITING and attention.state_before == NO_SHOW:
            return
        if attention.state not in BACK_FROM:
            raise ConflictError(_TOO_LATE)
        kind, promise_at = new_promise(session, attention, now)
        try:
            change_state(
                session,
                attention,
                WAITING,
                machine=TRANSITIONS,
                at=now,
                actor=CUSTOMER,
                action="attention.came_back",
                order_id=order_id,
                regime_kind=kind,
                promise_at=promise_at,
                technician_id=None,
                taken_at=None,
                contacted_at=None,
                no_answer_at=None,
                calls=0,
                called_at=None,
                changed_at=now,
                changed_by_id=None,
                state_before=NO_SHOW,
            )
        except StaleStateError as error:
            raise ConflictError(_TOO_LATE) from error


def send_message(order_id: int, text: str, *, now: datetime) -> None:
    """A message to whoever attends. Raises RefusedError when there are too many."""
    with transaction() as session:
        attention = own_attention(session, order_id)
        if attention.state not in MESSAGED_IN:
            raise ConflictError("La atención ya terminó: llámenos por teléfono.")
        said = customer_queries.messages(session, attention.id)
        if said and said[-1].text == text:
            return
        recent = customer_queries.count_messages(
            session, attention.id, now - BURST_WINDOW
        )
        if recent >= BURST:
            raise RefusedError("Recibimos sus mensajes. Espere un par de minutos.")
        if len(said) >= MAX_MESSAGES:
            raise RefusedError("Ya escribió mucho: cuéntenos el resto por teléfono.")
        session.add(AttentionMessage(attention_id=attention.id, text=text, at=now))
        note(session, attention, "attention.message_added", now)


def rate(order_id: int, stars: int, comment: str | None, *, now: datetime) -> None:
    """What the customer thought, once. Raises ConflictError for another opinion."""
    with transaction() as session:
        attention = own_attention(session, order_id)
        if attention.state != CLOSED:
            raise ConflictError("Podrá calificar cuando la atención termine.")
        known = customer_queries.find_rating(session, attention.id)
        if known is not None:
            if (known.stars, known.comment) == (stars, comment):
                return
            raise ConflictError("Ya calificó esta atención. Muchas gracias.")
        session.add(
            Rating(attention_id=attention.id, stars=stars, comment=comment, at=now)
        )
        note(session, attention, "attention.rated", now, {"stars": stars})
