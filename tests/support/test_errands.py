"""Errands: agreed on, done, cancelled; one winner, one line of history, one mail."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from conftest import SECRET_KEY, FrozenClock
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff, person

from portal.accounts.rules import Person
from portal.config import Settings
from portal.db import db, transaction
from portal.errors import NotFoundError, RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders.models import Contact, Order
from portal.settings import service as settings_service
from portal.settings.queries import load
from portal.support import errand_queries, errand_service, service
from portal.support.customer_models import ErrandEntry
from portal.support.errand_service import LateErrandError
from portal.support.models import Errand
from portal.support.version_queries import version_of_now


@pytest.fixture
def errand(session: Session, clock: FrozenClock) -> int:
    with transaction() as writing:
        order = add_order(
            writing,
            now=clock.now,
            key=SECRET_KEY,
            service_slug="reinstalacion",
            service_name="Reinstalación",
        )
        service.open_for_order(writing, order, now=clock.now)
        return writing.scalars(select(Errand)).one().id


@pytest.fixture
def people(session: Session, errand: int) -> tuple[Person, Person, Person]:
    with transaction() as writing:
        ana, luis = (person(add_staff(writing, name)) for name in ("Ana", "Luis"))
        return ana, luis, person(add_staff(writing, "Olga", role="owner"))


def outbox(session: Session) -> dict[str, list[str]]:
    session.rollback()
    found: dict[str, list[str]] = {}
    for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id)):
        found.setdefault(row.kind, []).append(row.key)
    return found


def lines(session: Session, action: str) -> int:
    session.rollback()
    where = JournalEntry.action == action
    return session.scalar(select(func.count()).select_from(JournalEntry).where(where))


def day(clock: FrozenClock, days: int) -> datetime:
    return clock.now + timedelta(days=days)


def test_whole_errand(session, errand, people, clock) -> None:
    ana, _, _ = people
    errand_service.schedule(
        errand, day(clock, 2), "Lleve el disco", by=ana, now=clock.now
    )
    (card,) = errand_queries.open_errands(session)
    assert (card.state, card.scheduled_for) == ("scheduled", day(clock, 2))
    assert (card.who, card.said) == ("Ana", "Lleve el disco")
    errand_service.finish(errand, "Quedó instalado", by=ana, now=day(clock, 2))
    assert errand_queries.open_errands(session) == []
    session.rollback()
    row = session.get_one(Errand, errand)
    assert (row.state, row.done_at) == ("done", day(clock, 2))
    kinds = [line.kind for line in errand_queries.errand_entries(session, errand)]
    assert kinds == ["acordado", "hecho"]
    assert lines(session, "errand.scheduled") == lines(session, "errand.done") == 1


def test_same_act_twice_has_no_second_effect(session, errand, people, clock) -> None:
    ana, _, _ = people
    for _ in range(2):
        errand_service.schedule(errand, day(clock, 2), by=ana, now=clock.now)
    for _ in range(2):
        errand_service.finish(errand, "Listo", by=ana, now=clock.now)
    assert len(errand_queries.errand_entries(session, errand)) == 2
    assert outbox(session)["errand.scheduled"] == ["2"]
    assert outbox(session)["errand.done"] == [""]


def test_who_comes_second_reads_who_did_what_and_when(
    session, errand, people, clock
) -> None:
    ana, luis, _ = people
    clock.advance(minutes=4, seconds=12)
    errand_service.schedule(errand, day(clock, 3), by=ana, now=clock.now)
    with pytest.raises(
        LateErrandError,
        match=r"Lo agendó Ana a las 12:04:12, para el 27-11-2026 a las 12:04\.",
    ):
        errand_service.schedule(errand, day(clock, 1), by=luis, now=clock.now)
    errand_service.finish(errand, "Listo", by=luis, now=clock.now)
    with pytest.raises(LateErrandError, match=r"Lo hizo Luis a las 12:04:12\."):
        errand_service.finish(errand, "Otra cosa", by=ana, now=clock.now)


def test_date_is_changed_only_by_who_saw_it(session, errand, people, clock) -> None:
    ana, luis, _ = people
    errand_service.schedule(errand, day(clock, 2), by=ana, now=clock.now)
    (card,) = errand_queries.open_errands(session)
    errand_service.schedule(
        errand, day(clock, 5), by=luis, now=clock.now, version=card.version
    )
    with pytest.raises(LateErrandError, match="Luis"):
        errand_service.schedule(
            errand, day(clock, 7), by=ana, now=clock.now, version=card.version
        )
    session.rollback()
    assert session.get_one(Errand, errand).scheduled_for == day(clock, 5)
    assert outbox(session)["errand.scheduled"] == ["2", "3"]


def test_only_the_owner_cancels_and_the_money_stays(
    session, errand, people, clock
) -> None:
    ana, _, olga = people
    with pytest.raises(RefusedError, match="Solo quien administra"):
        errand_service.call_off(errand, "x", by=ana, now=clock.now)
    errand_service.call_off(errand, "Sin técnico", by=olga, now=clock.now)
    session.rollback()
    assert session.get_one(Errand, errand).state == "cancelled"
    assert session.scalars(select(Order)).one().state == "paid"
    with pytest.raises(LateErrandError, match="Lo anuló Olga"):
        errand_service.finish(errand, "Listo", by=ana, now=clock.now)


def test_errand_that_is_not_there_is_not_found(session, people, clock) -> None:
    with pytest.raises(NotFoundError):
        errand_service.finish(999, "x", by=people[0], now=clock.now)


def test_history_holds_no_words_of_an_errand(session, errand, people, clock) -> None:
    ana, _, olga = people
    errand_service.schedule(errand, day(clock, 2), "secreto-1", by=ana, now=clock.now)
    errand_service.call_off(errand, "secreto-2", by=olga, now=clock.now)
    session.rollback()
    rows = session.scalars(select(JournalEntry)).all()
    assert not any("secreto" in f"{row.reason}{row.data}" for row in rows)


def test_board_sees_every_change_of_an_errand(session, errand, people, clock) -> None:
    ana, _, _ = people

    def version() -> str:
        session.rollback()
        return version_of_now(session, clock.now)

    seen = [version()]
    errand_service.schedule(errand, day(clock, 2), by=ana, now=clock.now)
    seen.append(version())
    errand_service.schedule(errand, day(clock, 3), by=ana, now=clock.now, version=2)
    seen.append(version())
    errand_service.finish(errand, "Listo", by=ana, now=clock.now)
    seen.append(version())
    assert len(set(seen)) == 4


@pytest.mark.postgres
def test_of_eight_who_set_a_date_at_once_one_wins(
    app: Flask, errand: int, session: Session, clock: FrozenClock
) -> None:
    with transaction() as writing:
        people = [person(add_staff(writing, f"T{n}")) for n in range(8)]
    session.rollback()
    outcomes = _all_at_once(app, errand, people, clock)
    assert sorted(outcomes) == ["late"] * 7 + ["won"]
    session.rollback()
    assert session.scalar(select(func.count()).select_from(ErrandEntry)) == 1


def _all_at_once(
    app: Flask, errand: int, people: list[Person], clock: FrozenClock
) -> list[str]:
    gate, outcomes = threading.Barrier(len(people)), []

    def act(who: Person, number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                errand_service.schedule(
                    errand, day(clock, number + 1), by=who, now=clock.now
                )
                outcomes.append("won")
            except LateErrandError:
                outcomes.append("late")
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=act, args=(who, number))
        for number, who in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


# Mails -----------------------------------------------------------------

Render = Callable[..., Mail | None]


@pytest.fixture
def render(app: Flask, session: Session, settings: Settings, clock) -> Render:
    def run(kind: str, key: str = "") -> Mail | None:
        session.rollback()
        order_id = session.scalars(select(Order.id).order_by(Order.id)).first()
        row = OutboxRow(order_id=order_id, kind=kind, key=key)
        context = RenderContext(session, settings, clock.now, load(session))
        found: Mail | None = app.extensions["mail_renderers"][kind](context, row)
        return found

    return run


def test_opening_tells_the_owner_and_who_is_on_call(
    session, errand, people, clock, render
) -> None:
    # Opened while nobody could be told: it waits, and finds whoever comes.
    assert outbox(session)["alert.errand"] == ["0"]
    mail = render("alert.errand", "0")
    assert mail is not None
    assert mail.to.startswith("olga")
    assert "Reinstalación" in mail.text
    assert "+569" not in mail.text
    _on_call("turno@demo.cl", now=clock.now)
    with transaction() as writing:
        other = add_order(writing, now=clock.now, service_slug="servicio-tecnico")
        service.open_for_order(writing, other, now=clock.now)
    assert outbox(session)["alert.errand"] == ["0", "0", "1"]
    errand_service.schedule(errand, day(clock, 2), by=people[0], now=clock.now)
    assert render("alert.errand", "0") is None


def _on_call(address: str, *, now: datetime) -> None:
    settings_service.change({"on_call_normal": [address]}, actor=SYSTEM, now=now)


def test_alert_waits_while_there_is_nobody_to_tell(errand, render, clock) -> None:
    with pytest.raises(LookupError):
        render("alert.errand", "0")
    _on_call("turno@demo.cl", now=clock.now)
    mail = render("alert.errand", "0")
    assert mail is not None
    assert mail.to == "turno@demo.cl"
    assert render("alert.errand", "1") is None


def test_customer_is_told_each_step_and_only_the_newest_date(
    session, errand, people, clock, render
) -> None:
    ana, _, _ = people
    assert render("errand.scheduled", "2") is None
    errand_service.schedule(errand, day(clock, 2), "Lleve <b>", by=ana, now=clock.now)
    mail = render("errand.scheduled", "2")
    assert mail is not None
    assert mail.html is not None
    assert mail.to == "maria@example.cl"
    assert "jueves 26 de noviembre a las 12:00" in mail.text
    assert "Lleve <b>" in mail.text
    assert "Lleve &lt;b&gt;" in mail.html
    errand_service.schedule(errand, day(clock, 3), by=ana, now=clock.now, version=2)
    assert render("errand.scheduled", "2") is None
    assert render("errand.scheduled", "3") is not None
    errand_service.finish(errand, "Quedó instalado", by=ana, now=clock.now)
    assert render("errand.scheduled", "3") is None
    mail = render("errand.done")
    assert mail is not None
    assert "Quedó instalado" in mail.text


def test_blocked_customer_gets_no_mail(session, errand, people, clock, render) -> None:
    _, _, olga = people
    errand_service.call_off(errand, "Sin técnico", by=olga, now=clock.now)
    mail = render("errand.cancelled")
    assert mail is not None
    assert "devolución" in mail.text
    with transaction() as writing:
        writing.scalars(select(Contact)).one().blocked = True
    assert render("errand.cancelled") is None
