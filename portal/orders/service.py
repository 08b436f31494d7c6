"""Placing an order: one form, one order, whatever the customer clicks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import ConflictError
from portal.hours.service import decision
from portal.journal.service import CUSTOMER, Actor, change_state, record
from portal.orders import queries
from portal.orders.draft_rules import CORRECTABLE
from portal.orders.draft_rules import Draft as Draft
from portal.orders.models import Contact, Order
from portal.orders.offer_queries import Offer, make_offer
from portal.orders.rules import fingerprint, link_token, new_seed, next_form_key
from portal.orders.sale_rules import is_sold_by_the_hour
from portal.orders.states import AWAITING_PAYMENT, CANCELLED, EVER_PAID, TRANSITIONS
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.terms.rules import RENEWAL_TEMPLATE, retract_text


def place(draft: Draft, *, keys: tuple[str, ...], now: datetime) -> Order:
    """The order of this form: a new one, or the one that the same form made before.

    The price and the regime are frozen on it. Raises NotFoundError for a service that
    is not sold, SaleClosedError, OutOfScopeError, and RefusedError for a visit out of
    reach or an older version of the terms.
    """
    try:
        return _place(draft, keys, now)
    except IntegrityError:
        # Two identical posts at once, on a database that lets both look before either
        # writes: the other one has won, and this one finds its order.
        return _place(draft, keys, now)


def _place(draft: Draft, keys: tuple[str, ...], now: datetime) -> Order:
    with transaction() as session:
        found, free_key = _order_of_form(session, draft.form_key)
        if found is not None and found.state in EVER_PAID:
            return found
        offer = make_offer(session, draft, now)
        if found is not None and _may_correct(found, draft, offer, now):
            _correct(session, found, draft, offer, now)
            return found
        return _insert(session, draft, offer, form_key=free_key, keys=keys, now=now)


def _order_of_form(session: Session, form_key: str) -> tuple[Order | None, str]:
    """The newest order made by this form, locked, and the key of the next one."""
    found: Order | None = None
    while (order := queries.find_by_form_key(session, form_key)) is not None:
        found, form_key = order, next_form_key(form_key, order.id)
    if found is not None:
        session.refresh(found, with_for_update=True)
    return found, form_key


def _may_correct(order: Order, draft: Draft, offer: Offer, now: datetime) -> bool:
    """Whether the order may stay, with other data, as it was accepted."""
    return (
        order.state == AWAITING_PAYMENT
        and now < order.expires_at
        and order.service_slug == draft.service_slug
        and order.price == offer.price
        and order.terms_version == draft.terms_version
    )


def contact_values(draft: Draft) -> dict[str, Any]:
    """The columns of the person of a draft."""
    return {
        "name": draft.name,
        "email": draft.email,
        "phone": draft.phone,
        "rut": draft.tax_rut,
    }


def order_values(draft: Draft, topic_title: str) -> dict[str, Any]:
    """The columns of an order that its draft says."""
    values = {name: getattr(draft, name) for name in CORRECTABLE}
    return {**values, "topic_title": topic_title}


def _insert(
    session: Session,
    draft: Draft,
    offer: Offer,
    *,
    form_key: str,
    keys: tuple[str, ...],
    now: datetime,
) -> Order:
    contact = Contact(**contact_values(draft))
    session.add(contact)
    session.flush()
    seed = new_seed()
    order = Order(
        state=AWAITING_PAYMENT,
        contact_id=contact.id,
        service_slug=offer.service.slug,
        service_name=offer.service.name,
        price=offer.price,
        regime_kind=offer.regime.kind,
        regime_decision=decision(offer.regime, now),
        terms_version=draft.terms_version,
        form_key=form_key,
        link_seed=seed,
        link_hash=fingerprint(link_token(keys[0], seed)),
        parent_id=draft.parent_id,
        created_at=now,
        expires_at=now + timedelta(minutes=offer.business.order_life_minutes),
        **order_values(draft, offer.topic_title),
    )
    session.add(order)
    session.flush()
    _record_and_accept(session, order, draft, now)
    return order


def _record_and_accept(
    session: Session, order: Order, draft: Draft, now: datetime
) -> None:
    record(
        session,
        at=now,
        actor=CUSTOMER,
        action="order.placed",
        object_kind="order",
        object_id=order.id,
        order_id=order.id,
        to_state=AWAITING_PAYMENT,
        data={"service": order.service_slug, "price": order.price},
    )
    terms_service.accept(
        session,
        order_id=order.id,
        version_number=draft.terms_version,
        now=now,
        address=draft.remote_address,
        user_agent=draft.user_agent,
        price_shown=order.price,
        regime_kind=order.regime_kind,
        regime_rule=str(order.regime_decision.get("rule", "")),
        template_version=draft.template_version,
        session_sha256=draft.session_sha256,
        shown={
            "servicio": order.service_name,
            "retracto": retract_text(is_sold_by_the_hour(order.service_slug)),
            "documento_tributario": order.document,
            "decision_del_horario": order.regime_decision,
        },
    )


def _overwrite(row: Contact | Order, values: Mapping[str, Any]) -> list[str]:
    """Write what differs; the names of the columns that did."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _correct(
    session: Session, order: Order, draft: Draft, offer: Offer, now: datetime
) -> None:
    """Update an unpaid order in place; the history names the fields, not the data."""
    contact = queries.get_contact(session, order)
    changed = _overwrite(contact, contact_values(draft))
    changed += _overwrite(order, order_values(draft, offer.topic_title))
    if not changed:
        return
    order.version += 1
    record(
        session,
        at=now,
        actor=CUSTOMER,
        action="order.corrected",
        object_kind="order",
        object_id=order.id,
        order_id=order.id,
        data={"fields": sorted(set(changed))},
    )


def renew(order_id: int, *, keys: tuple[str, ...], now: datetime) -> Order:
    """The same purchase again, at today's price, in place of one that was not paid.

    The terms accepted with it still count while they are the current ones. Asked
    twice, it gives the same order. Raises ConflictError when the order was paid, and
    what `place` raises.
    """
    try:
        return _renew(order_id, keys, now)
    except IntegrityError:
        return _renew(order_id, keys, now)


def _renew(order_id: int, keys: tuple[str, ...], now: datetime) -> Order:
    with transaction() as session:
        old = queries.get(session, order_id, lock=True)
        if old.state in EVER_PAID:
            raise ConflictError("Ese pedido ya está pagado.")
        newest, free_key = _order_of_form(session, old.form_key)
        if newest is not None and newest.id != old.id and _is_live(newest, now):
            return newest
        draft = _draft_of(session, old)
        offer = make_offer(session, draft, now)
        new = _insert(session, draft, offer, form_key=free_key, keys=keys, now=now)
        if old.state == AWAITING_PAYMENT:
            why = "Reemplazado por un pedido nuevo"
            cancel(session, old, actor=CUSTOMER, reason=why, now=now)
        return new


def _is_live(order: Order, now: datetime) -> bool:
    """Whether the order is paid, or may be."""
    waits = order.state == AWAITING_PAYMENT and now < order.expires_at
    return waits or order.state in EVER_PAID


def _draft_of(session: Session, order: Order) -> Draft:
    """The draft that would make this order again."""
    contact = queries.get_contact(session, order)
    accepted = terms_queries.find_acceptance(session, order.id)
    return Draft(
        service_slug=order.service_slug,
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        terms_version=order.terms_version,
        form_key=order.form_key,
        remote_address=accepted.address if accepted else "",
        user_agent=accepted.user_agent if accepted else "",
        template_version=RENEWAL_TEMPLATE,
        parent_id=order.parent_id,
        **{name: getattr(order, name) for name in CORRECTABLE},
    )


def cancel(
    session: Session,
    order: Order,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Cancel an unpaid order in the caller's transaction.

    Raises StaleStateError when it is no longer waiting for its payment.
    """
    change_state(
        session,
        order,
        CANCELLED,
        machine=TRANSITIONS,
        at=now,
        actor=actor,
        action="order.cancelled",
        order_id=order.id,
        reason=reason,
    )
