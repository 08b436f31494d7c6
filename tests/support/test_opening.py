"""What a payment opens."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from support_cases import add_attention, add_order

from portal import clock
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.support import service
from portal.support.models import Attention, Errand

NORMAL = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NEAR_THE_EDGE = datetime(2026, 11, 24, 21, 26, tzinfo=UTC)
SPECIAL = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
CLOSED = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


@pytest.mark.postgres
def test_payment_in_normal_hours_waits_with_a_promise_of_ten_minutes(session) -> None:
    with transaction() as session:
        attention = add_attention(session, now=NORMAL)
    assert (attention.state, attention.regime_kind) == ("waiting", "normal")
    assert attention.queued_at == NORMAL
    assert attention.promise_at == NORMAL + timedelta(minutes=10)


def test_promise_counts_open_minutes_over_the_night(session) -> None:
    with transaction() as session:
        attention = add_attention(session, now=NEAR_THE_EDGE)
    # Five minutes until 18:31, five more from 09:00 of the next day.
    assert clock.local(attention.promise_at).isoformat() == "2026-11-25T09:05:00-03:00"


def test_payment_in_special_hours_waits_without_a_promise(session) -> None:
    with transaction() as session:
        attention = add_attention(session, now=SPECIAL)
    assert (attention.state, attention.regime_kind) == ("waiting", "special")
    assert attention.promise_at is None


def test_payment_after_closing_is_deferred_until_the_customer_chooses(session) -> None:
    with transaction() as session:
        attention = add_attention(session, now=CLOSED)
    assert (attention.state, attention.regime_kind) == ("deferred", "closed")
    assert (attention.promise_at, attention.deferred_to) == (None, None)


def test_other_service_opens_an_errand_and_no_clock(session) -> None:
    with transaction() as session:
        order = add_order(session, now=NORMAL, service_slug="reinstalacion")
        service.open_for_order(session, order, now=NORMAL)
    assert session.scalars(select(Errand.state)).all() == ["open"]
    assert session.scalars(select(Attention.id)).all() == []


def test_opening_is_one_line_of_history(session) -> None:
    with transaction() as session:
        attention = add_attention(session, now=NORMAL)
    line = session.scalars(select(JournalEntry)).one()
    assert (line.object_kind, line.object_id) == ("attention", attention.id)
    assert (line.from_state, line.to_state, line.order_id) == (
        None,
        "waiting",
        attention.order_id,
    )


@pytest.mark.postgres
def test_an_order_never_has_two_attentions(session) -> None:
    with transaction() as session:
        order = add_order(session, now=NORMAL)
        service.open_for_order(session, order, now=NORMAL)
    with pytest.raises(IntegrityError), transaction() as session:
        service.open_for_order(session, order, now=NORMAL)
    assert len(session.scalars(select(Attention.id)).all()) == 1


@pytest.mark.postgres
@pytest.mark.parametrize(
    "values",
    [
        {"state": "open"},
        {"regime_kind": "night"},
        {"outcome": "bueno"},
        {"state": "taken"},
        {"state": "closed"},
        {"paused_seconds": -1},
    ],
)
def test_the_schema_refuses_what_no_attention_can_be(session, values) -> None:
    with transaction() as session:
        attention = add_attention(session, now=NORMAL)
    with pytest.raises(IntegrityError):
        _write(attention, values)


def _write(attention: Attention, values: dict[str, object]) -> None:
    with transaction() as session:
        row = session.merge(attention)
        for name, value in values.items():
            setattr(row, name, value)
