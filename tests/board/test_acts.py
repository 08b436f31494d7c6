"""The board over HTTP: acts, what they answer, what the cards say."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import event
from support_cases import add_attention

from portal import clock as portal_clock
from portal.db import db, transaction
from portal.support import queries, service

HTMX = {"HX-Request": "true"}


@pytest.fixture
def attention(app, clock) -> int:
    with app.app_context(), transaction() as session:
        return add_attention(session, now=clock.now).id


def state_on(page: str, number: int) -> str | None:
    found = re.search(rf'id="atencion-{number}" data-attention="(\w+)"', page)
    return found and found.group(1)


def act(client, number: int, name: str, **data):
    return client.post(f"/tablero/{number}/{name}", data=data)


def version_of(page: str) -> str:
    return re.search(r'hx-get="/tablero/tarjetas\?v=([^"]+)"', page).group(1)


def test_whole_attention_without_scripts(enter, attention, clock) -> None:
    client, _ = enter()
    page = client.get("/tablero").text
    assert state_on(page, attention) == "waiting"
    for name, data, state in [
        ("tomar", {}, "taken"),
        ("llame", {}, "taken"),
        ("iniciar", {}, "running"),
        ("anotar", {"kind": "haremos", "text": "Vamos a revisar"}, "running"),
        ("anotar", {"kind": "hecho", "text": "Revisamos la base"}, "running"),
        ("nota", {"text": "Ofrecer respaldo"}, "running"),
        ("cerrar", {"outcome": "resuelto"}, "closed"),
    ]:
        clock.advance(minutes=1)
        answer = act(client, attention, name, **data)
        assert answer.status_code == 303
        assert answer.location == f"/tablero#atencion-{attention}"
        assert state_on(client.get("/tablero").text, attention) == state


def test_htmx_gets_the_card_alone(enter, attention) -> None:
    client, _ = enter()
    answer = client.post(f"/tablero/{attention}/tomar", headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<article")
    assert answer.text.rstrip().endswith("</article>")
    assert state_on(answer.text, attention) == "taken"
    assert "HX-Request" in answer.vary


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_late_act_answers_409_with_the_card_and_who_did_what(
    enter, attention, headers, clock
) -> None:
    (ana, _), (luis, _) = enter("Ana"), enter("Luis")
    clock.advance(minutes=4, seconds=12)
    act(ana, attention, "tomar")
    answer = luis.post(f"/tablero/{attention}/tomar", headers=headers)
    assert answer.status_code == 409
    assert "La tomó Ana a las 12:04:12." in answer.text
    assert state_on(answer.text, attention) == "taken"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_wrong_field_answers_422_and_keeps_the_text(enter, attention, headers) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    act(client, attention, "iniciar")
    for name, data in [
        ("anotar", {"kind": "otro", "text": "texto <b>tecleado</b>"}),
        ("cerrar", {"outcome": "bien", "text": "texto <b>tecleado</b>"}),
        ("nota", {"text": "texto <b>tecleado</b>" + "x" * 2_000}),
    ]:
        answer = client.post(f"/tablero/{attention}/{name}", data=data, headers=headers)
        assert answer.status_code == 422
        assert "texto &lt;b&gt;tecleado&lt;/b&gt;" in answer.text
        assert state_on(answer.text, attention) == "running"


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 10_000, "a\x00b", "a\x1bb"])
@pytest.mark.parametrize("name", ["anotar", "nota"])
def test_text_that_cannot_be_kept_is_refused(enter, attention, name, text) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    assert act(client, attention, name, kind="hecho", text=text).status_code == 422


def test_closing_without_anything_done_says_what_is_missing(enter, attention) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    act(client, attention, "iniciar")
    answer = act(client, attention, "cerrar", outcome="resuelto")
    assert answer.status_code == 422
    assert "Escriba qué se hizo" in answer.text
    assert act(client, attention, "cerrar").status_code == 422


def test_text_of_the_closing_form_counts_as_done(app, enter, attention) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    act(client, attention, "iniciar")
    act(client, attention, "cerrar", outcome="parcial", text="Quedó a medias")
    with app.app_context():
        lines = queries.entries(db.session(), attention)
    assert [(line.kind, line.text) for line in lines] == [("hecho", "Quedó a medias")]


def test_post_repeated_after_reconnecting_has_one_effect(app, enter, attention) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    for _ in range(3):
        answer = act(client, attention, "anotar", kind="hecho", text="Una vez")
        assert answer.status_code == 303
    with app.app_context():
        assert len(queries.entries(db.session(), attention)) == 1


@pytest.mark.parametrize("number", ["0", "999", "2147483648", "9" * 30, "x", "-1"])
def test_unknown_card_is_not_found(enter, attention, number) -> None:
    client, _ = enter()
    for name in ("tomar", "soltar", "llame", "iniciar"):
        assert client.post(f"/tablero/{number}/{name}").status_code == 404


def test_card_says_all_that_one_needs_to_call(app, enter, clock) -> None:
    with app.app_context(), transaction() as session:
        number = add_attention(session, now=clock.now, problem="No imprime").id
    page = enter()[0].get("/tablero").text
    for text in ("María Soto", "Un error en pantalla", "No imprime", "A tiempo"):
        assert text in page
    assert 'href="tel:+56987654321"' in page
    assert "llamar antes de las 12:10" in page
    assert "Horario normal" in page
    found = re.search(r'href="https://wa.me/56987654321\?text=([^"]+)"', page)
    assert f"N° {1000 + number}, pagada a las 12:00" in unquote(found.group(1))


def test_card_in_special_hours_says_that_the_customer_calls(app, enter, clock) -> None:
    clock.advance(hours=8)
    with app.app_context(), transaction() as session:
        add_attention(session, now=clock.now)
    page = enter()[0].get("/tablero").text
    assert "El cliente llama" in page
    assert "llamar antes" not in page


def test_card_paid_out_of_hours_lies_in_its_own_lane(app, enter, clock) -> None:
    clock.advance(hours=11)
    with app.app_context(), transaction() as session:
        number = add_attention(session, now=clock.now).id
    page = enter()[0].get("/tablero").text
    lane = page[page.index('id="carril-fuera"') :]
    assert state_on(lane, number) == "deferred"


def test_customers_words_are_text(app, enter, clock) -> None:
    evil = "<img src=x onerror=alert(1)><b hx-get=/salir>\u202e"
    with app.app_context(), transaction() as session:
        add_attention(session, now=clock.now, name=evil, problem=evil, topic_title=evil)
    page = enter()[0].get("/tablero").text
    assert "<img" not in page
    assert "<b " not in page
    for found in re.finditer("&lt;img", page):
        before = page[: found.start()]
        if "wa.me" not in before[-200:]:
            assert before.endswith("<bdi>")


def test_only_the_holder_and_the_owner_see_buttons(enter, attention) -> None:
    (ana, _), (luis, _), (rosa, _) = enter("Ana"), enter("Luis"), enter("Rosa", "owner")
    act(ana, attention, "tomar")
    path = f'action="/tablero/{attention}/iniciar"'
    assert path in ana.get("/tablero").text
    assert path in rosa.get("/tablero").text
    assert path not in luis.get("/tablero").text


# Polling -----------------------------------------------------------------


def poll(client, version: str):
    return client.get(f"/tablero/tarjetas?v={version}", headers=HTMX)


def test_poll_answers_204_until_something_changes(enter, attention) -> None:
    (ana, _), (luis, _) = enter("Ana"), enter("Luis")
    version = version_of(ana.get("/tablero").text)
    assert poll(ana, version).status_code == 204
    act(luis, attention, "tomar")
    changed = poll(ana, version)
    assert changed.status_code == 200
    assert changed.text.lstrip().startswith('<div class="board-live" id="tablero"')
    assert state_on(changed.text, attention) == "taken"
    assert poll(ana, version_of(changed.text)).status_code == 204


def test_poll_changes_by_itself_at_each_edge_of_the_clock(
    app, enter, attention, clock
) -> None:
    client, who = enter()
    with app.app_context():
        now = portal_clock.utcnow()
        service.take(attention, by=who, now=now)
        service.start(attention, by=who, now=now)
    clock.advance(seconds=10)  # until here it might be undone
    version = version_of(client.get("/tablero").text)
    seen = []
    for minute, word in [(75, "Queda poco"), (85, "Por terminar"), (90, "Tiempo")]:
        clock.set(now + timedelta(minutes=minute, seconds=-1))
        assert poll(client, version).status_code == 204
        clock.advance(seconds=1)
        changed = poll(client, version)
        assert word in changed.text
        version = version_of(changed.text)
        seen.append(state_on(changed.text, attention))
    assert seen == ["running", "running", "timed_out"]


def test_poll_turns_the_card_red_when_the_promise_is_missed(
    enter, attention, clock
) -> None:
    client, _ = enter()
    clock.advance(minutes=8)
    version = version_of(client.get("/tablero").text)
    clock.advance(minutes=2)
    changed = poll(client, version).text
    assert "bcard--late" in changed
    assert f'data-alert="{attention}-espera-late"' in changed


def test_poll_without_news_is_two_queries(app, enter, attention) -> None:
    client, _ = enter()
    version = version_of(client.get("/tablero").text)
    seen = []
    with app.app_context():
        engine = db.engine
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: seen.append(statement),
    )
    assert poll(client, version).status_code == 204
    assert len([each for each in seen if each.startswith("SELECT")]) == 2


@pytest.mark.parametrize("version", ["", "x", "1.1.1.", "20261124-1-1-0.99x", "%00"])
def test_poll_with_any_other_version_gets_the_lanes(enter, attention, version) -> None:
    assert poll(enter()[0], version).status_code == 200


def test_session_that_ended_leads_the_screen_to_the_log_in(app, attention) -> None:
    answer = poll(app.test_client(), "x")
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/ingresar"
    assert answer.text == ""
    page = app.test_client().get("/tablero?a=1")
    assert (page.status_code, page.location) == (303, "/ingresar?next=/tablero%3Fa%3D1")
