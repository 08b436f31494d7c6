"""The catalogue of the first day, and what the database refuses."""

import pytest
from conftest import TUESDAY_NOON
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.catalog import queries, service
from portal.catalog.defaults_rules import SERVICES, TOPICS
from portal.catalog.models import Service, Topic
from portal.catalog.rules import (
    ASISTENCIA_TERRENO,
    REINSTALACION,
    SERVICE_SLUGS,
    SERVICIO_TECNICO,
    SOPORTE_ONLINE,
)
from portal.db import transaction
from portal.errors import NotFoundError, RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import Actor
from portal.settings.queries import revision

OWNER = Actor("staff", 1)


@pytest.fixture
def filled(session: Session) -> Session:
    with transaction() as writing:
        service.ensure_defaults(writing, TUESDAY_NOON)
    return session


def test_first_day_has_four_services_and_every_topic(filled: Session) -> None:
    assert tuple(row.slug for row in queries.list_services(filled)) == SERVICE_SLUGS
    assert [row.slug for row in queries.list_topics(filled)] == [
        topic.slug for topic in TOPICS
    ]


def test_only_the_support_has_a_price_for_special_hours(filled: Session) -> None:
    special = {row.slug: row.price_special for row in queries.list_services(filled)}
    assert special.pop(SOPORTE_ONLINE) == 29_990
    assert set(special.values()) == {None}


def test_filling_again_changes_nothing(filled: Session) -> None:
    before = (revision(filled), filled.scalar(select(func.count(JournalEntry.id))))
    with transaction() as writing:
        service.ensure_defaults(writing, TUESDAY_NOON)
    assert filled.scalar(select(func.count(Service.id))) == len(SERVICES)
    assert filled.scalar(select(func.count(Topic.id))) == len(TOPICS)
    after = (revision(filled), filled.scalar(select(func.count(JournalEntry.id))))
    assert after == before


def test_filling_again_keeps_what_the_owner_changed(filled: Session) -> None:
    with transaction() as writing:
        service.set_prices(
            writing, REINSTALACION, 50_000, None, actor=OWNER, now=TUESDAY_NOON
        )
        service.ensure_defaults(writing, TUESDAY_NOON)
    found = queries.find_service(filled, REINSTALACION)
    assert found is not None
    assert found.price_normal == 50_000


def test_price_is_changed_with_its_history(filled: Session) -> None:
    with transaction() as writing:
        service.set_prices(
            writing, SOPORTE_ONLINE, 20_990, 31_990, actor=OWNER, now=TUESDAY_NOON
        )
    entry = filled.scalars(
        select(JournalEntry).where(JournalEntry.action == "service.priced")
    ).one()
    assert entry.data == {"before": [19_990, 29_990], "after": [20_990, 31_990]}


def test_price_of_an_unknown_service_is_not_found(filled: Session) -> None:
    with pytest.raises(NotFoundError), transaction() as writing:
        service.set_prices(writing, "x", 1, None, actor=OWNER, now=TUESDAY_NOON)


def test_support_keeps_two_prices(filled: Session) -> None:
    with pytest.raises(RefusedError), transaction() as writing:
        service.set_prices(
            writing, SOPORTE_ONLINE, 20_990, None, actor=OWNER, now=TUESDAY_NOON
        )


def test_what_is_not_active_is_not_found(filled: Session) -> None:
    with transaction() as writing:
        writing.execute(update(Service).values(active=False))
        writing.execute(update(Topic).values(active=False))
    assert queries.list_services(filled) == []
    assert queries.find_service(filled, SOPORTE_ONLINE) is None
    assert queries.list_topics(filled) == []
    assert queries.find_topic(filled, "virus") is None


@pytest.mark.postgres
@pytest.mark.parametrize(
    "values",
    [{"price_normal": 0}, {"price_normal": -1}, {"price_special": 0}, {"slug": "x"}],
)
def test_database_refuses_what_is_no_service(
    filled: Session, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError), transaction() as writing:
        writing.execute(update(Service).values(**values))


@pytest.mark.postgres
def test_database_refuses_another_service_for_a_covered_topic(filled: Session) -> None:
    with pytest.raises(IntegrityError), transaction() as writing:
        writing.execute(update(Topic).values(covered=True))


BUTTONS = {
    "reinstalar-programa": REINSTALACION,
    "archivos-de-windows": REINSTALACION,
    "formateado-sin-respaldo": REINSTALACION,
    "virus": SERVICIO_TECNICO,
    "windows-corrupto": SERVICIO_TECNICO,
    "reinstalar-windows": SERVICIO_TECNICO,
    "formatear": SERVICIO_TECNICO,
    "hardware": SERVICIO_TECNICO,
    "red": SERVICIO_TECNICO,
    "visita": ASISTENCIA_TERRENO,
    "base-eliminada": None,
    "otros-programas": None,
    "windows-64-bits": None,
}
COVERED = {
    "error-del-programa",
    "no-parte",
    "disco-virtual",
    "isbutton",
    "base-de-datos",
    "consulta",
    "capacitacion",
    "imagen-corporativa",
    "campos-de-reporte",
    "compatibilidad",
    "antivirus",
    "windows-y-el-programa",
    "otro-del-programa",
}


def test_each_excluded_topic_leads_to_the_service_that_solves_it() -> None:
    excluded = {topic.slug: topic.service_slug for topic in TOPICS if not topic.covered}
    assert excluded == BUTTONS


def test_each_topic_of_the_terms_is_covered() -> None:
    assert {topic.slug for topic in TOPICS if topic.covered} == COVERED


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.slug)
def test_answer_is_short_and_says_usted(topic: object) -> None:
    words = f" {topic.title} {topic.answer} ".lower()  # type: ignore[attr-defined]
    assert 20 < len(words) < 300
    assert not [word for word in (" tu ", " tú ", " tienes ", " te ") if word in words]
