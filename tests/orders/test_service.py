"""Placing, renewing and cancelling an order, without pages."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import SECRET_KEY, TUESDAY_NOON
from flask import Flask
from shop_forms import stock
from sqlalchemy.orm import Session

from portal.catalog.models import Service
from portal.db import db, transaction
from portal.errors import (
    ConflictError,
    NotFoundError,
    PortalError,
    RefusedError,
    StaleStateError,
)
from portal.journal.models import JournalEntry
from portal.journal.service import CUSTOMER, SYSTEM
from portal.orders import queries, service
from portal.orders.draft_rules import Draft
from portal.orders.models import Contact, Order
from portal.orders.sale_rules import OutOfScopeError, SaleClosedError
from portal.terms import service as terms_service
from portal.terms.models import TermsAcceptance

KEYS = (SECRET_KEY,)
DRAFT = Draft(
    service_slug="soporte-online",
    name="Rosa Pérez",
    email="rosa@almacen.cl",
    phone="+56987654321",
    topic_slug="error-del-programa",
    problem="La caja muestra un error al cobrar.",
    windows_bits="32",
    document="boleta",
    tax_rut=None,
    tax_name=None,
    tax_activity=None,
    tax_address=None,
    tax_commune=None,
    address=None,
    commune=None,
    terms_version=1,
    form_key="k" * 24,
    remote_address="127.0.0.1",
    user_agent="a browser",
)
CLOSING = timedelta(hours=10)  # after noon


@pytest.fixture
def app(app: Flask) -> Flask:
    return stock(app)


@pytest.fixture
def place(session: Session) -> Callable[..., Order]:
    def act(now: datetime = TUESDAY_NOON, **changes: Any) -> Order:
        return service.place(replace(DRAFT, **changes), keys=KEYS, now=now)

    return act


def story(session: Session, order: Order) -> list[tuple[str, str | None, str | None]]:
    return [
        (entry.action, entry.from_state, entry.to_state)
        for entry in session.query(JournalEntry)
        .filter_by(object_kind="order", object_id=order.id)
        .order_by(JournalEntry.id)
    ]


def test_place_writes_everything_of_one_order(
    place: Callable[..., Order], session: Session
) -> None:
    order = place()
    assert (order.price, order.regime_kind, order.terms_version) == (
        19_990,
        "normal",
        1,
    )
    assert order.regime_decision["rule"] == "weekly"
    assert order.expires_at == TUESDAY_NOON + timedelta(minutes=30)
    assert story(session, order) == [("order.placed", None, "awaiting_payment")]
    assert session.query(TermsAcceptance).one().order_id == order.id
    token = queries.token_of(order, KEYS)
    assert queries.get_by_token(session, token).id == order.id


REFUSED = [
    ({"service_slug": "nada"}, NotFoundError),
    ({"topic_slug": "virus"}, OutOfScopeError),
    ({"windows_bits": "64"}, OutOfScopeError),
    ({"topic_slug": None}, RefusedError),
    ({"topic_slug": "nada"}, RefusedError),
    ({"terms_version": 2}, RefusedError),
    ({"now": TUESDAY_NOON + CLOSING}, SaleClosedError),
    ({"now": TUESDAY_NOON + CLOSING - timedelta(minutes=30)}, SaleClosedError),
    ({"service_slug": "asistencia-terreno", "commune": "Arica"}, RefusedError),
    ({"service_slug": "asistencia-terreno", "commune": None}, RefusedError),
]


@pytest.mark.parametrize(("changes", "error"), REFUSED)
def test_place_refuses_and_leaves_nothing(
    place: Callable[..., Order],
    session: Session,
    changes: dict[str, Any],
    error: type[PortalError],
) -> None:
    with pytest.raises(error):
        place(**changes)
    assert session.query(Order).count() == 0
    assert session.query(Contact).count() == 0


def test_last_sale_tells_the_opening_after_the_closing(
    place: Callable[..., Order],
) -> None:
    with pytest.raises(SaleClosedError) as caught:
        place(now=TUESDAY_NOON + CLOSING - timedelta(minutes=1))
    assert caught.value.next_opening == TUESDAY_NOON + timedelta(hours=21)


def test_out_of_scope_tells_the_service_that_solves_it(
    place: Callable[..., Order],
) -> None:
    with pytest.raises(OutOfScopeError) as caught:
        place(topic_slug="virus")
    assert caught.value.service_slug == "servicio-tecnico"


def test_same_form_for_another_service_is_another_order(
    place: Callable[..., Order],
) -> None:
    first = place()
    assert place(service_slug="reinstalacion", topic_slug=None).id != first.id


@pytest.mark.parametrize("state", ["paid", "refunded", "charged_back"])
def test_order_once_paid_is_returned_unchanged(
    place: Callable[..., Order], session: Session, state: str
) -> None:
    first = place()
    session.query(Order).update({"state": state})
    session.commit()
    # Not even a closed shop or other terms matter any more.
    again = place(now=TUESDAY_NOON + CLOSING, name="Otra", terms_version=9)
    assert (again.id, again.version) == (first.id, 1)


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_dead_order_is_replaced(
    place: Callable[..., Order], session: Session, state: str
) -> None:
    first = place()
    session.query(Order).update({"state": state})
    session.commit()
    second = place()
    assert second.id != first.id
    assert place().id == second.id


def test_correction_counts_as_a_change_of_the_row(
    place: Callable[..., Order], session: Session
) -> None:
    order = place()
    place(problem="Ahora ni siquiera abre.", email="rosa@otro.cl")
    session.refresh(order)
    assert (order.version, order.problem) == (2, "Ahora ni siquiera abre.")
    entry = session.query(JournalEntry).filter_by(action="order.corrected").one()
    assert entry.data == {"fields": ["email", "problem"]}
    assert session.query(Contact).count() == 1


def test_renew_takes_the_price_of_now(
    place: Callable[..., Order], session: Session
) -> None:
    old = place()
    evening = TUESDAY_NOON + timedelta(hours=7)
    new = service.renew(old.id, keys=KEYS, now=evening)
    assert (new.price, new.regime_kind) == (29_990, "special")
    assert new.problem == old.problem
    assert queries.get_contact(session, new).email == "rosa@almacen.cl"
    assert new.contact_id != old.contact_id
    session.refresh(old)
    assert (old.state, old.price) == ("cancelled", 19_990)
    assert story(session, old)[-1] == (
        "order.cancelled",
        "awaiting_payment",
        "cancelled",
    )
    kept = session.query(TermsAcceptance).filter_by(order_id=new.id).one()
    assert (kept.price_shown, kept.user_agent) == (29_990, "a browser")


def test_renew_twice_is_one_order(place: Callable[..., Order]) -> None:
    old = place()
    evening = TUESDAY_NOON + timedelta(hours=7)
    new = service.renew(old.id, keys=KEYS, now=evening)
    assert service.renew(old.id, keys=KEYS, now=evening).id == new.id
    # And the form of the old one, sent again, finds the new one.
    assert place(now=evening).id == new.id


def test_renew_refuses_a_paid_order(
    place: Callable[..., Order], session: Session
) -> None:
    old = place()
    session.query(Order).update({"state": "paid"})
    session.commit()
    with pytest.raises(ConflictError):
        service.renew(old.id, keys=KEYS, now=TUESDAY_NOON)


def test_renew_refuses_when_closed_and_keeps_the_old_one(
    place: Callable[..., Order], session: Session
) -> None:
    old = place()
    with pytest.raises(SaleClosedError):
        service.renew(old.id, keys=KEYS, now=TUESDAY_NOON + CLOSING)
    session.refresh(old)
    assert old.state == "awaiting_payment"


def test_renew_keeps_an_expired_order_expired(
    place: Callable[..., Order], session: Session
) -> None:
    old = place()
    session.query(Order).update({"state": "expired"})
    session.commit()
    new = service.renew(old.id, keys=KEYS, now=TUESDAY_NOON + timedelta(hours=1))
    session.refresh(old)
    assert (old.state, new.state) == ("expired", "awaiting_payment")


def test_cancel_only_what_waits_for_its_payment(
    place: Callable[..., Order], session: Session
) -> None:
    order = place()
    for _ in range(2):
        with transaction() as writing:
            found = queries.get(writing, order.id)
            if found.state == "awaiting_payment":
                service.cancel(
                    writing, found, actor=CUSTOMER, reason="prueba", now=TUESDAY_NOON
                )
                continue
            with pytest.raises(StaleStateError):
                service.cancel(
                    writing, found, actor=CUSTOMER, reason="prueba", now=TUESDAY_NOON
                )
    assert [action for action, *_ in story(session, order)] == [
        "order.placed",
        "order.cancelled",
    ]


def test_price_on_the_order_does_not_follow_the_catalogue(
    place: Callable[..., Order], session: Session
) -> None:
    order = place()
    session.query(Service).update({"price_normal": 1_000})
    session.commit()
    session.refresh(order)
    assert order.price == 19_990


@pytest.mark.postgres
@pytest.mark.parametrize("act", ["place", "renew"])
def test_many_at_once_end_with_the_same_order(app: Flask, act: str) -> None:
    with app.app_context():
        old = service.place(DRAFT, keys=KEYS, now=TUESDAY_NOON).id
        before = db.session().query(Order).count()
        db.session.remove()
    barrier = threading.Barrier(6)
    found: list[int] = []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            if act == "place":
                draft = replace(DRAFT, form_key="z" * 24)
                order = service.place(draft, keys=KEYS, now=TUESDAY_NOON)
            else:
                later = TUESDAY_NOON + timedelta(minutes=1)
                order = service.renew(old, keys=KEYS, now=later)
            found.append(order.id)
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    with app.app_context():
        assert db.session().query(Order).count() == before + 1
        db.session.remove()


def test_correction_needs_the_terms_of_now(
    app: Flask, place: Callable[..., Order], session: Session
) -> None:
    place()
    terms_service.change_price("reinstalacion", 50_000, actor=SYSTEM, now=TUESDAY_NOON)
    with pytest.raises(RefusedError, match="términos cambiaron"):
        place(name="Rosa Soto")
    assert place(terms_version=2).terms_version == 2
    assert session.query(Order).count() == 2
