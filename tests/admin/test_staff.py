"""The staff: added, renamed, disabled at once, new passwords shown once."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of
from shop_forms import stock
from sqlalchemy import select
from support_cases import add_staff, log_in_as

from portal.accounts.models import Staff
from portal.accounts.team_service import new_password
from portal.db import transaction
from portal.journal.models import JournalEntry

PATH = "/administrar/equipo"


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


@pytest.fixture
def technician(app: Flask) -> int:
    with app.app_context(), transaction() as session:
        return add_staff(session, "Ana").id


def shown_password(answer) -> str:  # type: ignore[no-untyped-def]
    code = read(answer).select_one("#clave code")
    assert code is not None
    return code.get_text(strip=True)


def can_log_in(app: Flask, email: str, password: str) -> bool:
    form = {"email": email, "password": password}
    return app.test_client().post("/ingresar", data=form).status_code == 303


def actions(app: Flask) -> list[tuple[str, int | None]]:
    rows = (
        select(JournalEntry.action, JournalEntry.actor_id)
        .where(JournalEntry.object_kind == "staff", JournalEntry.actor_kind == "staff")
        .order_by(JournalEntry.id)
    )
    return inside(app, lambda session: [tuple(row) for row in session.execute(rows)])


def test_new_account_gets_a_password_that_is_shown_once(
    app: Flask, owner: FlaskClient
) -> None:
    answer = send(owner, PATH, name="Beto", email="Beto@X.cl", role="technician")
    assert answer.status_code == 200
    password = shown_password(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert password not in owner.get(PATH).text
    assert can_log_in(app, "beto@x.cl", password)
    assert actions(app)[0] == ("staff.added", 1)
    again = send(owner, PATH, name="Otro", email="beto@x.cl", role="technician")
    assert again.status_code == 422
    assert "Ya hay una cuenta" in error_of(again, "email")


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("name", "", "Escriba el nombre"),
        ("name", "x" * 81, "80"),
        ("email", "nadie", "correo"),
        ("role", "admin", "técnico o dueña"),
    ],
)
def test_wrong_account_is_refused(
    owner: FlaskClient, name: str, typed: str, words: str
) -> None:
    good = {"name": "Beto", "email": "beto@x.cl", "role": "technician"}
    answer = send(owner, PATH, **{**good, name: typed})
    assert answer.status_code == 422
    assert words in error_of(answer, name)


def test_disabled_account_is_out_at_the_next_request_and_can_come_back(
    app: Flask, owner: FlaskClient, technician: int
) -> None:
    theirs = log_in_as(app, technician)
    assert theirs.get("/tablero").status_code == 200
    assert owner.post(f"{PATH}/{technician}/desactivar").status_code == 303
    assert theirs.get("/tablero").status_code == 303
    assert "Desactivada" in text_of(owner.get(PATH))
    assert owner.post(f"{PATH}/{technician}/activar").status_code == 303
    assert theirs.get("/tablero").status_code == 303
    assert [name for name, _ in actions(app)] == ["staff.disabled", "staff.enabled"]


def test_new_password_ends_every_session_and_the_old_one(
    app: Flask, owner: FlaskClient
) -> None:
    first = shown_password(
        send(owner, PATH, name="Beto", email="beto@x.cl", role="technician")
    )
    number = inside(
        app,
        lambda session: session.scalar(
            select(Staff.id).where(Staff.email == "beto@x.cl")
        ),
    )
    theirs = log_in_as(app, number or 0)
    second = shown_password(owner.post(f"{PATH}/{number}/clave"))
    assert theirs.get("/tablero").status_code == 303
    assert not can_log_in(app, "beto@x.cl", first)
    assert can_log_in(app, "beto@x.cl", second)


def test_nobody_locks_the_owner_out(app: Flask, owner: FlaskClient) -> None:
    mine = owner.post(f"{PATH}/1/desactivar")
    assert mine.status_code == 422
    assert "su propia cuenta" in text_of(mine)
    with app.app_context(), transaction() as session:
        other = add_staff(session, "Otra", "owner").id
    assert owner.post(f"{PATH}/{other}/desactivar").status_code == 303
    assert owner.get("/administrar").status_code == 200


def test_name_changes(app: Flask, owner: FlaskClient, technician: int) -> None:
    path = f"{PATH}/{technician}/nombre"
    assert owner.post(path, data={"new_name": " Ana María "}).status_code == 303
    assert "Ana María" in text_of(owner.get(PATH))
    answer = owner.post(path, data={"new_name": ""})
    assert answer.status_code == 422
    assert "Escriba el nombre" in text_of(answer)
    for act in ("nombre", "clave", "activar", "desactivar"):
        assert owner.post(f"{PATH}/999/{act}").status_code == 404


def test_passwords_are_random_and_easy_to_read_aloud() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 19 for password in made)
    assert not set("".join(made)) & set("01ilo")
