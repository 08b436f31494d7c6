"""Mails to the customer about an attention."""

from datetime import datetime

from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders.mails import link_of, reachable
from portal.support import alert_mails, errand_mails, promise_mails, queries
from portal.support.models import Attention
from portal.support.states import CLOSED, DONE, WILL_DO
from portal.terms.rules import ATTENTION_MINUTES

_ENTRY_WORDS = {WILL_DO: "Haremos", DONE: "Hecho"}


def _used_minutes(started_at: datetime, ended_at: datetime, paused_seconds: int) -> int:
    """Minutes of attention without its pauses, a begun minute counted."""
    seconds = (ended_at - started_at).total_seconds() - paused_seconds
    return max(0, min(ATTENTION_MINUTES, -int(-seconds // 60)))


def _span(attention: Attention) -> tuple[datetime, datetime] | None:
    """From the start to the end of its time, or to the closing before it."""
    if attention.started_at is None or attention.closed_at is None:
        return None
    ends = [moment for moment in (attention.closed_at, attention.ends_at) if moment]
    return attention.started_at, min(ends)


def _attention_summary(context: RenderContext, row: OutboxRow) -> Mail | None:
    """What was done, once it is closed for good: an undo withdraws it."""
    found = reachable(context, row)
    attention = queries.find_for_order(context.session, row.order_id)
    if found is None or attention is None or attention.state != CLOSED:
        return None
    span = _span(attention)
    if span is None:
        return None
    order, contact = found
    return render(
        context,
        "support/attention_summary",
        to=contact.email,
        subject=f"Resumen de su atención: pedido {order.number}",
        order=order,
        contact=contact,
        link=link_of(context, order),
        outcome=attention.outcome,
        started_at=span[0],
        ended_at=span[1],
        minutes=_used_minutes(*span, attention.paused_seconds),
        attention_minutes=ATTENTION_MINUTES,
        entries=queries.entries(context.session, attention.id),
        words=_ENTRY_WORDS,
    )


RENDERERS: dict[str, Renderer] = {
    "attention.summary": _attention_summary,
    **promise_mails.RENDERERS,
    **alert_mails.RENDERERS,
    **errand_mails.RENDERERS,
}
