"""One way to change a state: by compare-and-set, with its one line of history."""

import pytest
from money_world import NOON
from payment_cases import Shop, open_shop
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.db import transaction
from portal.errors import StaleStateError
from portal.journal.service import SYSTEM, change_state
from portal.orders import states
from portal.orders.models import Order


@pytest.fixture
def shop(app, session) -> Shop:
    return open_shop(app, session, NOON)


def _expire(session, order, to: str = states.EXPIRED) -> None:
    change_state(
        session,
        order,
        to,
        machine=states.TRANSITIONS,
        at=NOON,
        actor=SYSTEM,
        action="order.expired",
        order_id=order.id,
    )


def _lines(shop: Shop) -> int:
    shop.session.rollback()
    return int(shop.session.scalar(text("SELECT COUNT(*) FROM journal_entries")))


def _expire_after(order_id: int, change: str) -> None:
    """Expire an order that was changed behind the row that is held."""
    with transaction() as session:
        held = session.get_one(Order, order_id)
        session.execute(text(f"UPDATE orders SET {change}"))  # noqa: S608
        _expire(session, held)


@pytest.mark.postgres
@pytest.mark.parametrize("change", ["version = version + 1", "state = 'cancelled'"])
def test_a_row_that_another_changed_is_not_moved(shop: Shop, change: str) -> None:
    order = shop.order()
    lines = _lines(shop)
    with pytest.raises(StaleStateError):
        _expire_after(order.id, change)
    assert shop.state(order) == "awaiting_payment"
    assert _lines(shop) == lines


def test_a_move_that_the_machine_does_not_have_is_refused(shop: Shop) -> None:
    order = shop.order()
    with pytest.raises(StaleStateError), transaction() as session:
        _expire(session, session.get_one(Order, order.id), states.REFUNDED)
    assert shop.state(order) == "awaiting_payment"


def test_a_move_raises_the_version_and_writes_one_line(shop: Shop) -> None:
    order = shop.order()
    lines = _lines(shop)
    with transaction() as session:
        held = session.get_one(Order, order.id)
        version = held.version
        _expire(session, held)
        assert held.version == version + 1
    assert _lines(shop) == lines + 1


@pytest.mark.postgres
@pytest.mark.parametrize(
    "change", ["UPDATE journal_entries SET action = 'x'", "DELETE FROM journal_entries"]
)
def test_the_database_refuses_to_change_history(shop: Shop, change: str) -> None:
    shop.order()
    shop.session.rollback()
    with pytest.raises(IntegrityError, match="append-only"):
        shop.session.execute(text(change))
    shop.session.rollback()
