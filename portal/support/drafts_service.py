"""What a technician has typed and not sent, kept so that nothing takes it away."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.db import transaction
from portal.support import queries
from portal.support.models import Attention, Draft
from portal.support.rules import MAX_TEXT
from portal.support.states import LIVING

# What nobody took up again in a week is nobody's.
LIFE = timedelta(days=7)


def keep(attention_id: int, act: str, text: str, *, by: Person, now: datetime) -> None:
    """Keep what this person typed in one box of one card; empty forgets it.

    A card that is over keeps nothing. Raises NotFoundError without the attention.
    """
    with transaction() as session:
        attention = queries.get(session, attention_id)
        kept = session.get(Draft, (attention_id, by.id, act))
        text = text[:MAX_TEXT]
        if not text.strip() or attention.state not in LIVING:
            forget(session, attention_id, by, (act,))
        elif kept is not None:
            kept.text, kept.at = text, now
        else:
            session.add(
                Draft(
                    attention_id=attention_id,
                    staff_id=by.id,
                    act=act,
                    text=text,
                    at=now,
                )
            )


def forget(
    session: Session, attention_id: int, by: Person, acts: Sequence[str]
) -> None:
    """Drop a person's drafts of a card, in the caller's transaction: they were sent."""
    session.execute(
        delete(Draft).where(
            Draft.attention_id == attention_id,
            Draft.staff_id == by.id,
            Draft.act.in_(acts),
        )
    )


def wipe_old(now: datetime) -> None:
    """Drop the drafts of cards that are over, and those that nobody took up again."""
    over = select(Attention.id).where(Attention.state.not_in(LIVING))
    with transaction() as session:
        session.execute(
            delete(Draft).where((Draft.at < now - LIFE) | Draft.attention_id.in_(over))
        )
