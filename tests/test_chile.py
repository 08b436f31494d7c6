"""RUT, phones, communes and dates."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.chile import (
    COMMUNES,
    SANTIAGO_COMMUNES,
    find_commune,
    format_count,
    format_date,
    format_day,
    format_hour,
    format_long_moment,
    format_moment,
    format_phone,
    format_rut,
    is_mobile,
    parse_phone,
    parse_rut,
    parse_tax_rut,
)

# --- RUT --------------------------------------------------------------------------


def check_digit(body: int) -> str:
    """Modulo 11 with weights 2 to 7 from the right."""
    total = sum(
        int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(str(body)))
    )
    return "0123456789K0"[11 - total % 11]


@pytest.mark.parametrize(
    ("text", "rut"),
    [
        ("123456785", "123456785"),
        ("12345678-5", "123456785"),
        ("12.345.678-5", "123456785"),
        ("  12 345 678 - 5 ", "123456785"),
        ("1000005-k", "1000005K"),
        ("1.000.005-K", "1000005K"),
        ("05126663-3", "51266633"),
        ("0012531909-2", "125319092"),
        ("11111111-1", "111111111"),
        ("76543210-3", "765432103"),
        ("5126663-3", "51266633"),
        ("83077900-0", "830779000"),
        ("12345675-0", "123456750"),
        ("12345670-K", "12345670K"),
        ("12345684-k", "12345684K"),
        ("76.086.428\u20115", "760864285"),
    ],
)
def test_a_rut_is_read_in_every_usual_form(text: str, rut: str) -> None:
    assert parse_rut(text) == rut


@given(st.integers(1_000_000, 99_999_999))
def test_every_rut_with_its_digit_is_read_and_shown_again(body: int) -> None:
    rut = f"{body}{check_digit(body)}"
    assert parse_rut(rut) == rut
    assert parse_rut(format_rut(rut)) == rut
    assert parse_rut(f"{body}-{check_digit(body).lower()}") == rut


@given(st.integers(1_000_000, 99_999_999), st.sampled_from("0123456789K"))
def test_any_other_digit_is_refused(body: int, digit: str) -> None:
    if digit != check_digit(body):
        with pytest.raises(ValueError, match="dígito verificador"):
            parse_rut(f"{body}-{digit}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12531909-3", "no es válido: revise el dígito verificador"),
        ("", "Escriba el RUT completo"),
        ("1-9", "Escriba el RUT completo"),
        ("999999-3", "Escriba el RUT completo"),
        ("000000000", "Escriba el RUT completo"),
        ("123456789012-3", "Escriba el RUT completo"),
        ("76086A28-5", "solo números"),
        ("abcdefgh-i", "solo números"),
        ("12345678\x005", "RUT"),
        ("\ud8001234567-5", "RUT"),
        ("²²²²²²²²²", "solo números"),
    ],
)
def test_a_wrong_rut_says_what_to_mend(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_rut(text)


@pytest.mark.parametrize("text", ["66.666.666-6", "555555555"])
def test_a_generic_rut_is_a_rut_but_gets_no_factura(text: str) -> None:
    assert parse_rut(text)
    with pytest.raises(ValueError, match="factura"):
        parse_tax_rut(text)


def test_a_factura_takes_an_ordinary_rut() -> None:
    assert parse_tax_rut("76.086.428-5") == "760864285"


def test_no_rut_shows_as_nothing() -> None:
    assert format_rut("") == ""


# --- phones -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+56 9 8765 4321", "+56987654321"),
        ("987654321", "+56987654321"),
        ("9 8765 4321", "+56987654321"),
        ("56987654321", "+56987654321"),
        ("0056987654321", "+56987654321"),
        ("(9) 8765-4321", "+56987654321"),
        ("\u202a+56 9 8765 4321\u202c", "+56987654321"),
        ("9 8765 4321 ext 5", "+56987654321"),
        ("+56 2 2345 6789", "+56223456789"),
        ("+56 9 1011 2200", "+56910112200"),
    ],
)
def test_a_chilean_phone_is_read_in_every_usual_form(text: str, phone: str) -> None:
    assert parse_phone(text) == phone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hola",
        "09 8765 4321",
        "8765 4321",
        "+56 9 1234 5678",
        "+54 9 11 2345 6789",
        "+1 202 555 0123",
        "9" * 300,
        "\x00",
        "133",
    ],
)
def test_any_other_phone_is_asked_again(text: str) -> None:
    with pytest.raises(ValueError, match="8765 4321"):
        parse_phone(text)


def test_phones_are_shown_as_chile_writes_them() -> None:
    assert format_phone("+56987654321") == "+56 9 8765 4321"
    assert format_phone("+56223456789") == "+56 2 2345 6789"
    assert format_phone("") == ""


def test_only_a_mobile_may_have_whatsapp() -> None:
    assert is_mobile("+56987654321")
    assert not is_mobile("+56223456789")
    assert not is_mobile("")


# --- communes ---------------------------------------------------------------------


def test_chile_has_346_communes_each_once() -> None:
    assert len(COMMUNES) == len(set(COMMUNES)) == 346
    assert {"Ñuñoa", "Aysén", "O'Higgins", "Alto Biobío"} <= set(COMMUNES)


def test_every_commune_fits_the_field_of_a_factura() -> None:
    assert max(len(name) for name in COMMUNES) <= 20


def test_on_site_goes_to_the_province_and_its_two_neighbours() -> None:
    assert len(SANTIAGO_COMMUNES) == len(set(SANTIAGO_COMMUNES)) == 34
    assert {*SANTIAGO_COMMUNES} <= {*COMMUNES}
    assert {"Puente Alto", "San Bernardo"} <= {*SANTIAGO_COMMUNES}
    assert "Colina" not in SANTIAGO_COMMUNES


@pytest.mark.parametrize("name", COMMUNES)
def test_a_commune_is_found_however_it_is_typed(name: str) -> None:
    for typed in (name, name.upper(), f"  {name.lower()} ", name.replace(" ", "  ")):
        assert find_commune(typed) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("nunoa", "Ñuñoa"),
        ("NUN\u0303OA", "Ñuñoa"),
        ("penalolen", "Peñalolén"),
        ("ohiggins", "O'Higgins"),
        ("O\u2019Higgins", "O'Higgins"),
        ("Til Til", "Tiltil"),
        ("Calera", "La Calera"),
        ("Llaillay", "Llay-Llay"),
        ("Aisén", "Aysén"),
        ("", None),
        ("Lima", None),
        ("Santiago 1", "Santiago"),
        ("#", None),
        ("\ud800", None),
    ],
)
def test_accents_case_and_other_spellings(typed: str, name: str | None) -> None:
    assert find_commune(typed) == name


# --- dates ------------------------------------------------------------------------

INSTANT = datetime(2026, 11, 23, 21, 31, tzinfo=UTC)


def test_dates_are_written_as_in_chile_and_in_its_zone() -> None:
    assert format_hour(INSTANT) == "18:31"
    assert format_day(INSTANT) == "lunes 23 de noviembre"
    assert format_date(INSTANT) == "23-11-2026"
    assert format_moment(INSTANT) == "23-11-2026 18:31"
    assert format_long_moment(INSTANT) == "lunes 23 de noviembre de 2026, 18:31"


def test_the_local_day_counts_not_that_of_utc() -> None:
    late = datetime(2026, 11, 24, 2, 59, tzinfo=UTC)
    assert format_moment(late) == "23-11-2026 23:59"
    assert format_day(late) == "lunes 23 de noviembre"


def test_winter_has_another_offset() -> None:
    assert format_hour(datetime(2026, 6, 30, 22, 31, tzinfo=UTC)) == "18:31"


def test_a_plain_date_is_shown_as_it_is() -> None:
    assert format_day(date(2026, 12, 25)) == "viernes 25 de diciembre"
    assert format_date(date(2026, 12, 25)) == "25-12-2026"


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 pagos"), (1, "1 pago"), (2, "2 pagos"), (2000, "2.000 pagos")],
)
def test_the_word_goes_with_its_number(count: int, told: str) -> None:
    assert format_count(count, "pago", "pagos") == told
