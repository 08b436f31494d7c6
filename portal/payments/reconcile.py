"""What neither return nor notification told: ask the gateways, expire the rest."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.db import reading, transaction
from portal.errors import RefusedError, StaleStateError
from portal.journal.service import SYSTEM, change_state
from portal.mail.service import enqueue
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.payments import queries, refund_rules, rules, states
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import Evidence, Question
from portal.payments.models import Payment
from portal.payments.moves_service import move_payment
from portal.payments.returns import GATEWAY_ERRORS
from portal.payments.service import AFTER_APPROVAL, first_check_after_approval, settle

_DAILY = timedelta(days=1)
# After the form's time a payer's last tap may still be on its way.
_GRACE = timedelta(minutes=2)
# A request may be opening this attempt at its gateway at this moment.
_OPENING = timedelta(minutes=1)
log = logging.getLogger(__name__)


@dataclass
class Round:
    """What one round of questions found; ids only."""

    asked: int = 0
    unanswered: int = 0
    changed: list[tuple[int, str]] = field(default_factory=list)
    timed_out: int = 0

    def lines(self) -> list[str]:
        """The round in words, for the command."""
        kinds = Counter(state for _, state in self.changed)
        told = ", ".join(f"{count} {state}" for state, count in sorted(kinds.items()))
        return [
            f"asked {self.asked}, unanswered {self.unanswered}, "
            f"forms timed out {self.timed_out}",
            f"changed: {told or 'nothing'}",
            *(f"payment {id}: {state}" for id, state in self.changed),
        ]


def reconcile_due(
    gateways: Gateways,
    *,
    now: datetime,
    everything: bool = False,
    limit: int = 50,
    gateway: str | None = None,
) -> Round:
    """Ask about every attempt whose pause is over; `everything` ignores the pauses.

    With `gateway`, those of this one alone.
    """
    with reading() as session:
        ids = queries.due(session, None if everything else now, limit, gateway)
    result = Round()
    for payment_id in ids:
        _ask(payment_id, gateways, now, result)
    return result


def ask_one(payment_id: int, gateways: Gateways, now: datetime) -> Round:
    """Ask about one payment at once, whatever its pause (the owner's button).

    Raises NotFoundError, and RefusedError for money that no gateway can be asked about.
    """
    with reading() as session:
        ids = _known_as(session, queries.get(session, payment_id), gateways)
    result = Round()
    for known_id in ids:
        _ask(known_id, gateways, now, result)
    return result


def _known_as(session: Session, payment: Payment, gateways: Gateways) -> list[int]:
    """The attempts under whose reference the gateway knows the money.

    A further payment of one Mercado Pago preference came under that of another row.
    """
    rows = [payment]
    if payment.gateway == states.MERCADOPAGO and payment.preference_id is None:
        attempts = queries.of_order(session, payment.order_id)
        rows = [row for row in attempts if row.preference_id] or rows
    try:
        for row in rows:
            gateways.by_name(row.gateway)
            _question(row, gateways)
    except LookupError as error:
        raise RefusedError("El portal no puede preguntar por este pago.") from error
    return [row.id for row in rows]


def _ask(payment_id: int, gateways: Gateways, now: datetime, result: Round) -> None:
    result.asked += 1
    try:
        with reading() as session:
            payment = queries.get(session, payment_id)
            gateway, question = payment.gateway, _question(payment, gateways)
        found = gateways.by_name(gateway).look_up(question)
    # LookupError: its SECRET_KEY is gone. One such payment must not stop the others.
    except (*GATEWAY_ERRORS, LookupError) as error:
        log.warning("payment %s: %s", payment_id, error)
        if isinstance(error, LookupError):
            _tell_key_is_gone(now)
        result.unanswered += 1
        _close_form(payment_id, now, answered=False)
        _postpone(payment_id, now, answered=False)
        return
    for evidence in found:
        _settle(payment_id, evidence, gateways, now, result)
    if _close_form(payment_id, now, answered=True):
        result.timed_out += 1
    _postpone(payment_id, now, answered=True)


def _tell_key_is_gone(now: datetime) -> None:
    """One mail a day, however many payments the key would open."""
    with transaction() as session:
        enqueue(session, kind="alert.lost_key", key=f"{now:%Y-%m-%d}", now=now)


def _settle(
    payment_id: int,
    evidence: Evidence,
    gateways: Gateways,
    now: datetime,
    result: Round,
) -> None:
    if evidence.word == "open":
        return
    done = settle(payment_id, evidence, keys=gateways.keys, live=gateways.live, now=now)
    if done.changed:
        result.changed.append((done.payment_id, done.state))


def _question(payment: Payment, gateways: Gateways) -> Question:
    sealed = payment.token_sealed
    return Question(
        token=rules.unseal(gateways.keys, sealed) if sealed else None,
        reference=rules.find_reference(
            gateways.keys, payment.seed, payment.reference_hash
        ),
    )


def _close_form(payment_id: int, now: datetime, *, answered: bool) -> bool:
    """End an attempt whose form is over and that the gateway says is not paid.

    A commit whose lease ran out with no word at the gateway becomes unknown.
    """
    try:
        with transaction() as session:
            payment = queries.get(session, payment_id, lock=True)
            state = _state_after_silence(payment, now, answered)
            if state is None:
                return False
            move_payment(
                session,
                payment,
                state,
                actor=SYSTEM,
                now=now,
                lease_until=None,
            )
            return True
    except StaleStateError:
        return False  # a return came while we asked


def _state_after_silence(payment: Payment, now: datetime, answered: bool) -> str | None:
    if answered and payment.state == states.REDIRECTED and payment.form_until:
        return states.TIMED_OUT if now >= payment.form_until + _GRACE else None
    if payment.state == states.COMMITTING and payment.lease_until:
        return states.UNKNOWN if now >= payment.lease_until else None
    return None


def _postpone(payment_id: int, now: datetime, *, answered: bool) -> None:
    with transaction() as session:
        payment = queries.get(session, payment_id, lock=True)
        payment.checks += 1
        if answered:
            payment.last_checked_at = now
        payment.next_check_at = _next_check(session, payment, now)
        if payment.next_check_at is None and _is_left_over(payment):
            enqueue(
                session,
                kind="alert.unresolved",
                order_id=payment.order_id,
                key=str(payment.id),
                now=now,
            )


def _is_left_over(payment: Payment) -> bool:
    """An attempt whose window ended with nobody knowing: now a person must look."""
    opened = payment.redirected_at is not None
    return opened and payment.state in states.WITHOUT_ANSWER


def _next_check(session: Session, payment: Payment, now: datetime) -> datetime | None:
    if payment.state in states.SETTLED:
        at = first_check_after_approval(payment, now)
        if at < now + _DAILY:
            return at  # its form lives: another tab may pay it again
        if not _may_change(session, payment):
            return None
        since = payment.approved_at or payment.created_at
        return at if at <= since + AFTER_APPROVAL[payment.gateway] else None
    until = rules.window_end(payment.gateway, payment.created_at)
    return rules.next_check(payment.checks, now, until)


def _may_change(session: Session, payment: Payment) -> bool:
    """Whether the gateway may yet tell something new under this attempt's reference.

    Of money given back by hand it knows nothing: it may still go there a second time.
    """
    if payment.state in refund_rules.GIVABLE:
        return True
    by_hand = payment.state == states.REFUNDED and bool(
        queries.paid_by_hand(session, payment.id)
    )
    return by_hand or queries.has_living_further(session, payment.order_id)


def close_preferences(gateways: Gateways, *, now: datetime, limit: int = 20) -> int:
    """End the preferences of paid orders, so that a second tab cannot pay again."""
    with reading() as session:
        rows = queries.open_preferences(session, limit)
    return sum(_close_preference(id, pref, gateways, now) for id, pref in rows)


def _close_preference(
    payment_id: int, preference_id: str, gateways: Gateways, now: datetime
) -> bool:
    try:
        gateways.mercadopago.close(preference_id, now)
    except GATEWAY_ERRORS as error:
        log.warning("preference of payment %s: %s", payment_id, error)
        return False
    with transaction() as session:
        queries.get(session, payment_id, lock=True).preference_closed_at = now
    return True


def expire_due(*, now: datetime, limit: int = 100) -> int:
    """Expire the unpaid orders whose life is over and of which no money can come."""
    with reading() as session:
        ids = queries.unpaid_past(session, now, limit)
    return sum(_expire(order_id, now) for order_id in ids)


def _expire(order_id: int, now: datetime) -> bool:
    with transaction() as session:
        order = order_queries.get(session, order_id, lock=True)
        payments = queries.of_order(session, order_id)
        if order.state != order_states.AWAITING_PAYMENT or now < order.expires_at:
            return False
        if _any_in_flight(payments, now):
            return False
        change_state(
            session,
            order,
            order_states.EXPIRED,
            machine=order_states.TRANSITIONS,
            at=now,
            actor=SYSTEM,
            action="order.expired",
            order_id=order.id,
        )
        return True


def _any_in_flight(payments: Iterable[Payment], now: datetime) -> bool:
    """A form that may be paid, or whose end was not yet told by its gateway."""
    return any(
        queries.may_still_be_paid(payment, now)
        or payment.state == states.REDIRECTED
        or (payment.state == states.CREATED and now < payment.created_at + _OPENING)
        for payment in payments
    )
