"""Writing the canned solutions: texts that technicians take instead of typing them."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalog import queries
from portal.catalog.models import CannedSolution, Topic
from portal.catalog.rules import canned_mark
from portal.db import transaction
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import Actor, record
from portal.settings.service import bump_revision


@dataclass(frozen=True, kw_only=True)
class CannedDraft:
    """A canned solution as the owner writes it; without a topic it fits every one."""

    title: str
    text: str
    topic_slug: str | None


def save(
    canned_id: int | None, draft: CannedDraft, *, seen: str, actor: Actor, now: datetime
) -> None:
    """Change a canned solution, or add one when `canned_id` is None.

    `seen` is the `rules.canned_mark` of what was shown. Raises NotFoundError,
    RefusedError for an unknown topic or a title that the topic has already, and
    StaleStateError when somebody changed it since.
    """
    with transaction() as session:
        row = _row(session, canned_id)
        before = _values(row) if canned_id else {}
        if canned_id and seen != canned_mark(row):
            raise StaleStateError("Otra persona cambió esta solución entre tanto.")
        after = asdict(draft)
        if before == after:
            return
        _check(session, draft, canned_id)
        for name, value in after.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        action = "canned.changed" if before else "canned.added"
        _note(session, row, action, {"before": before, "after": after}, actor, now)


def offer(
    canned_id: int, offered: bool, *, seen: str, actor: Actor, now: datetime
) -> None:
    """Take it off the technicians' lists, or put it back; twice has no second effect.

    The row stays, so that it can come back and is not added anew by the defaults.
    Raises NotFoundError, and StaleStateError when it is not what `seen` marks.
    """
    with transaction() as session:
        row = queries.get_canned(session, canned_id, lock=True)
        if row.active == offered:
            return
        if seen != canned_mark(row):
            raise StaleStateError("Otra persona cambió esta solución entre tanto.")
        row.active = offered
        session.flush()
        action = "canned.restored" if offered else "canned.removed"
        _note(session, row, action, {"title": row.title}, actor, now)


def _note(
    session: Session,
    row: CannedSolution,
    action: str,
    data: dict[str, object],
    actor: Actor,
    now: datetime,
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind="canned",
        object_id=row.id,
        data=data,
    )
    bump_revision(session, now)


def _check(session: Session, draft: CannedDraft, canned_id: int | None) -> None:
    topic = draft.topic_slug
    if topic and not session.scalar(select(Topic.id).where(Topic.slug == topic)):
        raise RefusedError("Elija un tema de la lista.")
    same = (
        each.id != canned_id
        and each.title.casefold() == draft.title.casefold()
        and each.topic_slug == topic
        for each in queries.list_canned(session)
    )
    if any(same):
        raise RefusedError("Ese tema ya tiene una solución con ese título.")


def _values(row: CannedSolution) -> dict[str, str | None]:
    return {name: getattr(row, name) for name in CannedDraft.__dataclass_fields__}


def _row(session: Session, canned_id: int | None) -> CannedSolution:
    if canned_id is not None:
        return queries.get_canned(session, canned_id, lock=True)
    last = session.scalar(select(func.max(CannedSolution.position))) or 0
    return CannedSolution(position=last + 1, active=True)
