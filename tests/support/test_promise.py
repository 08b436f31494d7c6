"""A promise that nobody kept, and who is told of a new customer."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import SECRET_KEY
from sqlalchemy import select
from support_cases import add_attention, add_staff, person

from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail import service as mail_service
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.settings.service import write
from portal.support import days_service, promise_service, service
from portal.support.models import Attention

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
BOTH = ["alert.promise", "attention.promise_missed"]
pytestmark = pytest.mark.postgres


def at(minutes: float, seconds: float = 0) -> datetime:
    return NOON + timedelta(minutes=minutes, seconds=seconds)


@pytest.fixture
def owner(session):
    with transaction() as session:
        return person(add_staff(session, "Rosa", role="owner"))


def opened(now: datetime = NOON, **values) -> int:
    with transaction() as session:
        return add_attention(session, now=now, **values).id


def missed(session) -> list[datetime]:
    session.rollback()
    return list(
        session.scalars(
            select(JournalEntry.at).where(
                JournalEntry.action == "attention.promise_missed"
            )
        )
    )


def kinds(session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id)))


def test_missed_promise_is_written_once_and_told_once(session, owner) -> None:
    opened()
    assert promise_service.mark_missed(at(9, 59)) == 0
    assert promise_service.mark_missed(at(10)) == 1
    assert promise_service.mark_missed(at(11)) == 0
    assert missed(session) == [at(10)]
    assert kinds(session) == BOTH


@pytest.mark.parametrize("act", ["contacted", "start"])
def test_promise_that_was_kept_is_not_missed(session, owner, act) -> None:
    number = opened()
    service.take(number, by=owner, now=at(1))
    getattr(service, act)(number, by=owner, now=at(9))
    assert promise_service.mark_missed(at(20)) == 0


def test_taking_alone_keeps_no_promise(session, owner) -> None:
    service.take(opened(), by=owner, now=at(1))
    assert promise_service.mark_missed(at(10)) == 1


def test_new_promise_may_be_missed_again_with_no_second_mail(session, owner) -> None:
    evening = at(6 * 60 + 25)
    number = opened(evening)
    promised = session.get_one(Attention, number).promise_at
    assert promise_service.mark_missed(promised) == 1
    night, morning = at(11 * 60), at(21 * 60)
    days_service.follow_the_day(night)
    days_service.follow_the_day(morning)
    assert promise_service.mark_missed(morning + timedelta(hours=1)) == 1
    assert len(missed(session)) == 2
    assert kinds(session) == BOTH


def test_special_hours_promise_nothing(session, owner) -> None:
    opened(at(8 * 60))
    assert promise_service.mark_missed(at(9 * 60)) == 0


def send(app, settings, now: datetime) -> list:
    mail_service.send_due(app.extensions["mail_renderers"], settings, now=now)
    return list_files(settings.mail_dir)


def test_owner_reads_which_promise_was_missed(app, session, owner, settings) -> None:
    opened(key=SECRET_KEY)
    promise_service.mark_missed(at(10))
    customer, mail = sorted(send(app, settings, at(10)), key=lambda it: it.to)
    assert mail.to.startswith("rosa")
    assert "antes de las 12:10" in mail.text
    assert "Todavía espera" in mail.text
    assert "+569" not in mail.text
    assert "antes de las 12:10" in customer.text
    assert "/atencion/" in customer.text


def test_customer_who_was_called_late_reads_nothing_of_it(
    app, session, owner, settings
) -> None:
    number = opened()
    promise_service.mark_missed(at(10))
    service.take(number, by=owner, now=at(11))
    service.contacted(number, by=owner, now=at(11))
    assert [mail.to[:4] for mail in send(app, settings, at(11))] == ["rosa"]


# On call -----------------------------------------------------------------


@pytest.fixture
def lists(session) -> None:
    with transaction() as session:
        for name, addresses in (
            ("on_call_normal", ["uno@mesa.cl", "dos@mesa.cl"]),
            ("on_call_special", ["noche@mesa.cl"]),
        ):
            write(session, name, addresses, actor=SYSTEM, now=NOON)


@pytest.mark.parametrize(
    ("now", "readers"),
    [(NOON, ["dos@mesa.cl", "uno@mesa.cl"]), (at(8 * 60), ["noche@mesa.cl"])],
)
def test_paid_attention_mails_the_list_of_its_regime(
    app, session, lists, settings, now, readers
) -> None:
    opened(now, name="Marta Rojas", phone="+56911112222")
    mails = send(app, settings, now)
    assert sorted(mail.to for mail in mails) == readers
    for mail in mails:
        assert "Marta Rojas" in mail.text
        assert "Un error en pantalla" in mail.text
        assert "/tablero" in mail.text
        assert "911112222" not in mail.text.replace(" ", "")
        assert "/atencion/" not in mail.text


def test_night_payment_mails_the_list_at_the_opening(session, lists) -> None:
    opened(at(11 * 60))
    assert kinds(session) == []
    for minute in (21 * 60, 21 * 60 + 1):
        days_service.follow_the_day(at(minute))
    assert kinds(session) == ["attention.on_call"] * 2


def test_what_is_over_mails_nobody(app, session, lists, owner, settings) -> None:
    number = opened()
    service.take(number, by=owner, now=NOON)
    service.start(number, by=owner, now=NOON)
    service.close(number, "resuelto", "Listo", by=owner, now=NOON)
    assert send(app, settings, NOON) == []
