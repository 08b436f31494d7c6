"""What a customer does on the own page: every act over HTTP, without scripts."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import warm_start
from bs4 import BeautifulSoup
from conftest import SECRET_KEY, FrozenClock
from faces import Place, paid
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from support_cases import add_attention, add_order, add_staff, log_in_as, person

from portal.accounts.rules import Person
from portal.config import Settings
from portal.db import db, transaction
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.orders.queries import path_of
from portal.settings import service as settings_service
from portal.settings.queries import load
from portal.support import (
    clock_service,
    customer_queries,
    errand_service,
    handover_service,
    remote_service,
    service,
)
from portal.support.customer_models import AttentionMessage, Rating, RemoteCode
from portal.support.models import Attention, Errand
from portal.terms import service as terms_service

EVENING = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # 19:30 in Santiago: special
SECRET_WORDS = "palabras-que-nadie-mas-lee"
CODE = "987 654 321"


@pytest.fixture
def desk(app: Flask, clock: FrozenClock) -> Person:
    """Ana, and a shop with its numbers and its remote tool."""
    with app.app_context():
        now = clock.now
        warm_start.fill(("stock", now), lambda: terms_service.set_up(now))
        settings_service.change(
            {
                "remote_tool_name": "AnyDesk",
                "remote_tool_url": "https://anydesk.com/es/downloads",
                "special_mobiles": ["+56977777777", "+56966666666"],
                "on_call_special": ["noche@demo.cl", "noche2@demo.cl"],
            },
            actor=SYSTEM,
            now=clock.now,
        )
        with transaction() as session:
            return person(add_staff(session))


class Case:
    """One paid attention, its page and the desk's hand on it."""

    def __init__(self, app: Flask, clock: FrozenClock, by: Person) -> None:
        self.app, self.clock, self.by = app, clock, by
        with app.app_context(), transaction() as session:
            made = add_attention(session, now=clock.now, key=SECRET_KEY)
            self.id, self.order_id = made.id, made.order_id
        with app.app_context():
            order = db.session().get_one(Order, self.order_id)
            self.path = path_of(order, (SECRET_KEY,))

    def desk(self, act, *args: object, **kwargs: object) -> None:
        with self.app.app_context():
            act(self.id, *args, by=self.by, now=self.clock.now, **kwargs)

    def bring_to(self, state: str) -> None:
        self.desk(service.take)
        if state in ("running", "closed"):
            self.desk(service.start)
        if state == "closed":
            self.desk(service.close, "resuelto", "Se arregló")
        if state == "no_show":
            for _ in range(2):
                self.desk(service.contacted)
                self.clock.advance(minutes=2)
            self.desk(handover_service.no_show)

    def row(self) -> Attention:
        session = db.session()
        session.rollback()
        return session.get_one(Attention, self.id)

    def state(self) -> str:
        with self.app.app_context():
            return self.row().state


@pytest.fixture
def case(app: Flask, clock: FrozenClock, desk: Person) -> Case:
    return Case(app, clock, desk)


def text_of(answer) -> str:
    return BeautifulSoup(answer.text, "html.parser").get_text(" ", strip=True)


def post(client: FlaskClient, case: Case, act: str, **data: str):
    return client.post(f"{case.path}/{act}", data=data)


# Place in the queue ----------------------------------------------------


def test_place_and_estimate_come_from_todays_figures(app, clock, desk, client) -> None:
    cases = [Case(app, clock, desk) for _ in range(4)]
    page = client.get(f"{cases[3].path}/lugar").text
    assert "Su lugar en la fila: <strong>4</strong>." in page
    assert "todavía no hay esperas" in page
    for each in cases[:2]:
        clock.advance(minutes=6)
        each.bring_to("running")
    page = text_of(client.get(f"{cases[3].path}/lugar"))
    assert "Su lugar en la fila: 2 ." in page
    assert "cerca de 12 min" in page
    assert "Usted es el siguiente" in text_of(client.get(cases[2].path))


def test_place_is_asked_by_itself_every_15_seconds_and_only_while_waiting(
    case, client
) -> None:
    page = client.get(f"{case.path}/lugar").text
    assert 'hx-trigger="every 15s"' in page
    poll = re.search(r'hx-get="([^"]+)"', page).group(1)
    assert client.get(poll).status_code == 204
    case.bring_to("taken")
    answer = client.get(poll)
    assert answer.status_code == 200
    assert "hx-get" not in answer.text
    assert 'id="lugar"' in answer.text


def test_place_of_an_errand_is_none(app, clock, desk, client) -> None:
    path, _ = errand_page(app, clock)
    assert "Su lugar" not in client.get(f"{path}/lugar").text


# No me contestan -------------------------------------------------------


def test_nobody_answers_turns_the_card_red_and_alerts_once(
    app, clock, desk, client
) -> None:
    clock.set(EVENING)
    case = Case(app, clock, desk)
    with app.app_context(), transaction() as session:
        place = Place(session, SECRET_KEY, clock.now)
        paid(place, session.get_one(Order, case.order_id))
    assert "Desde las 19:35 podrá avisarnos" in text_of(client.get(case.path))
    assert post(client, case, "no-contestan").status_code == 422
    clock.advance(minutes=5)
    assert "No me contestan" in client.get(case.path).text
    for _ in range(3):
        assert post(client, case, "no-contestan").status_code == 303
    with app.app_context():
        assert case.row().no_answer_at == clock.now
        rows = db.session().scalars(
            select(OutboxRow.key).where(OutboxRow.kind == "alert.no_answer")
        )
        assert sorted(rows) == ["0", "1"]
    page = client.get(case.path).text
    assert "Avisamos que no le contestan" in page
    assert 'href="#retracto"' in page
    assert 'id="retracto"' in page
    assert "tel:+56977777777" in page
    assert "No me contestan</span>" not in page


def test_button_appears_by_itself_when_its_time_comes(app, clock, desk, client) -> None:
    clock.set(EVENING)
    case = Case(app, clock, desk)
    poll = re.search(r'hx-get="([^"]+/ahora[^"]+)"', client.get(case.path).text)[1]
    assert client.get(poll).status_code == 204
    clock.advance(minutes=5)
    assert "No me contestan</span>" in client.get(poll).text


def test_nobody_answers_is_refused_in_normal_hours_and_once_attended(
    app, case, clock, client, desk
) -> None:
    clock.advance(minutes=6)
    answer = post(client, case, "no-contestan")
    assert answer.status_code == 422
    assert "le llamamos nosotros" in answer.text
    clock.set(EVENING)
    late = Case(app, clock, desk)
    clock.advance(minutes=6)
    late.bring_to("running")
    assert post(client, late, "no-contestan").status_code == 409


def test_call_of_a_technician_makes_the_page_calm_again(
    app, clock, desk, client
) -> None:
    clock.set(EVENING)
    case = Case(app, clock, desk)
    clock.advance(minutes=5)
    post(client, case, "no-contestan")
    case.desk(service.take)
    case.desk(service.contacted)
    assert "Avisamos que no le contestan" not in client.get(case.path).text
    assert post(client, case, "no-contestan").status_code == 409


# Ya estoy disponible ---------------------------------------------------


def test_no_show_comes_back_at_the_old_place(app, case, clock, client, desk) -> None:
    case.bring_to("no_show")
    later = Case(app, clock, desk)
    assert "Ya estoy disponible" in client.get(case.path).text
    clock.advance(minutes=1)
    for _ in range(2):
        assert post(client, case, "disponible").status_code == 303
    with app.app_context():
        row = case.row()
        assert (row.state, row.technician_id, row.contacted_at) == (
            "waiting",
            None,
            None,
        )
        turn = customer_queries.find_turn(db.session(), row, clock.now)
        assert turn is not None
        assert turn.place == 1
        back = select(JournalEntry).where(JournalEntry.action == "attention.came_back")
        assert len(db.session().scalars(back).all()) == 1
        promised = row.promise_at
        assert promised is not None
        assert clock.now < promised <= later.row().promise_at
    assert "Usted es el siguiente" in text_of(client.get(case.path))


def test_who_is_not_absent_cannot_come_back(case, client) -> None:
    assert post(client, case, "disponible").status_code == 409
    case.bring_to("running")
    assert post(client, case, "disponible").status_code == 409
    assert case.state() == "running"


# Messages --------------------------------------------------------------


def test_message_is_on_the_page_and_on_the_card(app, case, client, enter_desk) -> None:
    answer = post(client, case, "mensaje", message=f" {SECRET_WORDS} <b>\r\n")
    assert answer.status_code == 303
    assert f"{SECRET_WORDS} &lt;b&gt;" in client.get(case.path).text
    assert f"{SECRET_WORDS} &lt;b&gt;" in enter_desk().get("/tablero").text
    post(client, case, "mensaje", message=f"{SECRET_WORDS} <b>")
    with app.app_context():
        assert len(db.session().scalars(select(AttentionMessage)).all()) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "Escriba su mensaje"), (" \n", "Escriba su mensaje"), ("x" * 501, "500")],
)
def test_message_that_will_not_do_is_refused_and_kept(
    app, case, client, text, reason
) -> None:
    answer = post(client, case, "mensaje", message=text)
    assert answer.status_code == 422
    assert reason in answer.text
    assert text.strip() in answer.text
    with app.app_context():
        assert db.session().scalars(select(AttentionMessage)).all() == []


def test_too_many_messages_wait(case, clock, client) -> None:
    codes = [
        post(client, case, "mensaje", message=f"mensaje {n}").status_code
        for n in range(6)
    ]
    assert codes == [303] * 5 + [422]
    clock.advance(minutes=3)
    assert post(client, case, "mensaje", message="otro").status_code == 303


def test_other_customers_messages_are_not_throttled(app, clock, desk, client) -> None:
    one, other = Case(app, clock, desk), Case(app, clock, desk)
    for n in range(6):
        post(client, one, "mensaje", message=f"mensaje {n}")
    assert post(client, other, "mensaje", message="Hola").status_code == 303


def test_closed_attention_takes_no_message(case, client) -> None:
    case.bring_to("closed")
    assert post(client, case, "mensaje", message="Hola").status_code == 409


# Remote access ---------------------------------------------------------


def give(client, case, code: str = CODE, consent: str = "1"):
    return post(client, case, "acceso", code=code, consent=consent)


def stored(app: Flask) -> RemoteCode | None:
    with app.app_context():
        return db.session().scalars(select(RemoteCode)).one_or_none()


def test_code_is_shown_to_staff_only_while_it_is_needed(
    app, case, clock, client, enter_desk
) -> None:
    staff = enter_desk()
    assert give(client, case).status_code == 303
    assert CODE not in staff.get("/tablero").text  # nobody has taken it yet
    case.desk(service.take)
    assert CODE in staff.get("/tablero").text
    case.desk(service.start)
    assert CODE in staff.get("/tablero").text
    case.desk(service.close, "resuelto", "Se arregló")
    assert CODE not in staff.get("/tablero").text
    for page in (case.path, f"{case.path}/datos"):
        assert CODE not in client.get(page).text


def test_code_is_wiped_when_the_closing_can_no_longer_be_undone(
    app, case, clock, client
) -> None:
    give(client, case)
    case.bring_to("closed")
    with app.app_context():
        assert remote_service.wipe_codes(clock.advance(seconds=9)) == 0
    assert stored(app).remote_code is not None
    with app.app_context():
        assert remote_service.wipe_codes(clock.advance(seconds=1)) == 1
        assert remote_service.wipe_codes(clock.advance(seconds=1)) == 0
    assert stored(app).remote_code is None
    assert stored(app).wiped_at is not None


def test_code_outlives_a_closing_that_was_undone(app, case, clock, client) -> None:
    give(client, case)
    case.bring_to("closed")
    clock.advance(seconds=5)
    case.desk(clock_service.undo)
    with app.app_context():
        assert remote_service.wipe_codes(clock.advance(minutes=5)) == 0
    assert stored(app).remote_code is not None


@pytest.mark.parametrize("state", ["no_show", "cancelled"])
def test_code_is_wiped_whatever_ended_the_need(app, case, clock, client, state) -> None:
    give(client, case)
    if state == "no_show":
        case.bring_to("no_show")
    else:
        with app.app_context(), transaction() as session:
            row = session.get_one(Attention, case.id)
            row.state, row.changed_at = "cancelled", clock.now
    with app.app_context():
        assert remote_service.wipe_codes(clock.advance(seconds=10)) == 1


def test_code_lies_sealed_and_in_no_history_mail_or_log(
    app, case, clock, client, settings: Settings, caplog
) -> None:
    give(client, case)
    post(client, case, "mensaje", message=SECRET_WORDS)
    case.bring_to("closed")
    post(client, case, "calificar", stars="4", comment=SECRET_WORDS)
    with app.app_context():
        remote_service.wipe_codes(clock.advance(seconds=20))
        session = db.session()
        for row in session.scalars(select(JournalEntry)):
            said = f"{row.reason} {row.data}"
            assert CODE not in said
            assert SECRET_WORDS not in said
        renderers = app.extensions["mail_renderers"]
        context = RenderContext(session, settings, clock.now, load(session))
        for mail_row in session.scalars(select(OutboxRow)):
            mail = renderers[mail_row.kind](context, mail_row)
            assert mail is None or not {CODE, SECRET_WORDS} & set(mail.text.split())
            assert mail is None or SECRET_WORDS not in f"{mail.text}{mail.html}"
    assert CODE not in caplog.text
    assert SECRET_WORDS not in caplog.text


def test_copy_of_the_database_holds_no_code(app, case, client) -> None:
    give(client, case)
    row = stored(app)
    assert row is not None
    assert row.remote_code is not None
    assert "987" not in row.remote_code


def test_code_needs_the_consent_and_the_notice_stands_beside(case, client) -> None:
    page = client.get(case.path).text
    for words in ("cierre sus archivos", "No se graba nada", "claves de banco"):
        assert words in page
    assert "AnyDesk" in page
    assert "/remoto.svg" in page
    answer = give(client, case, consent="")
    assert answer.status_code == 422
    assert "autorización" in answer.text
    assert CODE not in answer.text


@pytest.mark.parametrize("code", ["", "1", "x" * 61, "12\x003456"])
def test_code_that_will_not_do_is_refused(app, case, client, code) -> None:
    assert give(client, case, code=code).status_code == 422
    assert stored(app) is None


def test_customer_takes_the_code_back(app, case, client) -> None:
    give(client, case)
    for _ in range(2):
        assert post(client, case, "acceso", action="borrar").status_code == 303
    assert stored(app).remote_code is None
    assert give(client, case, code="111 222").status_code == 303
    assert stored(app).remote_code is not None


def test_code_is_not_taken_once_the_attention_is_over(app, case, client) -> None:
    case.bring_to("closed")
    assert give(client, case).status_code == 409
    assert stored(app) is None


def test_short_address_leads_to_the_official_download(client, desk) -> None:
    answer = client.get("/remoto")
    assert (answer.status_code, answer.location) == (
        302,
        "https://anydesk.com/es/downloads",
    )
    drawn = client.get("/remoto.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.text.startswith("<svg")
    assert len(drawn.data) < 8_000


def test_short_address_leads_nowhere_that_is_no_https(app, client, desk, clock) -> None:
    with app.app_context():
        settings_service.change({"remote_tool_url": ""}, actor=SYSTEM, now=clock.now)
    assert client.get("/remoto").status_code == 404


# Rating ----------------------------------------------------------------


def test_closed_attention_is_rated_once(app, case, client) -> None:
    assert post(client, case, "calificar", stars="5").status_code == 409
    case.bring_to("closed")
    assert "¿Cómo le atendimos?" in client.get(case.path).text
    for _ in range(2):
        answer = post(client, case, "calificar", stars="4", comment=" Muy <b>bien ")
        assert answer.status_code == 303
    assert post(client, case, "calificar", stars="1").status_code == 409
    with app.app_context():
        rating = db.session().scalars(select(Rating)).one()
        assert (rating.stars, rating.comment) == (4, "Muy <b>bien")
    page = client.get(case.path).text
    assert "4&nbsp;de&nbsp;5" in page
    assert "¿Cómo le atendimos?" not in page
    assert "Muy &lt;b&gt;bien" in page


@pytest.mark.parametrize("stars", ["", "0", "6", "-1", "cinco", "5.0", "٥"])
def test_rating_is_one_of_five(app, case, client, stars) -> None:
    case.bring_to("closed")
    answer = post(client, case, "calificar", stars=stars, comment="queda escrito")
    assert answer.status_code == 422
    assert "queda escrito" in answer.text
    with app.app_context():
        assert db.session().scalars(select(Rating)).all() == []


# Another attention -----------------------------------------------------


def test_another_attention_is_bought_for_the_same_case(
    app, case, client, clock, enter_desk
) -> None:
    assert post(client, case, "otra").status_code == 409
    case.bring_to("closed")
    answer = post(client, case, "otra")
    token = case.path.rpartition("/")[2]
    assert answer.location == f"/servicios/soporte-online?caso={token}"
    page = BeautifulSoup(client.get(answer.location).text, "html.parser")
    form = page.find("form", id="form")
    assert form.find("input", {"name": "name"})["value"] == "María Soto"
    assert form.find("input", {"name": "caso"})["value"] == token
    assert "Otra atención para su caso N° 1001" in page.get_text(" ")
    data = {
        field["name"]: field.get("value", "")
        for field in form.find_all(
            "input", {"type": ["hidden", "text", "tel", "email"]}
        )
        if field.get("name") and not field["name"].startswith("tax_")
    }
    bought = client.post(
        "/servicios/soporte-online",
        data={
            **data,
            "topic": "error-del-programa",
            "problem": "Sigue sin abrir la caja",
            "windows_bits": "32",
            "document": "boleta",
            "accept_terms": "y",
        },
    )
    assert bought.status_code == 303
    with app.app_context(), transaction() as session:
        order = session.get_one(Order, 2)
        assert order.parent_id == case.order_id
        order.state, order.paid_at = "paid", clock.now
        service.open_for_order(session, order, now=clock.now)
    assert "Continúa el caso N° 1001" in enter_desk().get("/tablero").text


def test_case_link_that_opens_nothing_is_a_plain_form(client, desk, case) -> None:
    for token in ("x", "A" * 22):
        page = client.get(f"/servicios/soporte-online?caso={token}").text
        assert "Otra atención" not in page
        assert 'name="caso"' not in page


def test_link_of_a_case_is_never_kept_by_the_browser(case, client) -> None:
    case.bring_to("closed")
    answer = client.get(post(client, case, "otra").location)
    assert answer.headers["Cache-Control"] == "no-store"


# My data ---------------------------------------------------------------


def test_my_data_are_all_there_and_no_secret_or_note(
    app, case, client, settings: Settings
) -> None:
    post(client, case, "mensaje", message="Mi mensaje")
    give(client, case)
    case.desk(service.take)
    case.desk(service.add_note, "NOTA-INTERNA")
    case.desk(service.start)
    case.desk(service.close, "resuelto", "Se limpió el índice")
    post(client, case, "calificar", stars="5", comment="Excelente")
    page = client.get(f"{case.path}/datos")
    file = client.get(f"{case.path}/datos?formato=json")
    assert file.mimetype == "application/json"
    assert "attachment" in file.headers["Content-Disposition"]
    data = json.loads(file.text)
    assert data["Sus datos"] == [
        {
            "Nombre": "María Soto",
            "Correo": "maria@example.cl",
            "Teléfono": "+56 9 8765 4321",
        }
    ]
    told = BeautifulSoup(page.text, "html.parser").get_text(" ", strip=True)
    token = case.path.rpartition("/")[2]
    for text in ("María Soto", "Mi mensaje", "Se limpió el índice", "Excelente"):
        assert text in told
        assert text in file.text
    for text in ("NOTA-INTERNA", CODE, token):
        assert text not in told
        assert text not in file.text
    assert page.headers["Cache-Control"] == "no-store"
    with app.app_context():
        order = db.session().get_one(Order, case.order_id)
        for secret in (order.link_seed, order.link_hash, order.form_key):
            assert secret not in file.text


# Errands ---------------------------------------------------------------


def errand_page(app: Flask, clock: FrozenClock) -> tuple[str, int]:
    with app.app_context(), transaction() as session:
        order = add_order(
            session,
            now=clock.now,
            key=SECRET_KEY,
            service_slug="reinstalacion",
            service_name="Reinstalación",
        )
        service.open_for_order(session, order, now=clock.now)
        errand = session.scalars(select(Errand)).one()
        return path_of(order, (SECRET_KEY,)), errand.id


def test_page_of_an_errand_shows_its_date_and_what_was_done(
    app, clock, desk, client
) -> None:
    path, errand = errand_page(app, clock)
    page = client.get(path).text
    assert 'hx-trigger="every 30s, resync from:body"' in page
    when = clock.now + timedelta(days=2)
    with app.app_context():
        errand_service.schedule(errand, when, "Con el disco", by=desk, now=clock.now)
    told = text_of(client.get(path))
    assert "jueves 26 de noviembre a las 12:00" in told
    assert "Con el disco" in told
    with app.app_context():
        errand_service.finish(errand, "Quedó instalado", by=desk, now=when)
    page = client.get(path).text
    assert "Quedó instalado" in page
    assert "hx-trigger" not in page
    assert "Quedó instalado" in client.get(f"{path}/datos").text


def test_errand_cancelled_by_the_owner_says_why(app, clock, desk, client) -> None:
    path, errand = errand_page(app, clock)
    owner = Person(desk.id, desk.name, "owner")
    with app.app_context():
        errand_service.call_off(errand, "Sin técnico", by=owner, now=clock.now)
    told = text_of(client.get(path))
    assert "Este servicio se anuló" in told
    assert "Sin técnico" in told


@pytest.mark.parametrize(
    "act", ["no-contestan", "disponible", "mensaje", "acceso", "calificar", "otra"]
)
def test_no_act_of_an_attention_fits_an_errand(app, clock, desk, client, act) -> None:
    path, _ = errand_page(app, clock)
    data = {"message": "x", "code": "123", "consent": "1", "stars": "5"}
    assert client.post(f"{path}/{act}", data=data).status_code in (404, 409)


@pytest.fixture
def enter_desk(app: Flask, desk: Person):
    return lambda: log_in_as(app, desk.id)


def test_customer_service_is_not_reached_before_the_payment(
    app, clock, desk, client
) -> None:
    with app.app_context(), transaction() as session:
        order = add_order(
            session,
            now=clock.now,
            key=SECRET_KEY,
            state="awaiting_payment",
            paid_at=None,
        )
        path = path_of(order, (SECRET_KEY,))
    assert client.post(f"{path}/mensaje", data={"message": "x"}).status_code == 404
