"""The one way in which a payment changes its state, and the one of a refund."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.journal.service import Actor, change_state
from portal.payments import refund_rules, states
from portal.payments.models import Payment, Refund


def move_payment(
    session: Session,
    payment: Payment,
    state: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    data: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Move it as its gateway's machine allows, with the line of history.

    `values` are columns written in the same UPDATE. Raises StaleStateError when there
    is no such move or when another got there first. It never commits.
    """
    change_state(
        session,
        payment,
        state,
        machine=states.TRANSITIONS[payment.gateway],
        at=now,
        actor=actor,
        action=f"payment.{state}",
        order_id=payment.order_id,
        reason=reason,
        data=data,
        **values,
    )


def move_refund(
    session: Session,
    refund: Refund,
    state: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    **values: Any,
) -> None:
    """Move it as its machine allows, with the line of history and its pesos.

    `values` are columns written in the same UPDATE. Raises StaleStateError when there
    is no such move or when another got there first. It never commits.
    """
    change_state(
        session,
        refund,
        state,
        machine=refund_rules.TRANSITIONS,
        at=now,
        actor=actor,
        action=f"refund.{state}",
        order_id=refund.order_id,
        reason=reason,
        data={"amount": refund.amount, "payment": refund.payment_id},
        **values,
    )
