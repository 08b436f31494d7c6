"""The customer comes back from a gateway: commit once, or read; never believe a URL."""

from datetime import datetime
from time import sleep

from portal import clock
from portal.db import reading, transaction
from portal.errors import StaleStateError
from portal.journal.service import CUSTOMER, GATEWAY
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.payments import queries, rules, states
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import (
    Evidence,
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
    Question,
)
from portal.payments.moves_service import move_payment
from portal.payments.service import settle

# A return that meets another's commit waits for it as long as a commit may take.
_WAIT_SECONDS = 15.0
_STEP_SECONDS = 0.1
# A commit that never left may be sent again: nothing happened at the gateway.
_COMMIT_TRIES = 3
_NOT_TO_BE_PAID = order_states.EVER_PAID | {order_states.CANCELLED}
GATEWAY_ERRORS = (GatewayRefusedError, GatewayUnknownError, GatewayUnreachableError)


def webpay_returned(
    payment_id: int, token: str, *, gateways: Gateways, now: datetime
) -> None:
    """The normal return: commit once and settle; a duplicate waits for the result.

    Whatever the gateway answers, the order's page then tells the state of the money.
    """
    if _lease(payment_id, now):
        _commit(payment_id, token, gateways, now)
    else:
        _wait_for_commit(payment_id)


def _lease(payment_id: int, now: datetime) -> bool:
    """Take the right to commit, durably, before the gateway is called.

    Money that is not committed goes back by itself, so an attempt whose order was paid
    by another one meanwhile, or replaced, is left uncommitted.
    """
    try:
        with transaction() as session:
            order_id = queries.get(session, payment_id).order_id
            order = order_queries.get(session, order_id, lock=True)
            payment = queries.get(session, payment_id, lock=True)
            if payment.state != states.REDIRECTED:
                return False
            gone = order.state in _NOT_TO_BE_PAID
            move_payment(
                session,
                payment,
                states.ABORTED if gone else states.COMMITTING,
                actor=CUSTOMER,
                now=now,
                reason="El pedido ya no esperaba este pago" if gone else None,
                detail="not_committed" if gone else None,
                lease_until=None if gone else now + rules.COMMIT_LEASE,
                next_check_at=now + rules.COMMIT_LEASE,
            )
            return not gone
    except StaleStateError:
        return False


def _commit(payment_id: int, token: str, gateways: Gateways, now: datetime) -> None:
    """Commit; where that leaves a doubt, ask `status`; where that does, be unknown."""
    evidence = _commit_or_status(token, gateways)
    if evidence.word == "open":
        _unknown(payment_id, now)
        return
    settle(payment_id, evidence, keys=gateways.keys, live=gateways.live, now=now)


def _commit_or_status(token: str, gateways: Gateways) -> Evidence:
    for _ in range(_COMMIT_TRIES):
        try:
            return gateways.webpay.commit(token)
        except GatewayUnreachableError:
            sleep(_STEP_SECONDS)
        except GATEWAY_ERRORS:
            break
    return _status_or_open(token, gateways)


def _status_or_open(token: str, gateways: Gateways) -> Evidence:
    try:
        return gateways.webpay.status(token)
    except GATEWAY_ERRORS:
        return Evidence(word="open")


def _unknown(payment_id: int, now: datetime) -> None:
    """The gateway's answer is not known: it is not failed, and it is asked again."""
    try:
        with transaction() as session:
            payment = queries.get(session, payment_id, lock=True)
            until = rules.window_end(payment.gateway, payment.created_at)
            move_payment(
                session,
                payment,
                states.UNKNOWN,
                actor=GATEWAY,
                now=now,
                lease_until=None,
                checks=0,
                next_check_at=rules.next_check(0, now, until),
            )
    except StaleStateError:
        return  # the reconciler found the truth meanwhile


def _wait_for_commit(payment_id: int) -> None:
    """Wait until another request's commit has its result, at most the read time-out."""
    deadline = clock.monotonic() + _WAIT_SECONDS
    while clock.monotonic() < deadline:
        with reading() as session:
            state = queries.get(session, payment_id).state
        if state != states.COMMITTING:
            return
        sleep(_STEP_SECONDS)


def webpay_not_paid(payment_id: int, why: str, *, now: datetime) -> None:
    """The customer cancelled, ran out of time or met the form's error page.

    Never a commit, and nothing that was decided is spoilt: only an attempt whose form
    was open ends here. `why` is a kind of return, see `rules.classify_return`.
    """
    state = states.TIMED_OUT if why == rules.TIMEOUT else states.ABORTED
    try:
        with transaction() as session:
            payment = queries.get(session, payment_id, lock=True)
            if payment.state != states.REDIRECTED:
                return
            move_payment(
                session,
                payment,
                state,
                actor=CUSTOMER,
                now=now,
                detail=why,
            )
    except StaleStateError:
        return  # another return of the same attempt came first


def mercadopago_returned(
    reference: str, payment_id: str, *, gateways: Gateways, now: datetime
) -> int | None:
    """Back from Mercado Pago: ask its API. The order's id; None: not our reference.

    Nothing in the address counts but as a hint of which payment to read.
    """
    with reading() as session:
        payment = queries.find_by_reference(session, reference)
        if payment is None:
            return None
        own_id, order_id, state = payment.id, payment.order_id, payment.state
    if state in states.SETTLED:
        return order_id
    try:
        found = _read(reference, payment_id, gateways)
    except GATEWAY_ERRORS:
        return order_id  # the page says that we are verifying; the reconciler asks
    for evidence in found:
        if evidence.reference == reference:
            settle(own_id, evidence, keys=gateways.keys, live=gateways.live, now=now)
    return order_id


def _read(reference: str, payment_id: str, gateways: Gateways) -> list[Evidence]:
    if rules.is_mercadopago_id(payment_id):
        evidence = gateways.mercadopago.payment(payment_id)
        if evidence is not None and evidence.reference == reference:
            return [evidence]
    return gateways.mercadopago.look_up(Question(token=None, reference=reference))
