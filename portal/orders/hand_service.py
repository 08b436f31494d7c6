"""An order that the owner opens: paid apart by transfer, or given free."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.catalog import queries as catalog_queries
from portal.errors import NotFoundError, RefusedError
from portal.hours.queries import load_calendar
from portal.hours.rules import regime_at
from portal.hours.service import decision
from portal.journal.service import Actor, record
from portal.orders import queries
from portal.orders.draft_rules import Draft
from portal.orders.models import Contact, Order
from portal.orders.rules import fingerprint, link_token, new_seed
from portal.orders.service import contact_values, order_values
from portal.orders.states import AWAITING_PAYMENT
from portal.terms import queries as terms_queries

LIFE = timedelta(minutes=30)


def find_twin(session: Session, form_key: str) -> Order | None:
    """The order that this very form opened before: a double click is one order."""
    return queries.find_by_form_key(session, form_key)


def insert(
    session: Session,
    draft: Draft,
    price: int,
    *,
    reason: str,
    keys: tuple[str, ...],
    actor: Actor,
    now: datetime,
) -> Order:
    """Write the order (pesos) in the caller's transaction, at any hour.

    Nobody ticked a box, so no acceptance is written; the terms in force apply. Raises
    NotFoundError and RefusedError when service, topic or terms are not there.
    """
    service = catalog_queries.find_service(session, draft.service_slug)
    if service is None:
        raise NotFoundError("Ese servicio no existe.")
    terms = terms_queries.current_number(session)
    if not terms:
        raise RefusedError("Publique antes los términos.")
    topic = catalog_queries.find_topic(session, draft.topic_slug or "")
    contact = Contact(**contact_values(draft))
    session.add(contact)
    session.flush()
    regime, seed = regime_at(load_calendar(session), now), new_seed()
    order = Order(
        state=AWAITING_PAYMENT,
        contact_id=contact.id,
        service_slug=service.slug,
        service_name=service.name,
        price=price,
        regime_kind=regime.kind,
        regime_decision=decision(regime, now),
        terms_version=terms,
        form_key=draft.form_key,
        link_seed=seed,
        link_hash=fingerprint(link_token(keys[0], seed)),
        created_at=now,
        expires_at=now + LIFE,
        **order_values(draft, topic.title if topic else ""),
    )
    session.add(order)
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="order.opened_by_hand",
        object_kind="order",
        object_id=order.id,
        order_id=order.id,
        to_state=AWAITING_PAYMENT,
        reason=reason,
        data={"service": service.slug, "price": price},
    )
    return order
