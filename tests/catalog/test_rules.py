"""Prices by regime and the scope of the support."""

from dataclasses import dataclass

import pytest

from portal.catalog.rules import (
    SERVICIO_TECNICO,
    WINDOWS_64_REASON,
    WINDOWS_BITS_HELP,
    Scope,
    check_prices,
    check_scope,
    price_for,
)
from portal.errors import RefusedError


@dataclass
class Price:
    price_normal: int
    price_special: int | None = None


@dataclass
class Kind:
    covered: bool
    answer: str = "porque sí"
    service_slug: str | None = None


@pytest.mark.parametrize(
    ("price", "regime", "expected"),
    [
        (Price(19_990, 29_990), "normal", 19_990),
        (Price(19_990, 29_990), "special", 29_990),
        (Price(45_990), "normal", 45_990),
        (Price(45_990), "special", 45_990),
        (Price(45_990), "closed", 45_990),
    ],
)
def test_price_follows_the_regime(price: Price, regime: str, expected: int) -> None:
    assert price_for(price, regime) == expected


@pytest.mark.parametrize("regime", ["closed", "", "Special"])
def test_two_priced_service_has_no_price_outside_its_regimes(regime: str) -> None:
    with pytest.raises(RefusedError, match="fuera del horario"):
        price_for(Price(19_990, 29_990), regime)


COVERED, VIRUS, DELETED = (
    Kind(True),
    Kind(False, "sane el equipo", SERVICIO_TECNICO),
    Kind(False, "no se recupera"),
)


@pytest.mark.parametrize(
    ("topic", "bits", "expected"),
    [
        (COVERED, "32", Scope(True, "porque sí", None)),
        (COVERED, "unknown", Scope(True, "porque sí", None)),
        (COVERED, "64", Scope(False, WINDOWS_64_REASON, None)),
        (VIRUS, "32", Scope(False, "sane el equipo", SERVICIO_TECNICO)),
        (VIRUS, "unknown", Scope(False, "sane el equipo", SERVICIO_TECNICO)),
        # The service that helps is worth more than the reason about Windows.
        (VIRUS, "64", Scope(False, "sane el equipo", SERVICIO_TECNICO)),
        (DELETED, "32", Scope(False, "no se recupera", None)),
    ],
)
def test_scope_by_topic_and_windows(topic: Kind, bits: str, expected: Scope) -> None:
    assert check_scope(topic, bits) == expected  # type: ignore[arg-type]


def test_help_on_windows_bits_names_both_answers() -> None:
    text = " ".join(WINDOWS_BITS_HELP)
    assert "Sistema operativo de 32 bits" in text
    assert "Sistema operativo de 64 bits" in text


@pytest.mark.parametrize(
    ("normal", "special", "has_special"),
    [
        (0, None, False),
        (-1, None, False),
        (19_990, 0, True),
        (100_000_001, None, False),
        (19_990, None, True),
        (19_990, 29_990, False),
    ],
)
def test_what_is_no_price_is_refused(
    normal: int, special: int | None, has_special: bool
) -> None:
    with pytest.raises(RefusedError):
        check_prices(normal, special, has_special=has_special)
