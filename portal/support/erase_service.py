"""Forgetting the words of an attention or errand; that it was done, and when, stays."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Update,
    delete,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.support.customer_models import (
    AttentionMessage,
    ErrandEntry,
    Rating,
    RemoteCode,
)
from portal.support.erase_queries import ERASED_TEXT
from portal.support.models import (
    Attention,
    AttentionEntry,
    AttentionNote,
    Draft,
    Errand,
)


def forget_words(session: Session, order_ids: Sequence[int]) -> int:
    """Drop messages, notes, drafts and codes, blank every text; how many there were.

    It runs in the caller's transaction and never commits.
    """
    of_attention = select(Attention.id).where(Attention.order_id.in_(order_ids))
    of_errand = select(Errand.id).where(Errand.order_id.in_(order_ids))
    statements: list[Update | Delete] = [
        delete(model).where(model.attention_id.in_(of_attention))
        for model in (AttentionMessage, AttentionNote, Draft)
    ]
    statements += [
        update(AttentionEntry)
        .where(
            AttentionEntry.attention_id.in_(of_attention), _said(AttentionEntry.text)
        )
        .values(text=ERASED_TEXT),
        update(ErrandEntry)
        .where(ErrandEntry.errand_id.in_(of_errand), _said(ErrandEntry.text))
        .values(text=ERASED_TEXT),
        update(Rating)
        .where(Rating.attention_id.in_(of_attention), Rating.comment.is_not(None))
        .values(comment=None),
        update(RemoteCode)
        .where(
            RemoteCode.attention_id.in_(of_attention),
            RemoteCode.remote_code.is_not(None),
        )
        .values(remote_code=None),
    ]
    session.flush()
    count = sum(_run(session, statement) for statement in statements)
    for work in (Attention, Errand):
        _run(
            session,
            update(work)
            .where(work.order_id.in_(order_ids))
            .values(version=work.version + 1),
        )
    session.expire_all()
    return count


def _said(text: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return text.not_in(("", ERASED_TEXT))


def _run(session: Session, statement: Update | Delete) -> int:
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount
