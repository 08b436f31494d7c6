"""A request over personal data: asked, confirmed by mail, answered in its term.

The history says what happened to a request, never what was asked or answered.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts.rules import Person
from portal.clock import local
from portal.db import transaction
from portal.errors import ConflictError, RefusedError
from portal.journal.service import CUSTOMER, Actor, change_state, record
from portal.mail.service import enqueue
from portal.orders.rules import fingerprint, new_seed
from portal.privacy import persons_service, queries, rules
from portal.privacy.models import PrivacyRequest
from portal.privacy.states import ANSWERED, OPEN, REFUSED, TRANSITIONS, UNVERIFIED

KIND = "privacy_request"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person asks, checked field by field."""

    kind: str
    name: str
    email: str
    text: str


def submit(asked: Asked, *, keys: tuple[str, ...], now: datetime) -> None:
    """Keep the request and mail the link that proves the address.

    Nothing is looked up, so nothing tells whether the address is known. An address
    that got MAX_LINKS links today gets no more, in silence.
    """
    with transaction() as session:
        since = now - timedelta(hours=rules.CONFIRM_HOURS)
        if queries.count_links(session, asked.email, since) >= rules.MAX_LINKS:
            return
        row = _add(session, asked, keys, now, local(now).date())
        _note(session, row, "privacy.asked", CUSTOMER, now, to_state=UNVERIFIED)
        enqueue(session, kind="privacy.confirm", key=str(row.id), now=now)


def _add(
    session: Session, asked: Asked, keys: tuple[str, ...], now: datetime, received: date
) -> PrivacyRequest:
    seed = new_seed()
    row = PrivacyRequest(
        state=UNVERIFIED,
        kind=asked.kind,
        name=asked.name,
        email=asked.email,
        text=asked.text,
        seed=seed,
        token_hash=fingerprint(rules.confirm_token(keys[0], seed)),
        created_at=now,
        confirm_until=now + timedelta(hours=rules.CONFIRM_HOURS),
        due_on=rules.due_on(asked.kind, received),
    )
    session.add(row)
    session.flush()
    return row


def _note(
    session: Session,
    row: PrivacyRequest,
    action: str,
    actor: Actor,
    now: datetime,
    to_state: str | None = None,
) -> None:
    record(
        session,
        at=now,
        actor=actor,
        action=action,
        object_kind=KIND,
        object_id=row.id,
        to_state=to_state,
        data={"right": row.kind},
    )


def confirm(token: str, *, now: datetime) -> None:
    """The link was followed: the request is real and its clock has run since it came.

    A block holds from now on. Confirmed before, nothing happens. Raises NotFoundError,
    and ConflictError for a link that is too old.
    """
    with transaction() as session:
        row = queries.find_by_token(session, token)
        session.refresh(row, with_for_update=True)
        if row.state != UNVERIFIED:
            return
        if now >= row.confirm_until:
            raise ConflictError("Este enlace venció. Pídalo otra vez en el formulario.")
        _open(session, row, CUSTOMER, now)


def _open(session: Session, row: PrivacyRequest, actor: Actor, now: datetime) -> None:
    change_state(
        session,
        row,
        OPEN,
        machine=TRANSITIONS,
        at=now,
        actor=actor,
        action="privacy.confirmed",
        order_id=0,
        confirmed_at=now,
    )
    if row.kind == rules.BLOCK:
        persons_service.set_blocked_in(session, row.email, True, actor=actor, now=now)
    for kind in ("privacy.received", "alert.privacy"):
        enqueue(session, kind=kind, key=str(row.id), now=now)


def note_by_hand(
    asked: Asked, received: date, *, by: Person, keys: tuple[str, ...], now: datetime
) -> int:
    """The owner enters what came by letter, phone or mail; its id.

    The owner has checked who asks. Raises RefusedError for a day that cannot be.
    """
    today = local(now).date()
    if not rules.years_before(today, 1) <= received <= today:
        raise RefusedError("La fecha va desde hace un año hasta hoy.")
    with transaction() as session:
        row = _add(session, asked, keys, now, received)
        actor = Actor("staff", by.id)
        _note(session, row, "privacy.asked", actor, now, to_state=UNVERIFIED)
        _open(session, row, actor, now)
        return row.id


def extend(request_id: int, reason: str, *, by: Person, now: datetime) -> None:
    """Take as many days again, once, and tell the person why.

    Raises ConflictError when it was answered, RefusedError when it may not be.
    """
    with transaction() as session:
        row = queries.get(session, request_id, lock=True)
        if row.state != OPEN:
            raise ConflictError("Esta solicitud ya se contestó.")
        if not rules.may_extend(row.kind, row.extended_at is not None):
            raise RefusedError("El plazo se extiende una sola vez, y nunca un bloqueo.")
        if local(now).date() > row.due_on:
            raise RefusedError("El plazo ya venció: no se puede extender.")
        row.due_on = rules.extended(row.due_on)
        row.extended_at, row.extension_reason = now, reason
        row.version += 1
        _note(session, row, "privacy.extended", Actor("staff", by.id), now)
        enqueue(session, kind="privacy.extended", key=str(row.id), now=now)


def answer(
    request_id: int, text: str, *, refuses: bool, by: Person, now: datetime
) -> None:
    """Keep the answer and mail it; a block that is refused is lifted.

    Raises ConflictError when somebody answered before.
    """
    with transaction() as session:
        row = queries.get(session, request_id, lock=True)
        actor = Actor("staff", by.id)
        change_state(
            session,
            row,
            REFUSED if refuses else ANSWERED,
            machine=TRANSITIONS,
            at=now,
            actor=actor,
            action="privacy.answered",
            order_id=0,
            answered_at=now,
            answered_by_id=by.id,
            answer=text,
        )
        if refuses and row.kind == rules.BLOCK:
            persons_service.set_blocked_in(
                session, row.email, False, actor=actor, now=now
            )
        enqueue(session, kind="privacy.answered", key=str(row.id), now=now)


def alert_due(now: datetime) -> None:
    """Warn the owner before a term ends, and once when it has."""
    today = local(now).date()
    with transaction() as session:
        for row in queries.open_requests(session):
            stage = rules.alert_stage(row.kind, row.due_on, today)
            if stage is not None:
                key = f"{row.id}-{row.due_on:%Y%m%d}-{stage}"
                enqueue(session, kind="alert.privacy_due", key=key, now=now)
