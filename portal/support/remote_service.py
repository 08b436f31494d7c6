"""The remote-access code: given by the customer, wiped when the attention has ended.

Neither the history nor any log ever holds the code.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import reading, transaction
from portal.errors import ConflictError, RefusedError
from portal.journal.service import SYSTEM, record
from portal.support import customer_queries, queries
from portal.support.customer_models import RemoteCode
from portal.support.customer_service import note, own_attention
from portal.support.models import Attention
from portal.support.remote_rules import (
    GIVEN_IN,
    MAX_TIMES,
    WIPE_AFTER,
    seal,
    unseal,
)
from portal.support.rules import effective_state


def give_code(
    order_id: int, code: str, *, consents: bool, keys: tuple[str, ...], now: datetime
) -> None:
    """Keep the code, sealed under `keys`, in place of any before.

    Raises RefusedError without the consent, ConflictError when nobody needs it now.
    """
    if not consents:
        raise RefusedError("Para usar el código necesitamos su autorización.")
    with transaction() as session:
        attention = own_attention(session, order_id)
        if effective_state(attention, now) not in GIVEN_IN:
            raise ConflictError("Ahora no se necesita el código.")
        known = customer_queries.find_code(session, attention.id)
        if known is None:
            known = RemoteCode(attention_id=attention.id, times=0)
            session.add(known)
        elif known.remote_code and unseal(keys, known.remote_code) == code:
            return
        if known.times >= MAX_TIMES:
            raise RefusedError("Ya cambió el código muchas veces: dígalo por teléfono.")
        known.remote_code = seal(keys, code)
        known.times += 1
        known.at = known.consented_at = now
        known.wiped_at = None
        note(session, attention, "attention.remote_code_given", now)


def take_back_code(order_id: int, *, now: datetime) -> None:
    """The customer withdraws the code; withdrawn or wiped before, nothing happens."""
    with transaction() as session:
        attention = own_attention(session, order_id)
        known = customer_queries.find_code(session, attention.id)
        if known is None or known.remote_code is None:
            return
        known.remote_code, known.wiped_at = None, now
        note(session, attention, "attention.remote_code_withdrawn", now)


def wipe_codes(now: datetime) -> int:
    """Wipe the codes of what ended ten seconds ago and more; how many were wiped.

    Until then a closing may be undone, and the code is needed again.
    """
    with reading() as session:
        due = customer_queries.codes_to_wipe(session, now)
    return sum(_wipe(attention_id, now) for attention_id in due)


def _wipe(attention_id: int, now: datetime) -> bool:
    with transaction() as session:
        attention = queries.get(session, attention_id, lock=True)
        known = customer_queries.find_code(session, attention_id)
        if known is None or known.remote_code is None or not _is_over(attention, now):
            return False
        known.remote_code, known.wiped_at = None, now
        _tell(session, attention, now)
        return True


def _is_over(attention: Attention, now: datetime) -> bool:
    """Asked again under the lock: an undo may have come between."""
    ended = attention.state not in GIVEN_IN
    return ended and attention.changed_at <= now - WIPE_AFTER


def _tell(session: Session, attention: Attention, now: datetime) -> None:
    attention.version += 1
    record(
        session,
        at=now,
        actor=SYSTEM,
        action="attention.remote_code_wiped",
        object_kind="attention",
        object_id=attention.id,
        order_id=attention.order_id,
    )
