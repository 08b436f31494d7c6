"""Versions that cannot change, numbers that cannot drift, proof that cannot be lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import TUESDAY_NOON
from flask import Flask
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.catalog.models import Service
from portal.catalog.rules import REINSTALACION, SOPORTE_ONLINE
from portal.catalog.service import ensure_defaults
from portal.db import db, transaction
from portal.errors import RefusedError
from portal.hours.rules import DEFAULT_WEEKLY
from portal.journal.models import JournalEntry
from portal.journal.service import Actor
from portal.orders.models import Contact, Order
from portal.settings import queries as settings_queries
from portal.settings import service as settings_service
from portal.settings.rules import NAMES
from portal.terms import queries, service
from portal.terms.models import TermsAcceptance, TermsVersion
from portal.terms.rules import QUOTED, render_terms, text_hash

OWNER = Actor("staff", 1)
LATER = TUESDAY_NOON + timedelta(hours=1)


@pytest.fixture
def published(session: Session) -> Session:
    with transaction() as writing:
        ensure_defaults(writing, TUESDAY_NOON)
        service.ensure_first_version(writing, TUESDAY_NOON)
    return session


def current(session: Session) -> TermsVersion:
    session.rollback()
    version = queries.current(session)
    assert version is not None
    return version


def make_order(session: Session) -> Order:
    contact = Contact(name="Sam", email="sam@demo.cl", phone="+56987654321")
    session.add(contact)
    session.flush()
    order = Order(
        state="awaiting_payment",
        contact_id=contact.id,
        service_slug=SOPORTE_ONLINE,
        service_name="Soporte en línea",
        price=19_990,
        regime_kind="normal",
        regime_decision={},
        terms_version=1,
        form_key="f",
        link_seed="s",
        link_hash="h",
        created_at=TUESDAY_NOON,
        expires_at=LATER,
    )
    session.add(order)
    session.flush()
    return order


def accept(session: Session, order: Order, **changes: Any) -> TermsAcceptance:
    given = {
        "order_id": order.id,
        "version_number": 1,
        "now": TUESDAY_NOON,
        "address": "203.0.113.7",
        "user_agent": "Phone/1.0",
        "price_shown": 19_990,
        "regime_kind": "normal",
        "regime_rule": "weekly",
    }
    return service.accept(session, **{**given, **changes})


def count(session: Session, model: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


# Publishing ------------------------------------------------------------


def test_first_version_is_the_text_of_the_facts(published: Session) -> None:
    version = current(published)
    assert version.number == 1
    assert version.body == render_terms(queries.load_facts(published))
    assert version.sha256 == text_hash(version.body)
    assert version.published_at == TUESDAY_NOON


def test_publishing_the_same_text_makes_no_version(published: Session) -> None:
    assert service.publish(actor=OWNER, now=LATER) == 1
    with transaction() as writing:
        service.ensure_first_version(writing, LATER)
    assert count(published, TermsVersion) == 1


def test_set_up_twice_is_set_up_once(session: Session) -> None:
    assert service.set_up(TUESDAY_NOON) == 1
    body = current(session).body
    assert service.set_up(LATER) == 1
    assert "Reinstalación del programa: $45.990." in body
    assert count(session, TermsVersion) == 1
    assert count(session, Service) == 4


def test_setup_command_says_which_version_is_in_force(app: Flask) -> None:
    for _time in range(2):
        result = app.test_cli_runner().invoke(args=["setup"])
        assert result.exit_code == 0
        assert "version 1." in result.output


def test_before_the_first_there_is_no_version(session: Session) -> None:
    assert queries.current(session) is None
    assert queries.find_version(session, 1) is None


@pytest.mark.postgres
def test_changed_number_and_new_version_are_one_act(published: Session) -> None:
    assert service.change_setting("promise_minutes", 17, actor=OWNER, now=LATER) == 2
    version = current(published)
    assert (version.number, version.published_at) == (2, LATER)
    assert "dentro de 17 minutos" in version.body
    assert settings_queries.load(published).promise_minutes == 17
    first = queries.find_version(published, 1)
    assert first is not None
    assert "dentro de 10 minutos" in first.body


def test_failing_publish_rolls_the_number_back(
    published: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_body: str) -> str:
        raise RuntimeError("no hash today")

    monkeypatch.setattr(service, "text_hash", fail)
    acts: list[Callable[[], int]] = [
        lambda: service.change_setting("warranty_days", 45, actor=OWNER, now=LATER),
        lambda: service.change_price(REINSTALACION, 1_000, actor=OWNER, now=LATER),
        lambda: service.replace_weekly({0: DEFAULT_WEEKLY[5]}, actor=OWNER, now=LATER),
    ]
    before = queries.load_facts(published)
    for act in acts:
        with pytest.raises(RuntimeError):
            act()
        published.rollback()
        assert queries.load_facts(published) == before
    assert count(published, TermsVersion) == 1


def test_several_values_make_one_version(published: Session) -> None:
    values = {"business_rut": "123456785", "business_address": "Calle\n # 1"}
    assert service.change_settings(values, actor=OWNER, now=LATER) == 2
    body = current(published).body
    assert "- RUT: 12.345.678-5" in body
    assert "- Domicilio: Calle # 1" in body


SAMPLES = {"public_phone": "+56223456789", "business_rut": "123456785"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_text_quotes_exactly_the_values_listed_as_quoted(
    published: Session, name: str
) -> None:
    value: object = getattr(settings_queries.load(published), name)
    if isinstance(value, bool):
        changed: object = not value
    elif isinstance(value, int):
        changed = value + 41
    elif isinstance(value, tuple):
        changed = (*value, "otro")
    else:
        changed = SAMPLES.get(name, "Nombre Distinto")
    number = service.change_setting(name, changed, actor=OWNER, now=LATER)
    assert (number == 2) == (name in QUOTED)


def test_price_and_week_publish_too(published: Session) -> None:
    act = {"actor": OWNER, "now": LATER}
    assert service.change_price(SOPORTE_ONLINE, 21_990, 31_990, **act) == 2
    assert "$21.990 en horario normal y $31.990" in current(published).body
    weekly = {**DEFAULT_WEEKLY, 6: ()}
    assert service.replace_weekly(weekly, **act) == 3
    assert "- Domingo: Cerrado." in current(published).body


def test_refused_price_changes_nothing(published: Session) -> None:
    with pytest.raises(RefusedError):
        service.change_price(REINSTALACION, 0, actor=OWNER, now=LATER)
    assert current(published).number == 1
    price = published.scalar(
        select(Service.price_normal).where(Service.slug == REINSTALACION)
    )
    assert price == 45_990


def test_publishing_has_its_line_of_history(published: Session) -> None:
    service.change_setting("warranty_days", 45, actor=OWNER, now=LATER)
    entries = published.scalars(
        select(JournalEntry)
        .where(JournalEntry.action == "terms.published")
        .order_by(JournalEntry.id)
    ).all()
    assert [entry.data["number"] for entry in entries] == [1, 2]
    assert entries[1].actor_id == 1


def test_versions_are_listed_newest_first(published: Session) -> None:
    service.change_setting("warranty_days", 45, actor=OWNER, now=LATER)
    assert [row.number for row in queries.list_versions(published)] == [2, 1]


def wait_for_a_waiting_lock() -> None:
    """Until another connection of this PostgreSQL database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with db.engine.connect() as connection:
        for _attempt in range(20_000):
            if connection.scalar(waiting):
                return
            connection.rollback()
    raise AssertionError("nobody waits for a lock")


@pytest.mark.postgres
def test_two_publishers_at_once_follow_one_another(
    app: Flask, published: Session, both_databases: str
) -> None:
    def change_the_other() -> int:
        with app.app_context():
            return service.change_setting("warranty_days", 45, actor=OWNER, now=LATER)

    before = settings_queries.revision(published)
    with ThreadPoolExecutor() as pool:
        with transaction() as writing:
            settings_service.write(
                writing, "promise_minutes", 17, actor=OWNER, now=LATER
            )
            assert service.publish_in(writing, actor=OWNER, now=LATER).number == 2
            second = pool.submit(change_the_other)
            if both_databases == "postgresql":
                wait_for_a_waiting_lock()
        assert second.result(30) == 3
    body = current(published).body
    assert "dentro de 17 minutos" in body
    assert "durante 45 días" in body
    # Two values and two versions: no live screen misses one.
    assert settings_queries.revision(published) == before + 4


# Immutability ----------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize("model", [TermsVersion, TermsAcceptance])
def test_database_refuses_to_change_or_remove_a_row(
    published: Session, model: type[TermsVersion] | type[TermsAcceptance]
) -> None:
    with transaction() as writing:
        accept(writing, make_order(writing))
    for statement in (update(model).values(sha256="0" * 64), delete(model)):
        with pytest.raises(IntegrityError, match="append-only"), transaction() as again:
            again.execute(statement)
    assert count(published, model) == 1


def test_without_its_trigger_the_row_would_change(published: Session) -> None:
    with transaction() as writing:
        writing.execute(text("DROP TRIGGER terms_versions_no_update"))
        writing.execute(update(TermsVersion).values(sha256="0" * 64))
    assert current(published).sha256 == "0" * 64


# Acceptance ------------------------------------------------------------


@pytest.mark.postgres
def test_acceptance_keeps_the_proof(published: Session) -> None:
    with transaction() as writing:
        order = make_order(writing)
        accept(writing, order)
        order_id = order.id
    proof = queries.find_acceptance(published, order_id)
    assert proof is not None
    assert (proof.document, proof.version) == ("terms", 1)
    assert proof.sha256 == current(published).sha256
    assert proof.accepted_at == TUESDAY_NOON
    assert proof.checkbox_text == "He leído y acepto los Términos v1"
    assert proof.checked is True
    assert (proof.address, proof.user_agent) == ("203.0.113.7", "Phone/1.0")
    assert (proof.price_shown, proof.regime_kind) == (19_990, "normal")
    assert (proof.regime_rule, proof.locale) == ("weekly", "es-CL")
    assert proof.template_version == service.CHECKOUT_TEMPLATE


@pytest.mark.parametrize("number", [0, 1, 3])
def test_acceptance_of_another_version_is_refused(
    published: Session, number: int
) -> None:
    service.change_setting("warranty_days", 45, actor=OWNER, now=LATER)
    refused = pytest.raises(RefusedError, match="Los términos cambiaron")
    with refused, transaction() as writing:
        accept(writing, make_order(writing), version_number=number)
    assert count(published, TermsAcceptance) == 0


def test_acceptance_before_any_version_is_refused(session: Session) -> None:
    with pytest.raises(RefusedError), transaction() as writing:
        accept(writing, make_order(writing))


@pytest.mark.postgres
def test_order_is_accepted_once(published: Session) -> None:
    with transaction() as writing:
        order = make_order(writing)
        accept(writing, order)
    with pytest.raises(IntegrityError), transaction() as writing:
        accept(writing, order)


@pytest.mark.postgres
def test_long_or_odd_browser_names_are_cut(published: Session) -> None:
    with transaction() as writing:
        proof = accept(writing, make_order(writing), user_agent="a\0" * 500)
        assert proof.user_agent == "a" * 300


def test_history_of_an_acceptance_has_no_personal_data(published: Session) -> None:
    with transaction() as writing:
        order = make_order(writing)
        accept(writing, order)
        order_id = order.id
    entry = published.scalars(
        select(JournalEntry).where(JournalEntry.action == "terms.accepted")
    ).one()
    assert entry.order_id == order_id
    assert set(entry.data) == {"number", "sha256"}


def test_facts_follow_the_services_on_sale(published: Session) -> None:
    before = queries.load_facts(published)
    with transaction() as writing:
        writing.execute(
            update(Service).where(Service.slug == REINSTALACION).values(active=False)
        )
    kept = tuple(
        line for line in before.prices if line.name != "Reinstalación del programa"
    )
    assert queries.load_facts(published) == replace(before, prices=kept)
