"""`flask verify` finds each broken invariant, and nothing in a clean history."""

import pytest
from flask import Flask
from payment_cases import Shop, open_shop, pay_by_webpay, preference_of
from simulator_client import SimulatorClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.audit import service as audit_service
from portal.audit.queries import broken_invariants
from portal.clock import utcnow
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.payments.reconcile import reconcile_due


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    """A shop with one order paid, one unpaid and one payment too many."""
    shop = open_shop(app, session, utcnow())
    sent, _ = pay_by_webpay(shop, simulator, shop.order())
    shop.webpay_return(sent)
    shop.start(shop.order())
    twice = shop.start(shop.order(), "mercadopago")
    simulator.mp_outcome(preference_of(shop, twice), "twice")
    reconcile_due(shop.gateways, now=utcnow(), everything=True)
    errand = shop.order(service_slug="reinstalacion", topic_slug=None)
    paid, _ = pay_by_webpay(shop, simulator, errand)
    shop.webpay_return(paid)
    return shop


@pytest.mark.postgres
def test_a_clean_history_breaks_nothing(shop: Shop) -> None:
    shop.session.rollback()
    assert broken_invariants(shop.session) == []


BREAKS = [
    ("I1", "UPDATE orders SET state = 'paid' WHERE id = 2"),
    ("I1", "UPDATE orders SET state = 'expired' WHERE id = 1"),
    ("I1", "UPDATE orders SET price = price + 1 WHERE id = 1"),
    ("I1", "UPDATE payments SET evidence = NULL WHERE id = 1"),
    ("I2", "DELETE FROM outbox WHERE kind = 'alert.payment'"),
    ("I3", "DELETE FROM attentions WHERE order_id = 1"),
    ("I3", "UPDATE attentions SET order_id = 2 WHERE order_id = 1"),
    ("I3", "UPDATE orders SET service_slug = 'reinstalacion' WHERE id = 1"),
    ("I4", "UPDATE orders SET state = 'expired' WHERE id = 1"),
    ("I6", "DELETE FROM outbox WHERE kind = 'order.confirmed'"),
    ("I7", "UPDATE orders SET state = 'expired' WHERE id = 2"),
    ("I7", "UPDATE payments SET state = 'failed' WHERE order_id = 2"),
    ("I7", "UPDATE attentions SET state = 'no_show' WHERE order_id = 1"),
    ("I7", "UPDATE orders SET paid_at = '2026-11-24 12:00:01.000000' WHERE id = 1"),
    ("I7", "UPDATE payments SET created_at = '2026-11-24 12:00:01.000000'"),
    ("I8", "UPDATE attentions SET technician_id = 1 WHERE order_id = 1"),
]


@pytest.mark.postgres
@pytest.mark.parametrize(("invariant", "damage"), BREAKS)
def test_each_damage_is_found(shop: Shop, invariant: str, damage: str) -> None:
    session = shop.session
    session.rollback()
    session.execute(
        text(
            "INSERT INTO staff (id, name, email, role, password_hash, active, "
            "created_at) VALUES (1, 'Ana', 'a@x.cl', 'technician', 'x', "
            "true, '2026-11-24 12:00:00')"
        )
    )
    if invariant == "I4":
        session.execute(
            text(
                "UPDATE attentions SET state = 'running', technician_id = 1, "
                "started_at = queued_at, ends_at = queued_at WHERE order_id = 1"
            )
        )
    session.execute(text(damage))
    found = {fault.check.invariant for fault in broken_invariants(session)}
    assert invariant in found
    session.rollback()


def test_the_command_says_so_and_exits_one(shop: Shop) -> None:
    runner = shop.app.test_cli_runner()
    assert runner.invoke(args=["verify"]).exit_code == 0
    shop.session.rollback()
    shop.session.execute(text(BREAKS[0][1]))
    shop.session.commit()
    result = runner.invoke(args=["verify"])
    assert result.exit_code == 1
    assert "I1" in result.output


def test_reconcile_prints_what_it_found(shop: Shop, simulator: SimulatorClient) -> None:
    sent = shop.start(shop.order(), "mercadopago")
    simulator.mp_pay(preference_of(shop, sent), "close")
    output = shop.app.test_cli_runner().invoke(args=["reconcile"]).output
    assert f"payment {sent.payment_id}: approved" in output


def _line(session: Session, **values: object) -> None:
    session.add(
        JournalEntry(
            **{
                "at": utcnow(),
                "actor_kind": "system",
                "object_kind": "payment",
                "object_id": 1,
                "order_id": 1,
                "action": "x",
                "data": {},
                **values,
            }
        )
    )
    session.flush()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("invariant", "moves"),
    [
        ("I5", [("approved", "rejected"), ("rejected", "approved")]),
        ("I5", [("refunded", "approved")]),
        ("I7", [("pending", "approved")]),
        ("I7", [(None, "approved")]),
    ],
)
def test_a_history_that_went_back_or_has_a_gap_is_found(
    shop: Shop, invariant: str, moves: list[tuple[str | None, str]]
) -> None:
    shop.session.rollback()
    for before, after in moves:
        _line(shop.session, from_state=before, to_state=after)
    found = {fault.check.invariant for fault in broken_invariants(shop.session)}
    assert invariant in found
    shop.session.rollback()


@pytest.mark.postgres
def test_the_history_itself_cannot_be_changed(shop: Shop) -> None:
    for act in (
        "UPDATE journal_entries SET action = 'x'",
        "DELETE FROM journal_entries",
    ):
        shop.session.rollback()
        with pytest.raises(IntegrityError):
            shop.session.execute(text(act))
    shop.session.rollback()


def test_the_daily_check_alerts_once_a_day_and_is_withdrawn_when_well(
    shop: Shop,
) -> None:
    assert audit_service.verify(utcnow()) == 0
    shop.session.execute(text("DELETE FROM outbox WHERE kind = 'order.confirmed'"))
    shop.session.commit()
    assert audit_service.verify(utcnow()) == 1
    assert audit_service.verify(utcnow()) == 1
    shop.session.rollback()
    rows = shop.session.query(OutboxRow).filter_by(kind="alert.invariants").all()
    assert len(rows) == 1
