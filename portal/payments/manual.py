"""Orders that no gateway paid: the owner opens them, by transfer or free."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import RefusedError
from portal.journal.service import Actor, record
from portal.money import MAX_PESOS
from portal.orders import hand_service
from portal.orders.draft_rules import Draft
from portal.orders.models import Order
from portal.orders.rules import fingerprint, new_seed
from portal.payments import rules, states
from portal.payments.gateways.base import Evidence
from portal.payments.models import Payment
from portal.payments.service import apply_evidence

TRANSFER, FREE = "transfer", "free"
KINDS = (TRANSFER, FREE)


def open_by_hand(
    draft: Draft,
    kind: str,
    amount: int,
    *,
    reason: str,
    actor: Actor,
    keys: tuple[str, ...],
    now: datetime,
) -> int:
    """Open a paid order without a gateway; its id. The same form twice is one order.

    `amount` is in pesos: 0 for a free one, and only there. Raises RefusedError when
    they do not fit or there is no reason, and what `orders.hand_service.insert` raises.
    """
    _check(kind, amount, reason)
    with transaction() as session:
        twin = hand_service.find_twin(session, draft.form_key)
        if twin is not None:
            return twin.id
        order = hand_service.insert(
            session, draft, amount, reason=reason, keys=keys, actor=actor, now=now
        )
        _pay(session, order, kind, reason=reason, actor=actor, keys=keys, now=now)
        return order.id


def _check(kind: str, amount: int, reason: str) -> None:
    if kind not in KINDS:
        raise RefusedError("Elija transferencia o sin costo.")
    if not reason.strip():
        raise RefusedError("Escriba el motivo.")
    if kind == FREE and amount:
        raise RefusedError("Un pedido sin costo no lleva monto.")
    if kind == TRANSFER and not 0 < amount <= MAX_PESOS:
        raise RefusedError("El monto de la transferencia debe ser mayor que cero.")


def _pay(
    session: Session,
    order: Order,
    kind: str,
    *,
    reason: str,
    actor: Actor,
    keys: tuple[str, ...],
    now: datetime,
) -> None:
    """The payment, from created to approved on the owner's word."""
    seed = new_seed()
    reference = rules.reference_of(keys[0], seed)
    payment = Payment(
        order_id=order.id,
        gateway=states.MANUAL,
        state=states.CREATED,
        amount=order.price,
        buy_order=rules.new_buy_order(),
        seed=seed,
        reference_hash=fingerprint(reference),
        created_at=now,
    )
    session.add(payment)
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="payment.created",
        object_kind="payment",
        object_id=payment.id,
        order_id=order.id,
        to_state=states.CREATED,
        reason=reason,
        data={"kind": kind, "amount": order.price},
    )
    said = Evidence(
        word=states.APPROVED,
        amount=order.price,
        currency="CLP",
        reference=reference,
        detail=kind,
        approved_at=now,
        method=kind,
    )
    apply_evidence(
        session, order, payment, said, keys, None, now, actor=actor, reason=reason
    )
    payment.next_check_at = None  # no gateway knows of it
