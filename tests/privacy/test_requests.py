"""The six rights: asked by anybody, proven by mail, answered in the law's terms."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, text_of
from privacy_cases import ASK, PERSON, Office
from sqlalchemy import select
from support_cases import add_order

from portal.db import transaction
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.orders.models import Contact
from portal.privacy import requests_service, rules

# Received, right, last day. 8 December 2026 (Tuesday) and 25 December are holidays.
DUE = (
    (date(2026, 11, 24), rules.ACCESS, date(2026, 12, 24)),
    (date(2026, 12, 1), rules.DELETION, date(2026, 12, 31)),
    (date(2026, 11, 24), rules.BLOCK, date(2026, 11, 26)),
    (date(2026, 11, 26), rules.BLOCK, date(2026, 11, 30)),
    (date(2026, 11, 28), rules.BLOCK, date(2026, 12, 1)),
    (date(2026, 12, 4), rules.BLOCK, date(2026, 12, 9)),
    (date(2026, 12, 23), rules.BLOCK, date(2026, 12, 28)),
)


@pytest.mark.parametrize(("received", "right", "due"), DUE)
def test_terms_count_calendar_days_and_working_days(
    received: date, right: str, due: date
) -> None:
    assert rules.due_on(right, received) == due


def test_recourse_is_thirty_working_days() -> None:
    # 8 and 25 December and 1 January are left out.
    assert rules.add_working_days(date(2026, 11, 24), 30) == date(2027, 1, 8)


def test_form_says_what_is_missing_and_loses_nothing(
    office: Office, client: FlaskClient
) -> None:
    answer = client.post(ASK, data={"text": "Hola, quiero ver", "email": "rosa@"})
    assert answer.status_code == 422
    assert "Elija qué quiere pedir" in error_of(answer, "kind")
    assert "Revise el correo" in error_of(answer, "email")
    assert "Escriba su nombre" in error_of(answer, "name")
    assert "Hola, quiero ver" in answer.text
    assert read(answer).select_one("#email")["value"] == "rosa@"  # type: ignore[index]


def test_answer_is_the_same_for_a_known_and_an_unknown_address(
    office: Office, client: FlaskClient
) -> None:
    with office.app.app_context(), transaction() as session:
        add_order(session, now=office.clock.now)  # maria@example.cl
    seen, written = [], []
    for email in ("maria@example.cl", "nadie@example.cl"):
        answer = office.ask(client, rules.ACCESS, email=email)
        assert answer.status_code == 200
        seen.append(text_of(answer).replace(email, "X"))
        mail = office.last_mail_to(email)
        written.append((mail.subject, mail.text.split("/solicitud/")[0]))
        # No word of whoever typed it goes to an address that is not proven.
        assert PERSON["name"] not in mail.text
        assert "Quiero saber" not in mail.text
    assert seen[0] == seen[1]
    assert written[0] == written[1]


def test_strangers_mail_alone_opens_no_ticket(
    office: Office, client: FlaskClient, owner: FlaskClient
) -> None:
    office.ask(client, rules.ACCESS)
    assert office.request().state == "unverified"
    assert "Ninguna solicitud espera" in owner.get("/administrar/datos").text
    # Opening the link does nothing yet: mail scanners open links.
    assert "Sí, lo pido yo" in client.get(office.link()).text
    assert office.request().state == "unverified"
    assert client.get("/privacidad/solicitud/" + "A" * 22).status_code == 404


def test_link_proves_once_and_runs_out(office: Office, client: FlaskClient) -> None:
    office.ask(client, rules.ACCESS)
    link = office.link()
    assert client.post(link).status_code == 303
    assert client.post(link).status_code == 303
    mails = [mail for mail in office.mails() if mail.to == PERSON["email"]]
    assert len(mails) == 2
    assert "jueves 24 de diciembre" in mails[-1].text
    assert office.request().number in mails[-1].text
    page = client.get(link).text
    assert office.request().number in page
    assert "Quiero saber" not in page
    office.ask(client, rules.ACCESS)
    link = office.link()
    office.clock.advance(hours=24)
    late = client.post(link)
    assert late.status_code == 409
    assert "Pedirlo otra vez" in late.text
    assert office.request().state == "unverified"


def test_nobody_can_flood_an_address(office: Office, client: FlaskClient) -> None:
    answers = {text_of(office.ask(client, rules.ACCESS)) for _ in range(5)}
    assert len(answers) == 1
    assert len(office.mails()) == rules.MAX_LINKS


def test_owner_reads_by_last_day_and_late_is_red(
    office: Office, client: FlaskClient, owner: FlaskClient
) -> None:
    access = office.asked(client, rules.ACCESS)
    block = office.asked(client, rules.BLOCK)
    assert "Piden algo sobre sus datos" not in owner.get("/administrar").text
    page = owner.get("/administrar/datos")
    titles = [each.text for each in read(page).select("h3")[:2]]
    assert titles == ["Bloqueo temporal", "Acceso"]
    assert "Quedan 2 días" in page.text
    office.clock.advance(days=3)
    cards = read(owner.get("/administrar/datos")).select(".card--danger")
    assert [card.h3.text for card in cards if card.h3] == ["Bloqueo temporal"]
    assert "Venció hace 1 día" in cards[0].text
    assert "Una solicitud con el plazo" in owner.get("/administrar").text
    assert access.number not in cards[0].text
    assert block.number in cards[0].text


def test_answer_is_stored_and_mailed_with_the_recourse_and_the_data(
    office: Office, client: FlaskClient, owner: FlaskClient
) -> None:
    with office.app.app_context(), transaction() as session:
        key = office.settings.secret_keys[0]
        order = add_order(session, now=office.clock.now, key=key)
        session.get_one(Contact, order.contact_id).email = "ROSA@example.cl"
    asked = office.asked(client, rules.ACCESS)
    path = f"/administrar/datos/solicitudes/{asked.id}"
    assert "Quiero saber qué tienen." in owner.get(path).text
    short = owner.post(f"{path}/responder", data={"text": "Sí"})
    assert short.status_code == 422
    assert "Elija qué decide" in short.text
    words = "Estos son los datos que tenemos de usted."
    data = {"decision": "si", "text": words}
    assert owner.post(f"{path}/responder", data=data).status_code == 303
    mail = office.last_mail_to(PERSON["email"])
    assert words in mail.text
    assert "Agencia de Protección de Datos Personales" in mail.text
    assert "viernes 8 de enero de 2027" in mail.text
    link = mail.text.split("http://localhost")[1].split()[0]
    assert client.get(link).status_code == 200
    assert link.endswith("/datos")
    assert words in owner.get(path).text
    assert owner.post(f"{path}/responder", data=data).status_code == 409
    lines = inside(
        office.app,
        lambda session: [
            (line.action, line.to_state, line.reason, dict(line.data))
            for line in session.scalars(select(JournalEntry))
            if line.object_kind == "privacy_request"
        ],
    )
    right = {"right": "acceso"}
    assert lines == [
        ("privacy.asked", "unverified", None, right),
        ("privacy.confirmed", "open", None, {}),
        ("privacy.answered", "answered", None, {}),
    ]


def test_refusal_goes_out_with_its_reason_and_no_links(
    office: Office, client: FlaskClient, owner: FlaskClient
) -> None:
    asked = office.asked(client, rules.PORTABILITY)
    words = "No tratamos datos suyos con su consentimiento."
    data = {"decision": "no", "text": words}
    owner.post(f"/administrar/datos/solicitudes/{asked.id}/responder", data=data)
    mail = office.last_mail_to(PERSON["email"])
    assert office.request().state == "refused"
    assert mail.subject.startswith("No podemos hacer lo que pide")
    assert words in mail.text
    assert "/atencion/" not in mail.text


def test_term_is_extended_once_with_a_reason_and_never_a_block(
    office: Office, client: FlaskClient, owner: FlaskClient
) -> None:
    asked = office.asked(client, rules.ACCESS)
    path = f"/administrar/datos/solicitudes/{asked.id}/extender"
    assert owner.post(path, data={}).status_code == 422
    reason = {"reason": "Hay que buscar en los respaldos antiguos."}
    assert owner.post(path, data=reason).status_code == 303
    assert office.request().due_on == date(2027, 1, 23)
    mail = office.last_mail_to(PERSON["email"])
    assert "sábado 23 de enero de 2027" in mail.text
    assert reason["reason"] in mail.text
    assert owner.post(path, data=reason).status_code == 422
    block = office.asked(client, rules.BLOCK)
    path = f"/administrar/datos/solicitudes/{block.id}/extender"
    assert owner.post(path, data=reason).status_code == 422
    assert office.request().extended_at is None


def test_owner_is_warned_before_each_term_ends(
    office: Office, client: FlaskClient
) -> None:
    office.asked(client, rules.ACCESS)

    def subjects(day: int, hour: int = 15) -> list[str]:
        office.clock.set(datetime(2026, 12, day, hour, tzinfo=UTC))
        with office.app.app_context():
            requests_service.alert_due(office.clock.now)
            requests_service.alert_due(office.clock.now)
        return [
            each.subject for each in office.mails() if each.to == office.owner_email
        ]

    assert subjects(10) == [
        f"Solicitud sobre datos personales {office.request().number}"
    ]
    number = office.request().number
    assert subjects(17)[1:] == [f"Solicitud {number}: quedan 7 días"]
    assert subjects(20)[2:] == []
    assert subjects(23)[2:] == [f"Solicitud {number}: queda 1 día"]
    # 02:00 UTC of the 25th is still the 24th in Santiago, the last day.
    assert subjects(25, 2)[3:] == []
    assert subjects(25, 4)[3:] == [f"Solicitud {number}: venció hace 1 día"]


def test_request_by_letter_runs_from_its_day(
    office: Office, owner: FlaskClient
) -> None:
    path = "/administrar/datos/solicitudes/nueva"
    data = {"kind": rules.DELETION, "text": "Carta del 20.", **PERSON}
    future = owner.post(path, data={**data, "received": "2026-12-01"})
    assert future.status_code == 422
    assert "hasta hoy" in error_of(future, "received")
    assert owner.post(path, data={**data, "received": "2026-11-20"}).status_code == 303
    assert office.request().due_on == date(2026, 12, 20)
    assert office.request().state == "open"
    assert office.request().number in office.last_mail_to(PERSON["email"]).text


def test_outbox_holds_no_word_of_a_request(
    office: Office, client: FlaskClient, app: Flask
) -> None:
    office.asked(client, rules.ACCESS)
    rows = inside(
        app,
        lambda session: [
            f"{row.kind} {row.key} {row.order_id}"
            for row in session.scalars(select(OutboxRow))
        ],
    )
    assert {"privacy.confirm 1 0", "privacy.received 1 0", "alert.privacy 1 0"} == set(
        rows
    )
