"""What the database itself refuses, whatever the program does; and how it is set."""

import pytest
from payment_cases import Shop, pay_by_webpay
from simulator_client import SimulatorClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.db import transaction
from portal.payments.gateways.base import Question


@pytest.fixture
def paid(shop: Shop, simulator: SimulatorClient) -> Shop:
    """Order 1 paid, with its attention; payment 2 of it approved by nobody."""
    order = shop.order()
    sent, _ = pay_by_webpay(shop, simulator, order)
    shop.start(order, "mercadopago")
    shop.webpay_return(sent)
    errand = shop.order(service_slug="reinstalacion", topic_slug=None)
    other, _ = pay_by_webpay(shop, simulator, errand)
    shop.webpay_return(other)
    shop.session.rollback()
    return shop


_COPY = (
    "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE order_id = {id}"
)


def _copied(shop: Shop, table: str, order_id: int) -> str:
    """A statement that doubles the row of an order."""
    columns = [
        str(name)
        for name in shop.session.execute(text(f"SELECT * FROM {table}")).keys()  # noqa: S608, SIM118
        if name != "id"
    ]
    listed = ", ".join(columns)
    return _COPY.format(table=table, columns=listed, values=listed, id=order_id)


REFUSED = [
    "UPDATE payments SET state = 'approved', disposition = 'applied' WHERE id = 2",
    "UPDATE payments SET state = 'approved' WHERE id = 2",
    "UPDATE payments SET disposition = NULL WHERE id = 1",
    "UPDATE payments SET disposition = 'surplus' WHERE id = 2",
    "UPDATE payments SET state = 'paid' WHERE id = 2",
    "UPDATE payments SET gateway = 'other' WHERE id = 2",
    "UPDATE payments SET amount = 0 WHERE id = 2",
    "UPDATE payments SET amount = -1, gateway = 'manual' WHERE id = 2",
    "UPDATE payments SET refunded_amount = -1 WHERE id = 2",
    "UPDATE payments SET order_id = 999 WHERE id = 2",
    "UPDATE payments SET gateway = 'webpay', gateway_payment_id = (SELECT "
    "gateway_payment_id FROM payments WHERE id = 1) WHERE id = 2",
    "UPDATE payments SET buy_order = (SELECT buy_order FROM payments WHERE id = 1) "
    "WHERE id = 2",
    "UPDATE payments SET reference_hash = (SELECT reference_hash FROM payments "
    "WHERE id = 1) WHERE id = 2",
    "UPDATE payments SET token_hash = (SELECT token_hash FROM payments WHERE id = 1) "
    "WHERE id = 2",
    "UPDATE orders SET state = 'sold' WHERE id = 1",
    "UPDATE orders SET price = -1 WHERE id = 1",
    "DELETE FROM orders WHERE id = 1",
]


@pytest.mark.postgres
def test_the_database_refuses_what_must_never_be(paid: Shop) -> None:
    statements = [
        *REFUSED,
        _copied(paid, "attentions", 1),
        _copied(paid, "errands", 2),
        _copied(paid, "outbox", 1),
    ]
    for statement in statements:
        with pytest.raises(IntegrityError):
            paid.session.execute(text(statement))
        paid.session.rollback()


@pytest.mark.usefixtures("durable")
def test_sqlite_is_set_to_lose_nothing(shop: Shop) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    found = {
        name: shop.session.execute(text(f"PRAGMA {name}")).scalar() for name in wanted
    }
    assert found == wanted


def test_a_writer_holds_the_lock_from_its_beginning(shop: Shop) -> None:
    """A reader that becomes a writer later could fail half-way."""
    shop.session.rollback()
    with shop.app.app_context(), transaction() as session:
        other = shop.session.connection()
        assert other is not session.connection()
        with pytest.raises(Exception, match="locked"):
            _begin_at_once(other)
        shop.session.rollback()


def _begin_at_once(connection) -> None:  # type: ignore[no-untyped-def]
    connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql("PRAGMA busy_timeout = 5000")
        if not connection.connection.driver_connection.in_transaction:
            connection.exec_driver_sql("BEGIN")


@pytest.mark.parametrize("gateway", ["webpay", "mercadopago"])
def test_no_gateway_is_called_inside_a_transaction(
    shop: Shop, simulator: SimulatorClient, gateway: str
) -> None:
    question = Question(token="ab" * 32, reference="itp")
    with transaction(), pytest.raises(RuntimeError, match="network"):
        shop.gateways.by_name(gateway).look_up(question)
    assert simulator.calls("webpay_status") + simulator.calls("mp_search") == 0
