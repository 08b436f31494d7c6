"""The board over HTTP: acts, what they answer, what the cards say."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import event
from support_cases import add_attention

from portal import clock as portal_clock
from portal.catalog import service as catalog_service
from portal.db import db, transaction
from portal.orders.models import Order
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


def test_pause_and_undo_without_scripts(enter, attention, clock) -> None:
    client, _ = enter()
    for name, data, state in [
        ("tomar", {}, "taken"),
        ("iniciar", {}, "running"),
        ("deshacer", {}, "taken"),
        ("iniciar", {}, "running"),
        ("pausar", {"reason": "El cliente lo pidió"}, "paused"),
        ("reanudar", {}, "running"),
        ("cerrar", {"outcome": "resuelto", "text": "Listo"}, "closed"),
        ("deshacer", {}, "running"),
    ]:
        clock.advance(seconds=5)
        assert act(client, attention, name, **data).status_code == 303
        assert state_on(client.get("/tablero").text, attention) == state


def test_undo_is_offered_for_ten_seconds_to_who_acted(enter, attention, clock) -> None:
    (ana, _), (luis, _) = enter("Ana"), enter("Luis")
    act(ana, attention, "tomar")
    act(ana, attention, "iniciar")
    path = f'action="/tablero/{attention}/deshacer"'
    page = ana.get("/tablero").text
    assert path in page
    assert path not in luis.get("/tablero").text
    clock.advance(seconds=9)
    assert poll(ana, version_of(page)).status_code == 204
    clock.advance(seconds=1)
    assert path not in poll(ana, version_of(page)).text
    assert act(ana, attention, "deshacer").status_code == 422


def test_paused_card_says_why_and_until_when(enter, attention, clock) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    act(client, attention, "iniciar")
    clock.advance(minutes=20)
    act(client, attention, "pausar", reason="Se cortó la conexión")
    page = client.get("/tablero").text
    assert "Ana · Se cortó la conexión · hasta las 12:50" in page
    clock.advance(seconds=10)  # until here it might be undone
    page = client.get("/tablero").text
    clock.advance(minutes=29, seconds=49)
    assert poll(client, version_of(page)).status_code == 204
    clock.advance(seconds=1)
    again = poll(client, version_of(page)).text
    assert state_on(again, attention) == "running"
    assert "termina 14:00" in again


def test_pause_without_a_reason_keeps_the_clock(enter, attention) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    act(client, attention, "iniciar")
    for data in ({}, {"reason": "otro"}):
        answer = act(client, attention, "pausar", **data)
        assert answer.status_code == 422
        assert "Elija el motivo de la pausa." in answer.text
        assert state_on(answer.text, attention) == "running"


def test_hand_over_is_offered_to_colleagues_alone(enter, attention) -> None:
    (ana, one), (_, two), (_, owner) = (
        enter("Ana"),
        enter("Luis"),
        enter("Eva", "owner"),
    )
    act(ana, attention, "tomar")
    page = ana.get("/tablero").text
    assert f'name="to" value="{two.id}"' in page
    for other in (one, owner):
        assert f'name="to" value="{other.id}"' not in page
    assert act(ana, attention, "traspasar", to=two.id).status_code == 303
    assert f"/tablero/{attention}/iniciar" not in ana.get("/tablero").text


def test_no_show_is_offered_after_two_calls(enter, attention, clock) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    path = f'action="/tablero/{attention}/ausente"'
    for _ in range(2):
        assert path not in client.get("/tablero").text
        clock.advance(minutes=1)
        act(client, attention, "llame")
    page = client.get("/tablero").text
    assert path in page
    assert "2 llamadas, última 12:02" in page
    act(client, attention, "ausente")
    lane = client.get("/tablero").text
    assert state_on(lane[lane.index('id="carril-ausentes"') :], attention) == "no_show"


def test_customer_who_is_not_answered_is_red_and_rings(app, enter, clock) -> None:
    clock.advance(hours=8)
    with app.app_context(), transaction() as session:
        attention = add_attention(session, now=clock.now)
        number, attention.no_answer_at = attention.id, clock.now
    page = enter()[0].get("/tablero").text
    assert "No le contestan" in page
    assert "bcard--late" in page
    assert f'data-alert="{number}-no-contestan"' in page


def test_canned_solution_is_added_to_the_text_without_scripts(
    app, enter, attention
) -> None:
    with app.app_context(), transaction() as session:
        catalog_service.ensure_defaults(session, portal_clock.utcnow())
    with app.app_context(), transaction() as session:
        order = session.get_one(Order, 1)
        order.topic_slug = "antivirus"
    client, _ = enter()
    act(client, attention, "tomar")
    page = client.get("/tablero").text
    options = re.findall(r'<option value="(\d+)" data-text="([^"]+)"', page)
    texts = [text for _, text in options]
    assert any("antivirus" in text for text in texts)
    assert not any("isButton" in text for text in texts)
    for typed in ("", "Además:"):
        data = {"kind": "hecho", "text": typed, "canned": options[0][0]}
        assert act(client, attention, "anotar", **data).status_code == 303
    with app.app_context():
        said = [line.text for line in queries.entries(db.session(), attention)]
    assert said == [texts[0], f"Además:\n{texts[0]}"]
    data = {"kind": "hecho", "text": "", "canned": "999"}
    assert act(client, attention, "anotar", **data).status_code == 422


def test_draft_is_kept_for_who_typed_it(enter, attention) -> None:
    (ana, _), (luis, _) = enter("Ana"), enter("Luis")
    act(ana, attention, "tomar")
    text = 'a medio <b> "escribir" ñ'
    answer = act(ana, attention, "borrador", act="nota", text=text)
    assert (answer.status_code, answer.text) == (204, "")
    kept = 'data-draft="a medio &lt;b&gt; &#34;escribir&#34; ñ"'
    assert kept in ana.get("/tablero").text
    assert kept not in luis.get("/tablero").text
    act(ana, attention, "nota", text="enviada")
    assert "data-draft" not in ana.get("/tablero").text


@pytest.mark.parametrize("text", ["x\x00y", "\x1b[0m", "y" * 10_000])
def test_draft_takes_whatever_is_typed(enter, attention, text) -> None:
    client, _ = enter()
    act(client, attention, "tomar")
    assert act(client, attention, "borrador", act="nota", text=text).status_code == 204
    assert client.get("/tablero").status_code == 200


def test_draft_of_no_box_is_refused(enter, attention) -> None:
    client, _ = enter()
    assert act(client, attention, "borrador", act="tomar", text="x").status_code == 422
    assert act(client, 999, "borrador", act="nota", text="x").status_code == 404


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
    for name in ("tomar", "soltar", "llame", "iniciar", "ausente", "deshacer"):
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
    page = client.get("/tablero")
    assert "portal=" in page.headers["Set-Cookie"]
    version = version_of(page.text)
    assert "Set-Cookie" not in poll(client, version).headers
    seen = []
    for minute, word in [(75, "Queda poco"), (85, "Por terminar"), (90, "Cumplido")]:
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
    page = client.get("/tablero")
    assert "portal=" in page.headers["Set-Cookie"]
    version = version_of(page.text)
    seen = []
    with app.app_context():
        engine = db.engine
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _k, statement, *_: seen.append(statement),
    )
    answer = poll(client, version)
    assert answer.status_code == 204
    assert "Set-Cookie" not in answer.headers
    assert len([each for each in seen if each.startswith("SELECT")]) == 2


@pytest.mark.parametrize("state", ["waiting", "held"])
def test_queries_of_the_board_do_not_grow_with_its_cards(
    app, enter, clock, state
) -> None:
    client, who = enter()
    counts = []
    seen: list[str] = []
    with app.app_context():
        event.listen(
            db.engine,
            "before_cursor_execute",
            lambda _c, _k, statement, *_: seen.append(statement),
        )
    for cards in (1, 10, 49):
        with app.app_context():
            with transaction() as session:
                made = [add_attention(session, now=clock.now).id for _ in range(cards)]
            for number in made if state == "held" else ():
                service.take(number, by=who, now=clock.now)
        seen.clear()
        page = client.get("/tablero/tarjetas?v=x", headers=HTMX).text
        counts.append(len([each for each in seen if each.startswith("SELECT")]))
    assert page.count("<article") == 60
    assert len(set(counts)) == 1
    assert counts[0] <= 20


@pytest.mark.parametrize("version", ["", "x", "1.1.1.", "20261124-1-1-0.99x", "%01"])
def test_poll_with_any_other_version_gets_the_lanes(enter, attention, version) -> None:
    assert poll(enter()[0], version).status_code == 200


def test_session_that_ended_leads_the_screen_to_the_log_in(app, attention) -> None:
    answer = poll(app.test_client(), "x")
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/ingresar"
    assert answer.text == ""
    page = app.test_client().get("/tablero?a=1")
    assert (page.status_code, page.location) == (303, "/ingresar?next=/tablero%3Fa%3D1")
