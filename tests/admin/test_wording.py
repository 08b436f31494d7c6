"""The owner writes the terms anew: a draft that binds nobody, then a version."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select

from portal.journal.models import JournalEntry
from portal.terms import queries

PATH = "/administrar/terminos/borrador"
PUBLISH, DROP = f"{PATH}/publicar", f"{PATH}/descartar"
OWN = "En nuestra empresa le llamaremos dentro de"


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def body_of(owner: FlaskClient, path: str = PATH) -> str:
    return str(values_of(read(owner.get(path)), PATH)["body"]).replace("\r\n", "\n")


def write(owner: FlaskClient) -> str:
    """Save a draft with words of one's own; the whole of it."""
    mine = body_of(owner).replace("le llamaremos dentro de", OWN)
    assert send(owner, PATH, PATH, body=mine).status_code == 303
    return mine


@pytest.mark.postgres
def test_draft_binds_nobody_until_it_is_published_and_numbers_follow_it(
    app: Flask, owner: FlaskClient, client: FlaskClient
) -> None:
    write(owner)
    page = read(owner.get(PATH))
    (added,) = page.select(".diff ins")
    assert OWN in added.text
    assert "Seguir con el borrador" in text_of(owner.get("/administrar/terminos"))
    assert OWN not in client.get("/terminos").text
    assert inside(app, queries.current_number) == 1
    assert send(owner, PATH, PUBLISH).status_code == 303
    assert OWN in client.get("/terminos").text
    assert OWN not in client.get("/terminos/1").text
    assert OWN in body_of(owner)
    # A number that it quotes publishes the next version, in the owner's words.
    limits = "/administrar/ajustes/plazos"
    assert send(owner, limits, promise_minutes="25").status_code == 303
    assert inside(app, queries.current_number) == 3
    assert f"{OWN} 25 minutos" in client.get("/terminos").text
    lines = inside(
        app,
        lambda session: session.scalars(
            select(JournalEntry.action)
            .where(JournalEntry.object_kind.in_(("terms_wording", "terms_version")))
            .order_by(JournalEntry.id)
        ).all(),
    )
    assert lines == [
        "terms.published",
        "terms.draft_saved",
        "terms.wording_changed",
        "terms.published",
        "terms.published",
    ]


def test_draft_is_given_up_and_the_programs_text_is_offered_again(
    owner: FlaskClient, client: FlaskClient
) -> None:
    write(owner)
    assert send(owner, PATH, DROP).status_code == 303
    assert OWN not in body_of(owner)
    assert send(owner, PATH, PATH, body=body_of(owner)).status_code == 303
    assert "Dice lo mismo que la versión que rige" in text_of(owner.get(PATH))
    write(owner)
    send(owner, PATH, PUBLISH)
    assert OWN not in body_of(owner, f"{PATH}?texto=original")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: body.replace("{promesa}", "10 minutos"), "Falta la marca {prom"),
        (lambda body: f"{body}\n{{nada}}", "No existe la marca {nada}"),
        (lambda body: body + "a" * 30_000, "a lo más 30000"),
        (lambda body: " ", "Escriba el texto."),
    ],
)
def test_refused_draft_says_why_and_keeps_what_was_typed(
    owner: FlaskClient, change: object, words: str
) -> None:
    typed = change(body_of(owner))  # type: ignore[operator]
    answer = send(owner, PATH, PATH, body=typed)
    assert answer.status_code == 422
    assert words in error_of(answer, "body")
    area = read(answer).select_one("#body")
    assert area is not None
    assert area.text.strip()[:200] == typed.strip()[:200]
    assert PUBLISH not in answer.text


def test_second_of_two_owners_is_told_and_loses_nothing(owner: FlaskClient) -> None:
    early = values_of(read(owner.get(PATH)), PATH)
    mine = write(owner)
    shown = values_of(read(owner.get(PATH)), PUBLISH)
    late = owner.post(PATH, data={**early, "body": f"{early['body']}\nOtra cosa."})
    assert late.status_code == 409
    assert "Otra persona cambió el borrador" in text_of(late)
    assert "Otra cosa." in late.text
    assert body_of(owner).split() == mine.split()
    again = values_of(read(late), PATH)
    assert owner.post(PATH, data=again).status_code == 303
    assert owner.post(PUBLISH, data=shown).status_code == 409
    assert owner.post(DROP, data={**shown, "seen": "x"}).status_code == 409
