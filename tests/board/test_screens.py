"""Shared screens: paired once, a turn by PIN, throttled, revocable."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from support_cases import add_attention, add_staff, log_in_as, person

from portal.accounts import screens_service
from portal.accounts import service as accounts_service
from portal.accounts.models import Screen
from portal.accounts.rules import Person
from portal.accounts.screen_rules import check_pin
from portal.db import db, transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM, Actor
from portal.mail import service as mail_service
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.support import queries

HTMX = {"HX-Request": "true"}
PIN = "2580"


@pytest.fixture
def people(app: Flask, clock) -> dict[str, Person]:
    with app.app_context():
        with transaction() as session:
            found = {
                name: person(add_staff(session, name, role))
                for name, role in (
                    ("Ana", "technician"),
                    ("Luis", "technician"),
                    ("Rosa", "owner"),
                )
            }
        for name in ("Ana", "Luis"):
            screens_service.set_pin(
                found[name].id, PIN, actor=Actor("staff", 3), now=clock.now
            )
        return found


@pytest.fixture
def attention(app: Flask, clock) -> int:
    with app.app_context(), transaction() as session:
        return add_attention(session, now=clock.now).id


@pytest.fixture
def pair(app: Flask, clock) -> Callable[[], FlaskClient]:
    def make(name: str = "Muro") -> FlaskClient:
        with app.app_context():
            code = screens_service.open_pairing(name, actor=SYSTEM, now=clock.now)
        client = app.test_client()
        answer = client.post("/tablero/emparejar", data={"code": code.lower()})
        assert (answer.status_code, answer.location) == (303, "/tablero")
        return client

    return make


def enter(screen: FlaskClient, who: Person, pin: str = PIN):
    return screen.post("/tablero/turno", data={"staff_id": str(who.id), "pin": pin})


def poll(client: FlaskClient, page: str):
    found = re.search(r'hx-get="(/tablero/tarjetas\?v=[^"]+)"', page)
    return client.get(found.group(1), headers=HTMX)


def rows(app: Flask, column):
    with app.app_context():
        return list(db.session.scalars(select(column).order_by(column)))


def test_owner_makes_a_code_that_pairs_one_device(app, people, client) -> None:
    owner = log_in_as(app, people["Rosa"].id)
    page = owner.post("/administrar/pantallas", data={"name": "Muro"}).text
    code = re.search(r"Código: (\w{4}-\w{4})", page).group(1)
    assert client.get("/tablero").location.startswith("/ingresar")
    answer = client.post("/tablero/emparejar", data={"code": code})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    board = client.get("/tablero")
    assert board.status_code == 200
    assert "¿Quién es?" in board.text
    other = app.test_client().post("/tablero/emparejar", data={"code": code})
    assert other.status_code == 422
    assert code not in owner.get("/administrar/pantallas").text
    assert "Muro" in owner.get("/administrar/pantallas").text


def test_database_keeps_neither_code_nor_key(app, pair, clock) -> None:
    screen = pair()
    key = screen.get_cookie("pantalla").value
    with app.app_context():
        code = screens_service.open_pairing("Dos", actor=SYSTEM, now=clock.now)
        row = [repr(vars(each)) for each in db.session.scalars(select(Screen))]
    assert key not in "".join(row)
    assert code not in "".join(row)


def test_code_is_worth_nothing_after_ten_minutes(app, clock, client) -> None:
    with app.app_context():
        code = screens_service.open_pairing("Muro", actor=SYSTEM, now=clock.now)
    clock.advance(minutes=10)
    assert client.post("/tablero/emparejar", data={"code": code}).status_code == 422


def test_guessing_codes_is_throttled(client) -> None:
    answers = [
        client.post("/tablero/emparejar", data={"code": f"AAAA{n:04}"}).status_code
        for n in range(12)
    ]
    assert answers == [422] * 10 + [429] * 2


def test_paired_screen_shows_the_board_and_no_act(app, pair, people, attention) -> None:
    screen = pair()
    page = screen.get("/tablero").text
    assert f'id="atencion-{attention}"' in page
    assert f"/tablero/{attention}/tomar" not in page
    answer = screen.post(f"/tablero/{attention}/tomar")
    assert (answer.status_code, answer.location) == (303, "/tablero")
    with app.app_context():
        assert queries.get(db.session(), attention).state == "waiting"
    htmx = screen.post(f"/tablero/{attention}/tomar", headers=HTMX)
    assert (htmx.status_code, htmx.headers["HX-Redirect"]) == (401, "/tablero")


def test_turn_makes_acts_one_tap_and_the_history_names_the_technician(
    app, pair, people, attention
) -> None:
    screen = pair()
    assert enter(screen, people["Ana"]).status_code == 303
    page = screen.get("/tablero").text
    assert 'class="turn turn--open"' in page
    assert "<bdi>Ana</bdi>" in page
    assert screen.post(f"/tablero/{attention}/tomar").status_code == 303
    with app.app_context():
        assert queries.get(db.session(), attention).technician_id == people["Ana"].id
        line = db.session.scalars(
            select(JournalEntry).where(JournalEntry.action == "attention.taken")
        ).one()
        assert (line.actor_kind, line.actor_id) == ("staff", people["Ana"].id)


def test_turn_lasts_three_minutes_from_its_last_act(
    app, pair, people, attention, clock
) -> None:
    screen = pair()
    enter(screen, people["Ana"])
    clock.advance(minutes=2, seconds=59)
    assert screen.post(f"/tablero/{attention}/tomar").location != "/tablero"
    clock.advance(minutes=2, seconds=59)
    page = screen.get("/tablero").text
    assert "turn--open" in page
    assert poll(screen, page).status_code == 204
    clock.advance(seconds=1)
    after = poll(screen, page)
    assert after.status_code == 200
    assert "¿Quién es?" in after.text
    assert screen.post(f"/tablero/{attention}/iniciar").location == "/tablero"


def test_leaving_ends_the_turn_and_the_next_one_is_another(
    app, pair, people, attention
) -> None:
    screen = pair()
    enter(screen, people["Ana"])
    screen.post("/tablero/turno/salir")
    assert "¿Quién es?" in screen.get("/tablero").text
    enter(screen, people["Luis"])
    screen.post(f"/tablero/{attention}/tomar")
    with app.app_context():
        assert queries.get(db.session(), attention).technician_id == people["Luis"].id


def test_two_screens_have_turns_of_their_own(pair, people) -> None:
    one, two = pair("Uno"), pair("Dos")
    enter(one, people["Ana"])
    assert "turn--open" in one.get("/tablero").text
    assert "turn--open" not in two.get("/tablero").text


def test_disabled_technician_loses_the_turn(app, pair, people, clock) -> None:
    screen = pair()
    enter(screen, people["Ana"])
    with app.app_context():
        accounts_service.disable(people["Ana"].id, actor=SYSTEM, now=clock.now)
    page = screen.get("/tablero").text
    assert "turn--open" not in page
    assert "Luis" in page
    assert enter(screen, people["Ana"]).status_code == 422


def test_revoked_screen_leaves_the_board_at_its_next_poll(
    app, pair, people, clock
) -> None:
    screen = pair()
    enter(screen, people["Ana"])
    page = screen.get("/tablero").text
    with app.app_context():
        number = db.session.scalars(select(Screen.id)).one()
        screens_service.revoke(number, actor=SYSTEM, now=clock.now)
    answer = poll(screen, page)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/ingresar")
    assert screen.get("/tablero").location.startswith("/ingresar")
    assert enter(screen, people["Ana"]).location == "/tablero"


def test_turn_is_no_owners_door(pair, people) -> None:
    screen = pair()
    assert enter(screen, people["Rosa"]).status_code == 422
    enter(screen, people["Ana"])
    assert screen.get("/administrar/pantallas").status_code == 403


def test_five_wrong_pins_let_the_screen_wait_and_the_owner_see_it(
    app, pair, people, clock, settings
) -> None:
    screen, other = pair("Muro"), pair("Otra")
    for _ in range(5):
        assert enter(screen, people["Ana"], "9999").status_code == 422
    refused = enter(screen, people["Ana"])
    assert refused.status_code == 429
    assert "12:01" in refused.text
    assert "espere hasta las" in screen.get("/tablero").text
    assert enter(other, people["Ana"]).status_code == 303
    clock.advance(seconds=59)
    assert enter(screen, people["Ana"]).status_code == 429
    page = screen.get("/tablero").text
    assert poll(screen, page).status_code == 204
    clock.advance(seconds=1)
    assert "¿Quién es?" in poll(screen, page).text
    assert enter(screen, people["Ana"]).status_code == 303
    assert rows(app, JournalEntry.action).count("screen.wrong_pins") == 1
    with app.app_context():
        assert db.session.scalars(select(OutboxRow.kind)).all() == ["alert.pins"]
        mail_service.send_due(app.extensions["mail_renderers"], settings, now=clock.now)
    (mail,) = list_files(settings.mail_dir)
    assert "Muro" in mail.text
    assert mail.to.startswith("rosa")


def test_right_pin_forgets_the_wrong_ones(pair, people) -> None:
    screen = pair()
    for _ in range(3):
        for _ in range(4):
            assert enter(screen, people["Ana"], "9999").status_code == 422
        assert enter(screen, people["Ana"]).status_code == 303


def test_tries_at_once_gain_nothing(app, pair, people, clock) -> None:
    pair()
    with app.app_context():
        number = db.session.scalars(select(Screen.id)).one()
    tried: list[str] = []

    def guess() -> None:
        with app.app_context():
            try:
                screens_service.open_turn(
                    number, people["Ana"].id, "9999", now=clock.now
                )
                tried.append("read")
            except screens_service.ScreenWaitsError:
                tried.append("refused")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried) == 12
    assert tried.count("read") == 5


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "١٢٣٤", "1111", "4321"])
def test_pin_that_will_not_do_is_refused(app, people, pin, clock) -> None:
    with app.app_context(), pytest.raises(RefusedError):
        screens_service.set_pin(people["Ana"].id, pin, actor=SYSTEM, now=clock.now)


def test_pin_that_will_do() -> None:
    assert check_pin("2580") == "2580"
    assert check_pin("908172") == "908172"


@pytest.mark.parametrize("who", ["", "x", "-1", "9" * 30, "0"])
@pytest.mark.parametrize("pin", ["", "\x00", "9" * 5_000])
def test_nonsense_opens_no_turn(pair, people, who, pin) -> None:
    answer = pair().post("/tablero/turno", data={"staff_id": who, "pin": pin})
    assert answer.status_code == 422


def test_screen_polls_in_two_queries_and_then_in_none(
    app, pair, people, attention, clock
) -> None:
    screen = pair()
    page = screen.get("/tablero").text
    seen: list[str] = []
    with app.app_context():
        event.listen(
            db.engine,
            "before_cursor_execute",
            lambda _c, _k, statement, *_: seen.append(statement),
        )
    for asked in (2, 0, 0):
        seen.clear()
        clock.advance(seconds=1)
        assert poll(screen, page).status_code == 204
        assert len([each for each in seen if each.startswith("SELECT")]) == asked


def test_screens_forms_hold_for_days(app, pair, people, attention, clock) -> None:
    """The cookie of the forms' token is written anew with each answer that has news."""
    screen = pair()
    page = screen.get("/tablero").text
    for _ in range(8):
        clock.now += timedelta(hours=6)
        answer = poll(screen, page)
        page = answer.text if answer.status_code == 200 else page
        assert "Max-Age" in answer.headers.get("Set-Cookie", "") or "Expires" in (
            answer.headers.get("Set-Cookie", "")
        )
