"""The pages themselves: what the law wants seen, and the fields checked one by one."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from shop_forms import FACTURA, FILLED, SUPPORT, error_of, open_form, read
from sqlalchemy.orm import Session

from portal.catalog.models import Service

CHECK = f"{SUPPORT}/revisar"


@pytest.mark.parametrize("path", FILLED)
def test_page_shows_what_the_law_asks_before_paying(
    client: FlaskClient, change: Callable[..., None], path: str
) -> None:
    change(
        business_rut="765432103",
        business_address="Los Aromos 12, Santiago",
        business_email="ventas@demo.cl",
        legal_representative="Ana Prueba",
        public_phone="+56223456789",
    )
    page = read(client.get(path))
    main = page.select_one("main")
    assert main is not None
    text = main.get_text(" ", strip=True)
    for part in (
        "ItplusNet Ltda.",
        "76.543.210-3",
        "Los Aromos 12",
        "ventas@demo.cl",
        "Ana Prueba",
        "IVA incluido",
        "Webpay",
        "Mercado Pago",
        "Boleta",
        "Factura",
        "10 días",
        "devolución",
        "He leído y acepto los Términos v1",
    ):
        assert part in text
    assert main.select_one('a[href="/terminos/1"]')
    assert main.select_one('a[href="/privacidad"]')
    assert [button.get_text(strip=True) for button in main.select("button")] == [
        "Continuar"
    ]
    assert main.select_one(".steps .is-current")


def test_support_says_its_ninety_minutes_and_its_windows(client: FlaskClient) -> None:
    text = read(client.get(SUPPORT)).get_text(" ", strip=True)
    for part in ("Hasta 90 minutos", "Windows de 32 bits", "$19.990", "12:00"):
        assert part in text


@pytest.mark.parametrize("slug", ["nada", "SOPORTE-ONLINE", "a b", "%00", "ñ" * 300])
def test_unknown_service_helps(client: FlaskClient, slug: str) -> None:
    for response in (
        client.get(f"/servicios/{slug}"),
        client.post(f"/servicios/{slug}"),
    ):
        assert response.status_code == 404
        assert read(response).select_one(f'a[href="{SUPPORT}"]')


def test_service_taken_off_sale_is_shown_nowhere(
    client: FlaskClient, session: Session
) -> None:
    session.query(Service).filter_by(slug="servicio-tecnico").update({"active": False})
    session.commit()
    assert client.get("/servicios/servicio-tecnico").status_code == 404
    assert "Servicio técnico" not in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("phone", "123", "9 8765 4321"),
        ("phone", "987654321", ""),
        ("email", "rosa@", "nombre@correo.cl"),
        ("name", "", "Escriba su nombre"),
        ("problem", "corto", "un poco más"),
        ("tax_rut", "1-9", "RUT"),
        ("tax_commune", "tiltil", ""),
    ],
)
def test_field_is_checked_alone_as_one_leaves_it(
    client: FlaskClient, name: str, value: str, message: str
) -> None:
    values = {**open_form(client), "document": "factura", name: value}
    response = client.post(CHECK, query_string={"campo": name}, data=values)
    assert response.status_code == 200
    fragment = read(response)
    assert [tag["id"] for tag in fragment.find_all(recursive=False)] == [
        f"campo-{name}"
    ]
    assert message in error_of(fragment, name)
    assert bool(message) == bool(fragment.select(".field__error"))
    box = fragment.select_one(f"#{name}")
    assert box is not None
    assert box["hx-post"] == f"{CHECK}?campo={name}"


def test_fragment_of_a_field_is_the_one_of_the_page(client: FlaskClient) -> None:
    values = open_form(client)
    page = read(client.get(SUPPORT))
    shown = page.select_one("#campo-tax_name")
    response = client.post(CHECK, query_string={"campo": "tax_name"}, data=values)
    assert str(read(response).select_one("#campo-tax_name")) == str(shown)
    need = client.post(CHECK, query_string={"campo": "topic"}, data=values)
    assert str(read(need).select_one("#need")) == str(page.select_one("#need"))


def test_excluded_topic_is_told_at_once_with_the_right_service(
    client: FlaskClient,
) -> None:
    values = {**open_form(client), "topic": "virus"}
    response = client.post(CHECK, query_string={"campo": "topic"}, data=values)
    need = read(response).select_one("#need")
    assert need is not None
    assert need.select_one('a.btn[href="/servicios/servicio-tecnico"]')
    assert "no resuelve" in need.get_text()


def test_topic_without_a_service_shows_no_button(client: FlaskClient) -> None:
    values = {**open_form(client), "topic": "otros-programas"}
    response = client.post(CHECK, query_string={"campo": "topic"}, data=values)
    assert "no resuelve" in response.get_data(as_text=True)
    assert not read(response).select("a.btn")


def test_covered_topic_is_answered(client: FlaskClient) -> None:
    values = {**open_form(client), "topic": "disco-virtual"}
    response = client.post(CHECK, query_string={"campo": "topic"}, data=values)
    assert "Revisamos el disco virtual" in read(response).get_text()
    assert not read(response).select(".banner")


def test_64_bits_is_told_with_the_reason_and_the_phone(
    client: FlaskClient, change: Callable[..., None]
) -> None:
    change(public_phone="+56223456789")
    values = {**open_form(client), "windows_bits": "64"}
    response = client.post(CHECK, query_string={"campo": "windows_bits"}, data=values)
    need = read(response).select_one("#need .banner")
    assert need is not None
    assert need.select_one('a[href="tel:+56223456789"]')
    assert "32 bits" in need.get_text()


@pytest.mark.parametrize(
    "name", ["", "price", "form_key", "commune", "__init__", "data"]
)
def test_unknown_field_is_not_checked(client: FlaskClient, name: str) -> None:
    assert client.post(CHECK, query_string={"campo": name}).status_code == 404


def test_fragment_wants_the_csrf_token(client: FlaskClient) -> None:
    response = client.post(CHECK, query_string={"campo": "name"}, csrf=False)
    assert response.status_code == 400


def test_page_is_light(client: FlaskClient) -> None:
    for path in ("/", *FILLED):
        response = client.get(path, headers={"Accept-Encoding": "br"})
        assert len(response.data) < 14 * 1024, path


def test_factura_fields_stay_open_when_it_was_chosen(client: FlaskClient) -> None:
    values = {**open_form(client), **FACTURA, "name": ""}
    page = read(client.post(SUPPORT, data=values))
    assert page.select_one("input[name=document][value=factura][checked]")
