"""What has had its term goes by itself; a dry run only counts."""

from datetime import timedelta

import pytest
from flask import Flask
from owner_forms import inside
from privacy_cases import Office
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_attention, add_order, add_staff

from portal.accounts.models import StaffSession
from portal.audit.queries import broken_invariants
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.journal.service import CUSTOMER, record
from portal.orders.models import Contact, Order
from portal.orders.note_models import OrderNote
from portal.orders.states import AWAITING_PAYMENT, CANCELLED, EXPIRED
from portal.payments.models import Notification, Payment
from portal.privacy import retention_service, rules
from portal.privacy.models import PrivacyRequest
from portal.support.customer_models import AttentionMessage, Rating
from portal.support.erase_queries import ERASED_TEXT
from portal.support.models import Attention, AttentionEntry, AttentionNote

DAY = timedelta(days=1)


@pytest.fixture
def write(office: Office) -> "Writer":
    return Writer(office)


class Writer:
    """Old rows, written directly."""

    def __init__(self, office: Office) -> None:
        self.office, self.now = office, office.clock.now

    def order(self, session: Session, state: str, age: timedelta) -> int:
        at = self.now - age
        paid = at if state == "paid" else None
        order = add_order(
            session, now=at, state=state, paid_at=paid, tax_rut="765432103"
        )
        before = None
        for to in dict.fromkeys((AWAITING_PAYMENT, state)):
            record(
                session,
                at=at,
                actor=CUSTOMER,
                action="order.placed",
                object_kind="order",
                object_id=order.id,
                order_id=order.id,
                from_state=before,
                to_state=to,
            )
            before = to
        return order.id

    def closed(self, session: Session, age: timedelta, words: str) -> int:
        """A closed attention with words of everybody; its order's id."""
        at = self.now - age
        attention = add_attention(session, now=at, problem=words)
        staff = add_staff(session)
        number = attention.id
        session.add_all(
            [
                AttentionMessage(attention_id=number, text=words, at=at),
                AttentionNote(
                    attention_id=number, text=words, at=at, technician_id=staff.id
                ),
                AttentionEntry(
                    attention_id=number,
                    kind="hecho",
                    text=words,
                    at=at,
                    technician_id=staff.id,
                ),
                Rating(attention_id=number, stars=4, comment=words, at=at),
                OrderNote(
                    order_id=attention.order_id, text=words, at=at, author_id=staff.id
                ),
            ]
        )
        attention.state, attention.outcome = "closed", "resuelto"
        attention.closed_at = attention.changed_at = at
        return attention.order_id

    def run(self) -> dict[str, int]:
        keys = self.office.settings.secret_keys
        with self.office.app.app_context():
            found = retention_service.run(keys, now=self.now)
        return {name: count for name, count in found.items() if count}


def names(session: Session) -> dict[int, str]:
    query = select(Order.id, Contact.name).join(Contact, Contact.id == Order.contact_id)
    return {row[0]: row[1] for row in session.execute(query)}


def test_unpaid_orders_lose_their_person_after_thirty_days(
    write: Writer, app: Flask
) -> None:
    with app.app_context(), transaction() as session:
        gone = [write.order(session, state, 31 * DAY) for state in (EXPIRED, CANCELLED)]
        young = write.order(session, EXPIRED, 29 * DAY)
        unsure = write.order(session, EXPIRED, 31 * DAY)
        paid = write.order(session, "paid", 31 * DAY)
        session.add(
            Payment(
                order_id=unsure,
                gateway="webpay",
                state="unknown",
                amount=19_990,
                buy_order="X1",
                seed="s",
                reference_hash="r",
                created_at=write.now,
            )
        )
    assert write.run() == {"unpaid orders": 2}
    found = inside(app, names)
    assert {number for number, name in found.items() if not name} == set(gone)
    assert all(found[number] for number in (young, unsure, paid))
    assert write.run() == {}


def test_paid_orders_keep_tax_data_for_six_years(write: Writer, app: Flask) -> None:
    with app.app_context(), transaction() as session:
        old = write.order(session, "paid", 6 * 366 * DAY)
        young = write.order(session, "paid", 6 * 365 * DAY)
    assert write.run() == {"orders past the tax years": 1}
    ruts = inside(
        app, lambda session: {row.id: row.tax_rut for row in session.query(Order)}
    )
    assert ruts == {old: None, young: "765432103"}


@pytest.mark.postgres
def test_texts_go_a_year_after_the_work_ended_and_figures_stay(
    write: Writer, app: Flask
) -> None:
    with app.app_context(), transaction() as session:
        old = write.closed(session, 366 * DAY, "viejo")
        young = write.closed(session, 360 * DAY, "nuevo")
        waits = add_attention(session, now=write.now - 400 * DAY, problem="espera")
        waits.changed_at = write.now - 400 * DAY
    assert write.run() == {"orders with old texts": 1, "owner's old notes": 1}

    def words(session: Session) -> list[object]:
        return [
            [order.problem for order in session.query(Order).order_by(Order.id)],
            [each.text for each in session.query(AttentionMessage)],
            [each.text for each in session.query(AttentionNote)],
            [
                each.text
                for each in session.query(AttentionEntry).order_by(AttentionEntry.id)
            ],
            [
                (each.stars, each.comment)
                for each in session.query(Rating).order_by(Rating.id)
            ],
            [each.text for each in session.query(OrderNote)],
            names(session)[old] == names(session)[young],
            session.query(Attention).count(),
        ]

    assert inside(app, words) == [
        ["", "nuevo", "espera"],
        ["nuevo"],
        ["nuevo"],
        [ERASED_TEXT, "nuevo"],
        [(4, None), (4, "nuevo")],
        ["nuevo"],
        True,
        3,
    ]
    assert write.run() == {}


def test_small_things_go_and_history_has_one_line_of_counts(
    write: Writer, app: Flask
) -> None:
    with app.app_context(), transaction() as session:
        staff = add_staff(session)
        for days in (-1, 1):
            session.add(
                StaffSession(
                    staff_id=staff.id,
                    key_hash=f"k{days}",
                    created_at=write.now - 2 * DAY,
                    expires_at=write.now + days * DAY,
                )
            )
        for number, days in enumerate((366, 364)):
            at = write.now - days * DAY
            session.add(
                Notification(
                    gateway="mercadopago",
                    topic="payment",
                    resource_id=str(number),
                    request_id="r",
                    received_at=at,
                    next_at=at,
                    done_at=at,
                )
            )
        for state, days in (("unverified", 2), ("open", 2), ("answered", 7 * 366)):
            at = write.now - days * DAY
            session.add(
                PrivacyRequest(
                    state=state,
                    kind=rules.ACCESS,
                    name="Rosa",
                    email="rosa@example.cl",
                    text="Quiero",
                    seed="s",
                    token_hash=state,
                    created_at=at,
                    confirm_until=at + DAY,
                    due_on=at.date(),
                    answered_at=at,
                    answer="Listo",
                )
            )
    runner = app.test_cli_runner()
    dry = runner.invoke(args=["retention", "--dry-run"])
    assert dry.exit_code == 0
    assert "4 would go." in dry.output
    assert inside(app, lambda session: session.query(StaffSession).count()) == 2
    assert "4 gone." in runner.invoke(args=["retention"]).output
    assert "0 gone." in runner.invoke(args=["retention"]).output

    def kept(session: Session) -> list[object]:
        asked = session.query(PrivacyRequest).order_by(PrivacyRequest.id)
        lines = session.query(JournalEntry).filter_by(action="retention.ran")
        return [
            [(each.state, each.name, each.answer) for each in asked],
            [line.data for line in lines],
        ]

    assert inside(app, kept) == [
        [("open", "Rosa", "Listo"), ("answered", "", None)],
        [
            {
                "notifications": 1,
                "ended sessions": 1,
                "unconfirmed requests": 1,
                "requests past their years": 1,
            }
        ],
    ]


def test_invariants_hold_after_retention(write: Writer, app: Flask) -> None:
    with app.app_context(), transaction() as session:
        write.order(session, EXPIRED, 31 * DAY)
    assert inside(app, broken_invariants) == []
    write.run()
    assert inside(app, broken_invariants) == []
