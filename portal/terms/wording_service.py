"""Writing the terms anew: a draft that binds nobody, and publishing it."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import NotFoundError, RefusedError, StaleStateError
from portal.journal.service import Actor, record
from portal.terms import queries
from portal.terms.models import TermsWording
from portal.terms.queries import DRAFT, IN_FORCE
from portal.terms.rules import join_lines, text_hash
from portal.terms.service import lock, publish_in
from portal.terms.wording_rules import problems

_OTHER = "Otra persona cambió el borrador entre tanto."


def draft_mark(draft: TermsWording | None) -> str:
    """What a page carries, so that the second of two owners is told."""
    return text_hash(draft.body) if draft else ""


def save_draft(wording: str, *, seen: str, actor: Actor, now: datetime) -> None:
    """Keep a draft. `seen` is the `draft_mark` of the one that was shown.

    Raises RefusedError with all that is wrong in it, StaleStateError when somebody has
    saved another since.
    """
    if found := problems(wording):
        raise RefusedError(" ".join(found))
    body = join_lines(wording.split("\n"))
    with transaction() as session:
        lock(session)
        draft = queries.draft(session)
        before = draft_mark(draft)
        if before != seen:
            raise StaleStateError(_OTHER)
        if draft is None:
            draft = TermsWording(kind=DRAFT, body=body, updated_at=now)
            session.add(draft)
        draft.body, draft.updated_at = body, now
        _record(session, "draft_saved", before, text_hash(body), actor, now)


def drop_draft(*, seen: str, actor: Actor, now: datetime) -> None:
    """Give the draft up.

    Raises NotFoundError without one, StaleStateError when it is another by now.
    """
    with transaction() as session:
        lock(session)
        draft = _draft(session)
        if draft_mark(draft) != seen:
            raise StaleStateError(_OTHER)
        session.delete(draft)
        _record(session, "draft_dropped", seen, "", actor, now)


def publish_draft(*, seen: str, actor: Actor, now: datetime) -> int:
    """Let the draft be the wording in force, and publish; the version in force.

    `seen` is the SHA-256 of the text as it was shown. Raises NotFoundError without a
    draft, StaleStateError when the text to be published is another by now.
    """
    with transaction() as session:
        lock(session)
        draft = _draft(session)
        if text_hash(queries.draft_preview(session)) != seen:
            raise StaleStateError("El texto cambió mientras usted lo leía.")
        before = text_hash(queries.wording_in_force(session))
        row = session.get(TermsWording, IN_FORCE)
        if row is None:
            row = TermsWording(kind=IN_FORCE, body=draft.body, updated_at=now)
            session.add(row)
        row.body, row.updated_at = draft.body, now
        session.delete(draft)
        session.flush()
        _record(session, "wording_changed", before, text_hash(row.body), actor, now)
        return publish_in(session, actor=actor, now=now).number


def _draft(session: Session) -> TermsWording:
    draft = queries.draft(session)
    if draft is None:
        raise NotFoundError("Ya no hay un borrador.")
    return draft


def _record(
    session: Session, act: str, before: str, after: str, actor: Actor, now: datetime
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=f"terms.{act}",
        object_kind="terms_wording",
        object_id=0,
        data={"before": before, "after": after},
    )
