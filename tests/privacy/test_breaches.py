"""The register of data breaches, as the owner keeps it."""

from datetime import date

from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, text_of
from privacy_cases import Office
from sqlalchemy import select

from portal.journal.models import JournalEntry
from portal.privacy.models import DataBreach

REGISTER = "/administrar/datos/brechas"
KNOWN = {
    "noticed_on": "2026-11-20",
    "cause": "Se perdió un notebook con un respaldo.",
    "affected": "Nombre y teléfono de clientes.",
    "people": "1.200",
}


def rows(app: Flask) -> list[DataBreach]:
    return inside(app, lambda session: list(session.scalars(select(DataBreach))))


def test_breach_is_entered_and_completed_as_more_is_known(
    office: Office, app: Flask, owner: FlaskClient
) -> None:
    assert "Ninguna brecha anotada" in text_of(owner.get(REGISTER))
    assert owner.post(f"{REGISTER}/nueva", data=KNOWN).status_code == 303
    assert "Falta avisar a la Agencia" in text_of(owner.get(REGISTER))
    (first,) = rows(app)
    assert (first.people, first.agency_on) == (1200, None)
    path = f"{REGISTER}/{first.id}"
    known = read(owner.get(path))
    assert known.select_one("#cause").text.strip() == KNOWN["cause"]  # type: ignore[union-attr]
    told = {
        **KNOWN,
        "seen": "1",
        "agency_on": "2026-11-21",
        "measures": "Claves nuevas.",
    }
    assert owner.post(path, data=told).status_code == 303
    shown = text_of(owner.get(REGISTER))
    assert "Claves nuevas." in shown
    assert "Falta avisar" not in shown
    assert rows(app)[0].agency_on == date(2026, 11, 21)
    # Two at once: the second is told, and keeps what was typed.
    late = owner.post(path, data={**told, "effects": "Llamadas de extraños."})
    assert late.status_code == 409
    assert "Otra persona cambió esta brecha" in text_of(late)
    assert "Llamadas de extraños." in text_of(late)
    assert rows(app)[0].effects == ""


def test_history_says_which_fields_and_never_their_words(
    office: Office, app: Flask, owner: FlaskClient
) -> None:
    owner.post(f"{REGISTER}/nueva", data=KNOWN)
    owner.post(f"{REGISTER}/1", data={**KNOWN, "seen": "1", "people": "1300"})
    told = inside(
        app,
        lambda session: [
            (entry.action, entry.actor_id, entry.data)
            for entry in session.scalars(select(JournalEntry))
            if entry.object_kind == "data_breach"
        ],
    )
    assert [action for action, _actor, _data in told] == [
        "breach.entered",
        "breach.completed",
    ]
    assert told[1][1:] == (office.owner_id, {"fields": ["people"]})
    assert "notebook" not in str(told)


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_lost(
    office: Office, app: Flask, owner: FlaskClient
) -> None:
    bad = {"noticed_on": "ayer", "cause": "", "people": "muchas", "effects": "Ninguno."}
    answer = owner.post(f"{REGISTER}/nueva", data=bad)
    assert answer.status_code == 422
    assert "Escriba un día" in error_of(answer, "noticed_on")
    assert "Escriba qué pasó" in error_of(answer, "cause")
    assert "Escriba qué datos" in error_of(answer, "affected")
    assert "Escriba un número" in error_of(answer, "people")
    assert "Ninguno." in answer.text
    # It is the 24th in Santiago.
    for field in ("noticed_on", "agency_on"):
        future = owner.post(f"{REGISTER}/nueva", data={**KNOWN, field: "2027-01-01"})
        assert future.status_code == 422
        assert "hasta hoy" in error_of(future, field)
    assert rows(app) == []
