"""Pesos: format, parse, IVA."""

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from portal.money import MAX_PESOS, format_pesos, parse_pesos, split_iva


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (990, "$990"),
        (1_990, "$1.990"),
        (19_990, "$19.990"),
        (1_234_567, "$1.234.567"),
        (-19_990, "-$19.990"),
    ],
)
def test_pesos_are_shown_with_dots_and_no_decimals(amount: int, text: str) -> None:
    assert format_pesos(amount) == text


@given(st.integers(0, MAX_PESOS))
def test_format_is_that_of_the_locale_of_chile(amount: int) -> None:
    assert format_pesos(amount) == format_currency(amount, "CLP", locale="es_CL")


@pytest.mark.parametrize("text", ["19990", "19.990", "$19.990", " $ 19.990 "])
def test_the_usual_ways_to_write_an_amount_are_understood(text: str) -> None:
    assert parse_pesos(text) == 19_990


@given(st.integers(0, MAX_PESOS))
def test_what_is_shown_is_read_back(amount: int) -> None:
    assert parse_pesos(format_pesos(amount)) == amount
    assert parse_pesos(str(amount)) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "19.99",
        "19,990",
        "19.990,50",
        "19990.5",
        "1.9990",
        ".990",
        "-5",
        "+5",
        "1e3",
        "19 990",
        "$$5",
        "١٩٩٩٠",
        "²",
        "100000001",
        "9" * 30,
        "NaN",
        "19.990\x00",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount of pesos"):
        parse_pesos(text)


@pytest.mark.parametrize(
    ("total", "net", "iva"),
    [
        (19_990, 16_798, 3_192),
        (29_990, 25_202, 4_788),
        (9_990, 8_395, 1_595),
        (1_000, 840, 160),
        (1, 1, 0),
        (0, 0, 0),
    ],
)
def test_iva_is_split_as_the_tax_office_does(total: int, net: int, iva: int) -> None:
    assert split_iva(total) == (net, iva)


@given(st.integers(0, 10 * MAX_PESOS))
def test_net_and_iva_add_up_and_are_the_nearest_whole_pesos(total: int) -> None:
    net, iva = split_iva(total)
    assert net + iva == total
    # |net - total/1.19| <= 1/2, in whole numbers.
    assert abs(net * 119 - total * 100) * 2 <= 119
