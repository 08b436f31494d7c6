"""Which orders still hold words that may go, and what stands against forgetting one."""

from datetime import datetime

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from portal.orders.models import Order
from portal.support.customer_models import AttentionMessage, ErrandEntry, Rating
from portal.support.errand_queries import LIVING_ERRANDS
from portal.support.models import Attention, AttentionEntry, AttentionNote, Errand
from portal.support.queries import find_errand_for_order, find_for_order
from portal.support.rules import UNDO_WINDOW
from portal.support.states import HELD, LIVING, NO_SHOW

# What stands in the place of a text that is gone.
ERASED_TEXT = "(texto borrado)"


def unfinished_work(session: Session, order_id: int, now: datetime) -> str:
    """Why the order's words are still needed; empty when its work is over."""
    attention = find_for_order(session, order_id)
    if attention is not None and attention.state in LIVING:
        return "Su atención no ha terminado."
    if attention is not None and attention.changed_at > now - UNDO_WINDOW:
        return "Su atención acaba de terminar: espere un minuto."
    errand = find_errand_for_order(session, order_id)
    if errand is not None and errand.state in LIVING_ERRANDS:
        return "Su encargo no ha terminado."
    return ""


def with_old_words(before: datetime) -> Select[int]:
    """Orders whose work ended before that instant (UTC) and whose texts are there."""
    of_attention = Attention.order_id == Order.id
    of_errand = Errand.order_id == Order.id
    open_states = tuple(sorted((HELD | LIVING) - {NO_SHOW}))
    over = or_(
        exists().where(
            of_attention,
            Attention.state.not_in(open_states),
            Attention.changed_at < before,
        ),
        exists().where(
            of_errand,
            Errand.state.not_in(LIVING_ERRANDS),
            Errand.changed_at < before,
        ),
    )
    said = [
        exists().where(of_attention, model.attention_id == Attention.id)
        for model in (AttentionMessage, AttentionNote)
    ]
    entry, act = AttentionEntry, ErrandEntry
    said += [
        exists().where(
            of_attention,
            entry.attention_id == Attention.id,
            entry.text.not_in(("", ERASED_TEXT)),
        ),
        exists().where(
            of_attention,
            Rating.attention_id == Attention.id,
            Rating.comment.is_not(None),
        ),
        exists().where(
            of_errand,
            act.errand_id == Errand.id,
            act.text.not_in(("", ERASED_TEXT)),
        ),
    ]
    return select(Order.id).where(and_(over, or_(Order.problem != "", *said)))
