"""Starting an attempt: a durable row first, then the gateway, then where to send."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep

from sqlalchemy.orm import Session

from portal import clock
from portal.catalog import queries as catalog_queries
from portal.catalog.rules import price_for
from portal.db import reading, transaction
from portal.errors import ConflictError, RefusedError
from portal.hours import queries as hours_queries
from portal.journal.service import CUSTOMER, record
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.orders.models import Order
from portal.orders.rules import fingerprint, new_seed
from portal.orders.sale_rules import check_sale
from portal.payments import queries, rules, states
from portal.payments.gateways import Gateways
from portal.payments.gateways.base import (
    Attempt,
    Begun,
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
)
from portal.payments.models import Payment
from portal.payments.moves_service import move_payment
from portal.settings import queries as settings_queries

# A row whose gateway call has not come back after this was left by a crash.
_ABANDONED = timedelta(seconds=60)
_WAIT_SECONDS = 15.0
_STEP_SECONDS = 0.1
MIN_FORM = timedelta(minutes=10)


class PriceChangedError(ConflictError):
    """The regime changed: the order must be confirmed at `price` (pesos)."""

    def __init__(self, price: int) -> None:
        self.price = price
        super().__init__("El horario cambió y con él el precio.")


class BeingVerifiedError(ConflictError):
    """A gateway still has to say what became of another attempt."""


class NotPayableError(ConflictError):
    """The order is paid, expired or cancelled."""


class GatewayDownError(RefusedError):
    """The gateway could not be opened; nothing was charged."""


@dataclass(frozen=True)
class Sent:
    """Where the customer goes now; with `token`, by posting it as `token_ws`."""

    payment_id: int
    url: str
    token: str | None


def start(order_id: int, gateway: str, *, gateways: Gateways, now: datetime) -> Sent:
    """Open an attempt, or give the one that is open (a double tap is one attempt).

    Raises NotPayableError, SaleClosedError, PriceChangedError, BeingVerifiedError,
    or GatewayDownError when the gateway refuses or does not answer.
    """
    payment_id, is_new = _claim(order_id, gateway, gateways, now)
    if not is_new:
        return _wait_for(payment_id, gateways)
    with reading() as session:
        attempt = _attempt_of(session, payment_id, gateways, now)
    try:
        begun = gateways.by_name(gateway).begin(attempt)
    except (GatewayRefusedError, GatewayUnreachableError) as error:
        _give_up(payment_id, states.FAILED, str(error), now)
        raise GatewayDownError(str(error)) from error
    except GatewayUnknownError as error:
        _give_up(payment_id, states.UNKNOWN, str(error), now)
        raise GatewayDownError(str(error)) from error
    _redirected(payment_id, begun, attempt.pay_until, gateways, now)
    return Sent(payment_id, begun.url, begun.token)


def _claim(
    order_id: int, gateway: str, gateways: Gateways, now: datetime
) -> tuple[int, bool]:
    """The id of the attempt to use, and whether it is a new one to open."""
    with transaction() as session:
        order = order_queries.get(session, order_id, lock=True)
        _check_order(session, order, now)
        for payment in queries.of_order(session, order.id):
            if payment.gateway != gateway or payment.state not in states.LIVING:
                continue
            if _is_usable(payment, now):
                return payment.id, False
            _retire(session, payment, now)
        return _create(session, order, gateway, gateways, now).id, True


def _check_order(session: Session, order: Order, now: datetime) -> None:
    if order.state != order_states.AWAITING_PAYMENT:
        raise NotPayableError("Este pedido ya no se puede pagar.")
    payments = queries.of_order(session, order.id)
    if queries.is_being_verified(payments):
        raise BeingVerifiedError("Estamos verificando su pago. No pague de nuevo.")
    if now >= order.expires_at and not any(
        queries.may_still_be_paid(payment, now) for payment in payments
    ):
        raise NotPayableError("Este pedido venció.")
    business = settings_queries.load(session)
    calendar = hours_queries.load_calendar(session)
    regime = check_sale(business, calendar, order.service_slug, now)
    service = catalog_queries.find_service(session, order.service_slug)
    if service is None:
        raise NotPayableError("Este servicio ya no se vende.")
    price = price_for(service, regime.kind)
    if regime.kind != order.regime_kind and price != order.price:
        raise PriceChangedError(price)


def _is_usable(payment: Payment, now: datetime) -> bool:
    """Whether a living attempt is sent again instead of a new one."""
    if payment.state == states.CREATED:
        return now - payment.created_at < _ABANDONED
    if payment.redirected_at is None or payment.form_until is None:
        return False
    if payment.gateway == states.WEBPAY:
        return now - payment.redirected_at < rules.WEBPAY_REUSE
    return now < payment.form_until - timedelta(minutes=2)


def _retire(session: Session, payment: Payment, now: datetime) -> None:
    """End an attempt that is no longer sent; the reconciler keeps asking about it."""
    dead = states.FAILED if payment.state == states.CREATED else states.TIMED_OUT
    move_payment(
        session,
        payment,
        dead,
        actor=CUSTOMER,
        now=now,
        reason="Reemplazado por otro intento",
    )


def _create(
    session: Session, order: Order, gateway: str, gateways: Gateways, now: datetime
) -> Payment:
    seed = new_seed()
    reference = rules.reference_of(gateways.keys[0], seed)
    payment = Payment(
        order_id=order.id,
        gateway=gateway,
        state=states.CREATED,
        amount=order.price,
        buy_order=rules.new_buy_order(),
        seed=seed,
        reference_hash=fingerprint(reference),
        created_at=now,
        rejected_ids=[],
    )
    session.add(payment)
    session.flush()
    record(
        session,
        at=now,
        actor=CUSTOMER,
        action="payment.created",
        object_kind="payment",
        object_id=payment.id,
        order_id=order.id,
        to_state=states.CREATED,
        data={"gateway": gateway, "amount": order.price},
    )
    return payment


def _attempt_of(
    session: Session, payment_id: int, gateways: Gateways, now: datetime
) -> Attempt:
    payment = queries.get(session, payment_id)
    order = order_queries.get(session, payment.order_id)
    contact = order_queries.get_contact(session, order)
    form = rules.WEBPAY_FORM if payment.gateway == states.WEBPAY else MIN_FORM
    pay_until = now + form
    if payment.gateway == states.MERCADOPAGO:
        pay_until = max(pay_until, order.expires_at)
    return Attempt(
        payment_id=payment.id,
        buy_order=payment.buy_order,
        reference=rules.find_reference(
            gateways.keys, payment.seed, payment.reference_hash
        ),
        amount=payment.amount,
        service_slug=order.service_slug,
        service_name=order.service_name,
        order_number=order.number,
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        rut=order.tax_rut,
        address=order.address or order.tax_address,
        created_at=payment.created_at,
        pay_until=pay_until,
    )


def _redirected(
    payment_id: int,
    begun: Begun,
    form_until: datetime,
    gateways: Gateways,
    now: datetime,
) -> None:
    with transaction() as session:
        payment = queries.get(session, payment_id, lock=True)
        until = rules.window_end(payment.gateway, payment.created_at)
        move_payment(
            session,
            payment,
            states.REDIRECTED,
            actor=CUSTOMER,
            now=now,
            redirected_at=now,
            form_until=form_until,
            redirect_url=begun.url,
            preference_id=begun.preference_id,
            account=begun.account,
            token_hash=fingerprint(begun.token) if begun.token else None,
            token_sealed=rules.seal(gateways.keys, begun.token)
            if begun.token
            else None,
            next_check_at=rules.next_check(0, now, until),
        )


def _give_up(payment_id: int, state: str, why: str, now: datetime) -> None:
    with transaction() as session:
        payment = queries.get(session, payment_id, lock=True)
        until = rules.window_end(payment.gateway, payment.created_at)
        move_payment(
            session,
            payment,
            state,
            actor=CUSTOMER,
            now=now,
            reason=why,
            detail="begin",
            next_check_at=rules.next_check(0, now, until)
            if state == states.UNKNOWN
            else None,
        )


def _wait_for(payment_id: int, gateways: Gateways) -> Sent:
    """Where the open attempt leads, once the request that opens it knows."""
    deadline = clock.monotonic() + _WAIT_SECONDS
    while True:
        with reading() as session:
            payment = queries.get(session, payment_id)
            state, url = payment.state, payment.redirect_url
            sealed = payment.token_sealed
        if state == states.REDIRECTED and url:
            token = rules.unseal(gateways.keys, sealed) if sealed else None
            return Sent(payment_id, url, token)
        if state != states.CREATED or clock.monotonic() > deadline:
            raise GatewayDownError("the attempt did not open")
        sleep(_STEP_SECONDS)
