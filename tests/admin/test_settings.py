"""Settings: typed, refused in words, told to the second of two owners, at once."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.admin.settings_forms import GROUPS
from portal.journal.models import JournalEntry
from portal.settings import queries as settings_queries
from portal.settings.rules import NAMES, BusinessSettings
from portal.terms import queries as terms_queries

PATH = "/administrar/ajustes"
PHONES = {"first_mobile": "9 9999 9999", "second_mobile": "9 8888 8888"}


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def business(app: Flask) -> BusinessSettings:
    return inside(app, settings_queries.load)


def all_versions(session: Session) -> int:
    return settings_queries.version_of(session, NAMES)


def test_every_setting_but_the_stop_of_sales_has_a_field(app: Flask) -> None:
    with app.test_request_context():
        found = [name for kind in GROUPS.values() for name in kind().values()]
    assert len(found) == len(set(found))
    assert NAMES - set(found) == {"sales_stopped", "sales_stopped_message"}


@pytest.mark.parametrize("group", GROUPS)
def test_page_saved_as_it_is_changes_nothing(
    owner: FlaskClient, app: Flask, group: str
) -> None:
    before, mobiles = business(app), PHONES if group == "canales" else {}
    path = f"{PATH}/{group}"
    assert send(owner, path, **mobiles).status_code == 303
    after = business(app)
    assert mobiles or after == before
    version = inside(app, all_versions)
    assert send(owner, path).status_code == 303
    assert inside(app, all_versions) == version


@pytest.mark.postgres
def test_values_are_kept_in_one_form_and_hold_at_the_next_request(
    owner: FlaskClient, client: FlaskClient, app: Flask
) -> None:
    answer = send(
        owner,
        f"{PATH}/empresa",
        business_rut="76.543.210-3",
        public_phone="(2) 2345 6789",
        business_email="Contacto@Demo.CL",
    )
    assert answer.status_code == 303
    now = business(app)
    assert now.business_rut == "765432103"
    assert now.public_phone == "+56223456789"
    assert now.business_email == "contacto@demo.cl"
    assert "+56 2 2345 6789" in text_of(client.get("/"))
    assert "76.543.210-3" in owner.get(f"{PATH}/empresa").text


def test_history_tells_before_after_and_who(owner: FlaskClient, app: Flask) -> None:
    send(owner, f"{PATH}/plazos", promise_minutes="15")
    changes = select(JournalEntry).where(JournalEntry.action == "setting.changed")
    rows = inside(app, lambda session: session.scalars(changes).all())
    assert [(row.data, row.actor_kind, row.actor_id) for row in rows] == [
        ({"name": "promise_minutes", "before": None, "after": 15}, "staff", 1)
    ]


def test_a_number_that_the_terms_quote_publishes_them_and_says_so_before(
    owner: FlaskClient, app: Flask
) -> None:
    page = text_of(owner.get(f"{PATH}/plazos"))
    assert "Los términos citan estos datos" in page
    assert "se publica la versión 2." in page
    assert "Guardar y publicar la versión 2" in page
    assert send(owner, f"{PATH}/plazos", promise_minutes="15").status_code == 303
    assert "publicada la versión 2" in text_of(owner.get(f"{PATH}/plazos"))
    current = inside(app, terms_queries.current)
    assert current is not None
    assert current.number == 2
    assert "15 minutos" in current.body


def test_what_the_terms_do_not_quote_publishes_nothing(
    owner: FlaskClient, app: Flask
) -> None:
    assert "publica" not in text_of(owner.get(f"{PATH}/comunas"))
    send(owner, f"{PATH}/comunas", on_site_communes="nunoa\nMAIPU\nnunoa")
    send(owner, f"{PATH}/plazos", pause_reasons="Uno\n\nDos")
    assert business(app).on_site_communes == ("Ñuñoa", "Maipú")
    assert business(app).pause_reasons == ("Uno", "Dos")
    assert inside(app, terms_queries.current_number) == 1


WRONG = [
    ("empresa", "business_rut", "76.543.210-4", "dígito"),
    ("empresa", "business_rut", "66.666.666-6", "genérico"),
    ("empresa", "business_name", "", "Escriba la razón social."),
    ("empresa", "business_name", "x" * 81, "80 caracteres"),
    ("empresa", "public_phone", "hola", "teléfono"),
    ("empresa", "public_phone", "12345", "9 dígitos"),
    ("empresa", "business_email", "nadie", "correo"),
    ("canales", "first_mobile", "", "escriba el primero"),
    ("canales", "second_mobile", "2 2345 6789", "celular"),
    ("canales", "second_mobile", "9 9999 9999", "otro número"),
    ("canales", "whatsapp", "2 2345 6789", "celular"),
    ("canales", "remote_tool_url", "javascript:alert(1)", "https://"),
    ("canales", "remote_tool_url", "http://x.cl", "https://"),
    ("plazos", "promise_minutes", "0", "de 1 a 240"),
    ("plazos", "promise_minutes", "-5", "de 1 a 240"),
    ("plazos", "promise_minutes", "1,5", "de 1 a 240"),
    ("plazos", "promise_minutes", "٣", "de 1 a 240"),
    ("plazos", "order_life_minutes", "9999999999", "9 caracteres"),
    ("plazos", "pause_reasons", " \n ", "al menos un motivo"),
    ("plazos", "pause_reasons", "a\x00b", "caracteres"),
    ("turnos", "on_call_normal", "a@b.cl\nnadie", "«nadie»"),
    ("comunas", "on_site_communes", "Atlantis", "«Atlantis»"),
]


@pytest.mark.parametrize(("group", "name", "typed", "words"), WRONG)
def test_wrong_value_is_told_beside_its_field_and_nothing_is_lost(
    owner: FlaskClient, app: Flask, group: str, name: str, typed: str, words: str
) -> None:
    before = business(app)
    path, mobiles = f"{PATH}/{group}", PHONES if group == "canales" else {}
    answer = send(owner, path, **{**mobiles, name: typed})
    assert answer.status_code == 422
    assert words in error_of(answer, name)
    shown = values_of(read(answer), path)[name]
    assert shown.strip() == typed.replace("\x00", "").strip()
    assert business(app) == before


def test_second_of_two_owners_sees_both_values_and_loses_nothing(
    owner: FlaskClient, app: Flask
) -> None:
    path = f"{PATH}/plazos"
    old = values_of(read(owner.get(path)), path)
    assert send(owner, path, promise_minutes="20").status_code == 303
    late = {**old, "promise_minutes": "25", "warranty_days": "60"}
    answer = owner.post(path, data=late)
    assert answer.status_code == 409
    assert values_of(read(answer), path)["promise_minutes"] == "25"
    shown = [line.get_text(" ", strip=True) for line in read(answer).select(".differs")]
    assert shown == ["Ahora vale: 20", "Ahora vale: 30"]
    assert business(app).promise_minutes == 20
    again = values_of(read(answer), path)
    assert owner.post(path, data=again).status_code == 303
    assert business(app).promise_minutes == 25
    assert business(app).warranty_days == 60


def test_second_of_two_owners_who_wrote_the_same_is_not_stopped(
    owner: FlaskClient, app: Flask
) -> None:
    path = f"{PATH}/comunas"
    old = values_of(read(owner.get(path)), path)
    new = {**old, "on_site_communes": "Macul"}
    assert owner.post(path, data=new).status_code == 303
    assert owner.post(path, data=new).status_code == 303
    assert owner.post(path, data={**new, "version": "x"}).status_code == 303
    other = {**new, "on_site_communes": "Renca", "version": "9" * 30}
    assert owner.post(path, data=other).status_code == 409
    assert business(app).on_site_communes == ("Macul",)


def test_unknown_group_is_not_found(owner: FlaskClient) -> None:
    assert owner.get(f"{PATH}/otro").status_code == 404
    assert owner.post(f"{PATH}/otro").status_code == 404
