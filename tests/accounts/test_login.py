"""Logging in and out, by the form, and what ends a session."""

import functools
import sqlite3
import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from warm_start import PRODUCTION_METHOD
from werkzeug.security import generate_password_hash

from portal import clock as portal_clock
from portal.accounts import rules, screens_service, service
from portal.accounts.models import Staff, StaffSession
from portal.db import reading, transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.settings.queries import load as load_business
from portal.web import settings_of

PASSWORD = "una-clave-larga"
WRONG = "El correo o la contraseña no coinciden."


@pytest.fixture
def ana(app) -> int:
    with app.app_context():
        now = portal_clock.utcnow()
        return service.add_user(
            "ana@demo.cl", "Ana", "technician", PASSWORD, now=now
        ).id


def log_in(client, email="ana@demo.cl", password=PASSWORD, **values):
    data = {"email": email, "password": password, **values}
    return client.post("/ingresar", data=data)


def test_log_in_leads_to_the_board(client, ana) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer.location) == (303, "/tablero")
    assert client.get("/ingresar").location == "/tablero"


def test_log_in_of_the_owner_leads_to_the_owners_page(app, client) -> None:
    with app.app_context():
        now = portal_clock.utcnow()
        service.add_user("eva@demo.cl", "Eva", "owner", PASSWORD, now=now)
    answer = log_in(client, email="eva@demo.cl")
    assert (answer.status_code, answer.location) == (303, "/administrar")
    assert client.get("/ingresar").location == "/administrar"
    assert 'href="/administrar"' in client.get("/tablero").text


def test_log_in_leads_back_to_where_one_wanted_to_go(client, ana) -> None:
    form = client.get("/ingresar?next=/informes/2026-11").text
    assert 'name="next" value="/informes/2026-11"' in form
    answer = log_in(client, next="/informes/2026-11")
    assert answer.location == "/informes/2026-11"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil", "https:evil", "\t/x"])
def test_log_in_leads_nowhere_else(client, ana, target) -> None:
    assert log_in(client, next=target).location == "/tablero"


def test_address_may_be_written_in_any_case(client, ana) -> None:
    assert log_in(client, email=" ANA@Demo.cl ").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@demo.cl", "otra-clave-larga"),
        ("nadie@demo.cl", PASSWORD),
        ("a\x00b", PASSWORD),
        ("ana@demo.cl", "\x00"),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ],
)
def test_wrong_and_unknown_get_the_same_answer(client, ana, email, password) -> None:
    answer = log_in(client, email=email, password=password)
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert password not in answer.text or password == "\x00"


def test_disabled_account_gets_the_same_answer(app, client, ana) -> None:
    with app.app_context():
        service.disable(ana, actor=SYSTEM, now=portal_clock.utcnow())
    answer = log_in(client)
    assert (answer.status_code, WRONG in answer.text) == (422, True)


@pytest.mark.parametrize("missing", ["email", "password"])
def test_empty_field_is_named(client, ana, missing) -> None:
    answer = log_in(client, **{missing: ""})
    assert answer.status_code == 422
    assert f'id="{missing}-error"' in answer.text


def test_production_hashes_passwords_and_pins_with_much_work() -> None:
    """About 50 ms and 32 MB a guess; the other tests hash with the same, lightly."""
    assert PRODUCTION_METHOD == "scrypt:32768:8:3"
    assert service.METHOD == screens_service.METHOD != PRODUCTION_METHOD


def test_unknown_address_costs_the_time_of_a_known_one(app, ana, monkeypatch) -> None:
    monkeypatch.setattr(service, "METHOD", service.METHOD.replace("1024", "16384"))
    decoy = functools.cache(service._decoy.__wrapped__)
    monkeypatch.setattr(service, "_decoy", decoy)
    with app.app_context():
        now = portal_clock.utcnow()
        service.set_password(ana, PASSWORD, actor=SYSTEM, now=now)
        times: dict[str, list[float]] = {"ana@demo.cl": [], "nadie@demo.cl": []}
        for _ in range(9):
            for email, spent in times.items():
                began = time.thread_time()  # work, whatever else the machine does
                service.log_in(email, "equivocada", now=now)
                spent.append(time.thread_time() - began)
    known, unknown = (statistics.median(spent) for spent in times.values())
    assert 0.5 < known / unknown < 2


def test_log_out_makes_every_copy_of_the_cookie_worthless(app, client, ana) -> None:
    log_in(client)
    stolen = client.get_cookie("portal").value
    assert client.post("/salir").location == "/ingresar"
    thief = app.test_client()
    thief.set_cookie("portal", stolen)
    assert thief.get("/ingresar").status_code == 200


def test_log_out_on_one_device_leaves_the_others(app, client, ana) -> None:
    wall = app.test_client()
    log_in(client)
    log_in(wall)
    client.post("/salir")
    assert wall.get("/ingresar").status_code == 303


@pytest.mark.parametrize("end", ["disable", "set_password"])
def test_account_that_ends_or_changes_is_out_at_the_next_request(
    app, client, ana, end
) -> None:
    log_in(client)
    with app.app_context():
        now = portal_clock.utcnow()
        if end == "disable":
            service.disable(ana, actor=SYSTEM, now=now)
        else:
            service.set_password(ana, "otra-clave-larga", actor=SYSTEM, now=now)
    assert client.get("/ingresar").status_code == 200


def test_session_ends_after_its_life(client, ana, clock) -> None:
    log_in(client)
    clock.advance(days=rules.SESSION_LIFE.days)
    assert client.get("/ingresar").status_code == 200


def test_log_in_begins_a_new_session(client, ana) -> None:
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    log_in(client)
    with client.session_transaction() as after:
        assert "planted" not in after


def test_database_holds_no_key_that_opens_a_session(client, app, ana, settings) -> None:
    log_in(client)
    with client.session_transaction() as cookie:
        key = cookie["_user_id"]
    path = settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as copy:
        dump = "\n".join(copy.iterdump())
    copy.close()
    assert key not in dump
    assert PASSWORD not in dump


def test_old_hash_is_renewed_at_log_in(app, client, ana) -> None:
    with app.app_context(), transaction() as session:
        staff = session.get(Staff, ana)
        staff.password_hash = generate_password_hash(PASSWORD, "scrypt:512:8:1")
    assert log_in(client).status_code == 303
    with app.app_context(), transaction() as session:
        assert session.get(Staff, ana).password_hash.startswith(f"{service.METHOD}$")


def test_ninth_wrong_try_has_to_wait_and_then_may_again(client, ana, clock) -> None:
    for _ in range(8):
        assert log_in(client, password="equivocada").status_code == 422
    assert log_in(client).status_code == 429
    assert log_in(client, email="otra@demo.cl").status_code == 422


def test_right_log_ins_are_never_counted(app, ana) -> None:
    for _ in range(12):
        assert log_in(app.test_client()).status_code == 303


def test_stranger_elsewhere_does_not_lock_the_account(app, ana) -> None:
    for _ in range(9):
        app.test_client().post(
            "/ingresar",
            data={"email": "ana@demo.cl", "password": "equivocada"},
            environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
        )
    assert log_in(app.test_client()).status_code == 303


def test_account_is_one_per_address(app, ana) -> None:
    now = portal_clock.utcnow()
    with app.app_context(), pytest.raises(RefusedError, match="Ya hay una cuenta"):
        service.add_user("ANA@demo.cl", "Otra", "owner", PASSWORD, now=now)


@pytest.mark.parametrize(
    ("email", "name", "role", "password"),
    [
        ("x", "Ana", "owner", PASSWORD),
        ("x@y.cl", "", "owner", PASSWORD),
        ("x@y.cl", "Ana", "boss", PASSWORD),
        ("x@y.cl", "Ana", "owner", "corta"),
    ],
)
def test_malformed_account_is_refused(session, email, name, role, password) -> None:
    with pytest.raises(RefusedError):
        service.add_user(email, name, role, password, now=portal_clock.utcnow())
    assert session.scalars(select(Staff)).all() == []


@pytest.mark.postgres
def test_accounts_leave_their_history(session, clock) -> None:
    now = portal_clock.utcnow()
    staff = service.add_user("ana@demo.cl", "Ana", "owner", PASSWORD, now=now)
    number = staff.id
    key = service.log_in("ana@demo.cl", PASSWORD, now=now)
    assert key is not None
    service.log_out(key, now=now)
    service.disable(number, actor=SYSTEM, now=now)
    service.disable(number, actor=SYSTEM, now=now)
    lines = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [line.action for line in lines] == [
        "staff.added",
        "staff.logged_in",
        "staff.logged_out",
        "staff.disabled",
    ]
    assert "ana@" not in repr([line.data for line in lines])


def test_ended_sessions_do_not_pile_up(session, clock) -> None:
    now = portal_clock.utcnow()
    service.add_user("ana@demo.cl", "Ana", "owner", PASSWORD, now=now)
    for month in range(3):
        later = now + timedelta(days=31 * month)
        service.log_in("ana@demo.cl", PASSWORD, now=later)
    assert len(session.scalars(select(StaffSession)).all()) == 1


NEW = "tetera verde cordillera"


def test_staff_change_their_own_password(app, client, ana, clock) -> None:
    """Asked for the present one, twice the new; other devices are out, and a mail."""
    thief = app.test_client()
    log_in(client)
    log_in(thief)
    stolen = client.get_cookie("portal").value
    assert "con sesión en 2 dispositivos" in client.get("/mi-cuenta").text
    good = {"present": PASSWORD, "fresh": NEW, "repeated": NEW}
    weak = "es fácil de adivinar"
    for changed, field, said in (
        ({"present": ""}, "present", "Escriba su contraseña actual."),
        ({"present": "una-clave-largo"}, "present", "Esa no es su contraseña actual."),
        ({"repeated": "otra"}, "repeated", "No es igual a la de arriba."),
        ({"fresh": "corta", "repeated": "corta"}, "fresh", "al menos 10 caracteres"),
        ({"fresh": "x" * 201, "repeated": "x" * 201}, "fresh", "a lo más 200"),
        ({"fresh": PASSWORD, "repeated": PASSWORD}, "fresh", "igual a la actual"),
        *(
            ({"fresh": each, "repeated": each}, "fresh", weak)
            for each in ("1234567890", "qwertyuiop", "itplusnet2026", "ana@demo.cl")
        ),
    ):
        answer = client.post("/mi-cuenta", data={**good, **changed})
        assert answer.status_code == 422, changed
        shown = answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
        assert said in shown, (changed, answer.text)
        assert PASSWORD not in answer.text
    answer = client.post("/mi-cuenta", data=good)
    assert (answer.status_code, answer.location) == (303, "/mi-cuenta")
    page = client.get("/mi-cuenta").text
    assert "Su contraseña cambió." in page
    assert "con sesión solo en este dispositivo" in page
    copy = app.test_client()
    copy.set_cookie("portal", stolen)
    for out in (thief, copy):
        assert out.get("/mi-cuenta").location == "/ingresar?next=/mi-cuenta"
    assert log_in(app.test_client()).status_code == 422
    assert log_in(app.test_client(), password=NEW).status_code == 303
    with app.app_context(), reading() as session:
        actions = session.scalars(select(JournalEntry.action)).all()
        assert actions.count("staff.password_changed") == 1
        (row,) = session.scalars(select(OutboxRow)).all()
        business = load_business(session)
        context = RenderContext(session, settings_of(app), clock.now, business)
        mail = app.extensions["mail_renderers"][row.kind](context, row)
        told = mail.text + row.key
    assert mail.to == "ana@demo.cl"
    assert "se cambió a las 12:00" in mail.text
    assert NEW not in told


def test_guesses_at_the_present_password_are_counted(client, ana, clock) -> None:
    log_in(client)
    form = {"present": "equivocada", "fresh": NEW, "repeated": NEW}
    for _ in range(20):
        client.post("/mi-cuenta", data={**form, "repeated": "otra"})  # no guess
        assert client.post("/mi-cuenta", data=form).status_code == 422
    right = {**form, "present": PASSWORD}
    assert client.post("/mi-cuenta", data=right).status_code == 429
    clock.advance(hours=1, seconds=1)
    assert client.post("/mi-cuenta", data=right).status_code == 303


def test_change_loses_against_another_that_was_faster(app, ana, monkeypatch) -> None:
    """The present password was checked; meanwhile the owner gave a new one."""
    now, check = portal_clock.utcnow(), service.check_chosen

    def meanwhile(*given):
        service.set_password(ana, "de-la-duena-nueva", actor=SYSTEM, now=now)
        return check(*given)

    monkeypatch.setattr(service, "check_chosen", meanwhile)
    with app.app_context():
        with pytest.raises(service.WrongPasswordError):
            service.change_own_password(ana, PASSWORD, NEW, now=now)
        assert service.log_in("ana@demo.cl", "de-la-duena-nueva", now=now)
