"""`flask demo seed`: a demo that works, again and again, and never in production."""

from dataclasses import replace

import pytest
from conftest import TUESDAY_NOON
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from portal.accounts.models import Staff
from portal.catalog.models import Service, Topic
from portal.catalog.rules import SOPORTE_ONLINE
from portal.chile import COMMUNES, format_phone, parse_phone, parse_rut
from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.queries import load
from portal.settings.rules import NAMES
from portal.settings.service import change
from portal.terms import service as terms_service
from portal.terms.models import TermsVersion

TABLES = (Staff, Service, Topic, TermsVersion, JournalEntry)


def seed(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert result.exit_code == 0, result.output
    return str(result.output)


def counts(session: Session) -> list[int | None]:
    session.rollback()
    return [session.scalar(select(func.count()).select_from(each)) for each in TABLES]


@pytest.mark.postgres
def test_seed_makes_a_demo_that_works(app: Flask, session: Session) -> None:
    assert "4 accounts added" in seed(app)
    staff = session.scalars(select(Staff).order_by(Staff.id)).all()
    assert [(each.email, each.role) for each in staff] == [
        ("duena@demo.cl", "owner"),
        ("tecnico1@demo.cl", "technician"),
        ("tecnico2@demo.cl", "technician"),
        ("tecnico3@demo.cl", "technician"),
    ]
    assert check_password_hash(staff[0].password_hash, "demo-portal")
    assert load(session).business_rut == "765432103"
    assert counts(session)[1] == 4
    version = session.scalars(select(TermsVersion)).one()
    assert "ItplusNet Demo Ltda." in version.body


@pytest.mark.postgres
def test_second_seed_changes_nothing(app: Flask, session: Session) -> None:
    seed(app)
    before = counts(session)
    assert "0 accounts added" in seed(app)
    assert counts(session) == before


def test_seed_leaves_what_the_owner_changed(app: Flask, session: Session) -> None:
    seed(app)
    change({"office_phone": "+56223334444"}, actor=SYSTEM, now=TUESDAY_NOON)
    terms_service.change_price(
        SOPORTE_ONLINE, 25_000, 35_000, actor=SYSTEM, now=TUESDAY_NOON
    )
    with transaction() as writing:
        writing.query(Staff).filter_by(email="tecnico1@demo.cl").one().name = "Otra"
    before = counts(session)
    seed(app)
    assert counts(session) == before
    assert load(session).office_phone == "+56223334444"
    prices = select(Service.price_normal).where(Service.slug == SOPORTE_ONLINE)
    assert session.scalar(prices) == 25_000


def test_seed_is_refused_in_production(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = replace(app.extensions["portal_settings"], mode="production")
    monkeypatch.setitem(app.extensions, "portal_settings", production)
    result = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert result.exit_code == 1
    assert "refused in production" in result.output
    assert counts(session) == [0] * len(TABLES)


def test_demo_values_are_valid_and_no_two_numbers_are_the_same() -> None:
    assert set(DEMO_VALUES) <= NAMES
    assert parse_rut("76.543.210-3") == DEMO_VALUES["business_rut"]
    numbers = [
        *(DEMO_VALUES[name] for name in ("public_phone", "office_phone", "whatsapp")),
        *DEMO_VALUES["special_mobiles"],
    ]
    assert [parse_phone(format_phone(number)) for number in numbers] == numbers
    assert len(set(numbers)) == 5
    assert set(DEMO_VALUES["on_site_communes"]) <= set(COMMUNES)


def test_database_has_no_secret_of_the_demo_in_clear(
    app: Flask, session: Session
) -> None:
    seed(app)
    journal = session.scalars(select(JournalEntry.data)).all()
    assert "demo-portal" not in str(journal)
