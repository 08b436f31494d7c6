"""Writing history, and the one way in which a state changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from portal.errors import StaleStateError
from portal.journal.models import JournalEntry


@dataclass(frozen=True)
class Actor:
    """Who acts: `customer`, `staff`, `gateway` or `system`, and the row's id if any."""

    kind: str
    id: int | None = None


CUSTOMER = Actor("customer")
GATEWAY = Actor("gateway")
SYSTEM = Actor("system")

Transitions = Mapping[str, frozenset[str]]


class Stateful(Protocol):
    """A row of a machine: an id, a state, a version that every change increases."""

    @property
    def id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def version(self) -> int: ...


def record(
    session: Session,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    object_kind: str,
    object_id: int,
    order_id: int | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    reason: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add one line of history to the caller's transaction. It never commits."""
    session.add(
        JournalEntry(
            at=at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            order_id=order_id,
            from_state=from_state,
            to_state=to_state,
            reason=reason,
            data=dict(data or {}),
        )
    )


def change_state(
    session: Session,
    row: Stateful,
    to: str,
    *,
    machine: Transitions,
    at: datetime,
    actor: Actor,
    action: str,
    order_id: int,
    reason: str | None = None,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Move `row` to state `to` by compare-and-set, with its one line of history.

    `values` are columns written in the same UPDATE. Raises StaleStateError when the
    machine has no such move or when another got there first. It never commits.
    """
    model: Any = type(row)
    before = row.state
    if to not in machine.get(before, frozenset()):
        raise StaleStateError(f"{model.__tablename__}: no move from {before} to {to}")
    session.flush()
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(model)
        .where(
            model.id == row.id,
            model.state == before,
            model.version == row.version,
        )
        .values(state=to, version=row.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        raise StaleStateError(f"{model.__tablename__} {row.id} was changed meanwhile")
    session.refresh(row)
    record(
        session,
        at=at,
        actor=actor,
        action=action,
        object_kind=model.__tablename__.removesuffix("s"),
        object_id=row.id,
        order_id=order_id,
        from_state=before,
        to_state=to,
        reason=reason,
        data=data,
    )
