"""Prices and topics: refused in words, published, told to the second owner."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select

from portal.catalog import queries
from portal.catalog.models import Topic
from portal.journal.models import JournalEntry
from portal.terms import queries as terms_queries

PRICES, TOPICS = "/administrar/precios", "/administrar/temas"
SUPPORT, OTHER = f"{PRICES}/soporte-online", f"{PRICES}/reinstalacion"
NORMAL, SPECIAL = "soporte-online-price_normal", "soporte-online-price_special"


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def price(app: Flask, slug: str) -> tuple[int, int | None]:
    service = inside(app, lambda session: queries.find_service(session, slug))
    assert service
    return service.price_normal, service.price_special


def history(app: Flask, action: str) -> list[JournalEntry]:
    rows = select(JournalEntry).where(JournalEntry.action == action)
    return inside(app, lambda session: list(session.scalars(rows)))


def test_price_changes_at_once_with_the_terms_that_quote_it(
    app: Flask, owner: FlaskClient, client: FlaskClient
) -> None:
    assert "publica la versión 2" in text_of(owner.get(PRICES))
    answer = send(owner, PRICES, SUPPORT, **{NORMAL: "$21.500", SPECIAL: "31500"})
    assert answer.status_code == 303
    assert price(app, "soporte-online") == (21_500, 31_500)
    assert "publicada la versión 2" in text_of(owner.get(PRICES))
    assert "$21.500" in client.get("/").text
    assert "$21.500" in client.get("/terminos/2").text
    assert "$21.500" not in client.get("/terminos/1").text


def test_confirming_a_price_publishes_nothing_and_is_remembered(
    app: Flask, owner: FlaskClient
) -> None:
    count = text_of(owner.get(PRICES)).count("falta confirmarlo")
    assert count == 4
    assert send(owner, PRICES, OTHER).status_code == 303
    page = text_of(owner.get(PRICES))
    assert "precio confirmado" in page
    assert page.count("falta confirmarlo") == 3
    assert inside(app, terms_queries.current_number) == 1
    (line,) = history(app, "service.priced")
    assert (line.actor_kind, line.actor_id) == ("staff", 1)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", "mayor que cero"),
        ("-19990", "negativo"),
        ("19990,50", "sin decimales"),
        ("199.9", "sin decimales"),
        ("999999999", "$100.000.000"),
        ("99999999999999", "$100.000.000"),
        ("1e6", "solo con números"),
        ("veinte mil", "solo con números"),
        ("٣٠٠٠", "solo con números"),
        ("", "Escriba el precio"),
        ("1" * 21, "20 caracteres"),
    ],
)
def test_what_is_no_price_is_refused_in_words(
    app: Flask, owner: FlaskClient, typed: str, words: str
) -> None:
    before = price(app, "soporte-online")
    answer = send(owner, PRICES, SUPPORT, **{SPECIAL: typed})
    assert answer.status_code == 422
    assert words in error_of(answer, SPECIAL)
    assert values_of(read(answer), SUPPORT)[SPECIAL] == typed
    assert price(app, "soporte-online") == before


def test_second_owner_sees_the_other_price_before_writing_over_it(
    app: Flask, owner: FlaskClient
) -> None:
    old = values_of(read(owner.get(PRICES)), SUPPORT)
    send(owner, PRICES, SUPPORT, **{NORMAL: "21500"})
    answer = owner.post(SUPPORT, data={**old, NORMAL: "22500"})
    assert answer.status_code == 409
    assert "Ahora vale $21.500" in text_of(answer)
    assert price(app, "soporte-online")[0] == 21_500
    again = values_of(read(answer), SUPPORT)
    assert again[NORMAL] == "22500"
    assert owner.post(SUPPORT, data=again).status_code == 303
    assert price(app, "soporte-online")[0] == 22_500


def test_service_of_one_price_takes_no_second(app: Flask, owner: FlaskClient) -> None:
    send(owner, PRICES, OTHER, **{"reinstalacion-price_special": "5"})
    assert price(app, "reinstalacion")[1] is None
    assert owner.post(f"{PRICES}/otro").status_code == 404


def topic(app: Flask, slug: str) -> Topic:
    found = inside(
        app, lambda session: session.scalar(select(Topic).where(Topic.slug == slug))
    )
    assert found
    return found


def test_answer_of_a_topic_changes_where_the_customer_reads_it(
    app: Flask, owner: FlaskClient
) -> None:
    path = f"{TOPICS}/{topic(app, 'virus').id}"
    assert "es un texto fijo" in text_of(owner.get(TOPICS))
    words = "Eso no lo vemos en línea."
    assert send(owner, path, answer=words).status_code == 303
    assert topic(app, "virus").answer == words
    assert not topic(app, "virus").covered
    (line,) = history(app, "topic.changed")
    assert line.data["after"]["answer"] == words
    assert line.data["before"]["answer"] != words
    assert send(owner, path).status_code == 303
    assert len(history(app, "topic.changed")) == 1


def test_topic_is_added_and_put_aside(
    app: Flask, owner: FlaskClient, client: FlaskClient
) -> None:
    title = "Se traba <la> boleta electrónica"
    answer = send(owner, f"{TOPICS}/nuevo", title=title, answer="Sí.", active="y")
    assert answer.status_code == 303
    shop = "/servicios/soporte-online"
    assert title in text_of(client.get(shop))
    added = topic(app, "se-traba-la-boleta-electronica")
    values = values_of(read(owner.get(f"{TOPICS}/{added.id}")), f"{TOPICS}/{added.id}")
    values.pop("active")
    assert owner.post(f"{TOPICS}/{added.id}", data=values).status_code == 303
    assert title not in text_of(client.get(shop))
    send(owner, f"{TOPICS}/nuevo", title=title, answer="Sí.", active="y")
    assert topic(app, "se-traba-la-boleta-electronica-2").active


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"title": ""}, "title", "Escriba el tema"),
        ({"answer": " "}, "answer", "Escriba la respuesta"),
        ({"answer": "x" * 601}, "answer", "600"),
        ({"covered": "quizás"}, "covered", ""),
        ({"service_slug": "soporte-online"}, "service_slug", ""),
    ],
)
def test_wrong_topic_is_refused(
    app: Flask, owner: FlaskClient, changes: dict[str, str], name: str, words: str
) -> None:
    answer = send(owner, f"{TOPICS}/{topic(app, 'virus').id}", **changes)
    assert answer.status_code == 422
    assert words in error_of(answer, name)
    assert error_of(answer, name)
    assert history(app, "topic.changed") == []


def test_last_covered_topic_stays(app: Flask, owner: FlaskClient) -> None:
    covered = [it.id for it in inside(app, queries.list_topics) if it.covered]
    answers = []
    for number in covered:
        answers.append(send(owner, f"{TOPICS}/{number}", covered="no"))
    assert {answer.status_code for answer in answers[:-1]} == {303}
    assert answers[-1].status_code == 422
    assert "al menos un tema" in error_of(answers[-1], "covered")


def test_second_owner_of_a_topic_sees_both(app: Flask, owner: FlaskClient) -> None:
    path = f"{TOPICS}/{topic(app, 'virus').id}"
    old = values_of(read(owner.get(path)), path)
    send(owner, path, answer="Primera.")
    answer = owner.post(path, data={**old, "answer": "Segunda."})
    assert answer.status_code == 409
    assert "Primera." in text_of(answer)
    assert topic(app, "virus").answer == "Primera."
    again = values_of(read(answer), path)
    assert again["answer"] == "Segunda."
    assert owner.post(path, data=again).status_code == 303
    assert topic(app, "virus").answer == "Segunda."
