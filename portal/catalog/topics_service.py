"""Writing the topics: what can happen to a customer, and the answer to it."""

import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalog import queries
from portal.catalog.models import Topic
from portal.catalog.rules import SERVICE_SLUGS, SOPORTE_ONLINE, topic_mark
from portal.db import transaction
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import Actor, record
from portal.settings.service import bump_revision

_SLUG_LENGTH = 50


@dataclass(frozen=True, kw_only=True)
class TopicDraft:
    """A topic as the owner writes it; `service_slug` solves an excluded one."""

    title: str
    answer: str
    covered: bool
    service_slug: str | None
    active: bool


def save(
    topic_id: int | None, draft: TopicDraft, *, seen: str, actor: Actor, now: datetime
) -> None:
    """Change a topic, or add one when `topic_id` is None, with before and after.

    `seen` is the `rules.topic_mark` of what was shown. Raises NotFoundError,
    RefusedError when no covered topic would be left, StaleStateError when somebody
    changed it since.
    """
    _check(draft)
    with transaction() as session:
        row = _row(session, topic_id, draft)
        before = _values(row) if topic_id else {}
        if topic_id and seen != topic_mark(row):
            raise StaleStateError("Otra persona cambió este tema entre tanto.")
        after = asdict(draft)
        if before == after:
            return
        for name, value in after.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        if not any(topic.covered for topic in queries.list_topics(session)):
            raise RefusedError("Deje al menos un tema que el soporte resuelva.")
        record(
            session,
            at=now,
            actor=actor,
            action="topic.changed" if before else "topic.added",
            object_kind="topic",
            object_id=row.id,
            data={"before": before, "after": after},
        )
        bump_revision(session, now)


def _check(draft: TopicDraft) -> None:
    if draft.covered and draft.service_slug:
        raise RefusedError("Lo que el soporte resuelve no manda a otro servicio.")
    others = (None, *(slug for slug in SERVICE_SLUGS if slug != SOPORTE_ONLINE))
    if draft.service_slug not in others:
        raise RefusedError("Elija un servicio de la lista.")


def _values(row: Topic) -> dict[str, str | bool | None]:
    return {name: getattr(row, name) for name in TopicDraft.__dataclass_fields__}


def _row(session: Session, topic_id: int | None, draft: TopicDraft) -> Topic:
    if topic_id is not None:
        return queries.get_topic(session, topic_id, lock=True)
    last = session.scalar(select(func.max(Topic.position))) or 0
    return Topic(slug=_free_slug(session, draft.title), position=last + 1)


def _free_slug(session: Session, title: str) -> str:
    """A name for addresses and forms, made once and kept whatever the title says."""
    plain = unicodedata.normalize("NFKD", title.lower())
    words = "".join(char if char.isalnum() else " " for char in plain if char.isascii())
    base = "-".join(words.split())[:_SLUG_LENGTH].strip("-") or "tema"
    taken = set(session.scalars(select(Topic.slug)))
    names = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(n for n in names if n not in taken)
