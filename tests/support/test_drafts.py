"""What was typed and not sent is kept for who typed it, until it is sent."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from support_cases import add_attention, add_staff, person

from portal.db import transaction
from portal.errors import NotFoundError
from portal.support import drafts_service, service
from portal.support.models import Draft

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = pytest.mark.postgres


@pytest.fixture
def desk(session):
    with transaction() as session:
        number = add_attention(session, now=NOON).id
        ana, luis = (person(add_staff(session, name)) for name in ("Ana", "Luis"))
    service.take(number, by=ana, now=NOON)
    service.start(number, by=ana, now=NOON)
    return number, ana, luis


def drafts(session) -> list[tuple[int, str, str]]:
    session.rollback()
    rows = session.scalars(select(Draft).order_by(Draft.staff_id, Draft.act))
    return [(row.staff_id, row.act, row.text) for row in rows]


def test_draft_is_written_over_and_forgotten_when_empty(session, desk) -> None:
    number, ana, _ = desk
    for text in ("a", "ab", "ab c"):
        drafts_service.keep(number, "nota", text, by=ana, now=NOON)
    assert drafts(session) == [(ana.id, "nota", "ab c")]
    drafts_service.keep(number, "nota", "  ", by=ana, now=NOON)
    assert drafts(session) == []


def test_sending_forgets_the_senders_draft_alone(session, desk) -> None:
    number, ana, luis = desk
    for by, act in ((ana, "anotar"), (ana, "nota"), (luis, "anotar")):
        drafts_service.keep(number, act, "texto", by=by, now=NOON)
    service.add_entry(number, "hecho", "texto", by=ana, now=NOON)
    assert drafts(session) == [(ana.id, "nota", "texto"), (luis.id, "anotar", "texto")]
    service.close(number, "resuelto", by=ana, now=NOON)
    assert drafts(session) == [(luis.id, "anotar", "texto")]
    drafts_service.keep(number, "nota", "tarde", by=ana, now=NOON)
    drafts_service.wipe_old(NOON)
    assert drafts(session) == []


def test_draft_that_nobody_took_up_again_is_dropped_after_a_week(session, desk) -> None:
    number, ana, _ = desk
    drafts_service.keep(number, "nota", "x", by=ana, now=NOON)
    drafts_service.wipe_old(NOON + timedelta(days=7))
    assert len(drafts(session)) == 1
    drafts_service.wipe_old(NOON + timedelta(days=7, seconds=1))
    assert drafts(session) == []


def test_draft_of_an_unknown_card_is_not_found(session, desk) -> None:
    with pytest.raises(NotFoundError):
        drafts_service.keep(999, "nota", "x", by=desk[1], now=NOON)
