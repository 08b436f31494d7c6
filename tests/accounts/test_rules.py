"""Passwords, addresses and the paths that a log-in may lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts import rules

EVIL = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "tablero",
    "@evil.example",
    ".evil.example",
    "/%09//evil.example\t",
    "/tablero\r\nSet-Cookie: a=b",
    "/año",
    "/\u202e/evil",
    "/ tablero",
    "",
    None,
]


@pytest.mark.parametrize("target", EVIL)
def test_next_never_leaves_the_site(target) -> None:
    assert rules.own_path(target) is None


@pytest.mark.parametrize(
    "target",
    ["/tablero", "/informes/2026-11?orden=dia&x=1", "/tablero#atencion-3", "/"],
)
def test_next_may_be_any_path_of_ours(target) -> None:
    assert rules.own_path(target) == target


@given(st.text(alphabet="/\\:@.%09 \t\nahtps", max_size=12))
def test_what_passes_as_a_path_begins_with_one_slash(text) -> None:
    passed = rules.own_path(text)
    assert passed is None or (passed[0] == "/" and passed[1:2] not in ("/", "\\"))


@pytest.mark.parametrize("password", ["corta", "x" * 201, "aaaaaaaaaaaa", ""])
def test_weak_password_is_refused_in_spanish(password) -> None:
    with pytest.raises(ValueError, match="contraseña"):
        rules.check_password(password)


def test_two_keyboards_write_one_password() -> None:
    composed, apart = "contrase\u00f1a-larga", "contrasen\u0303a-larga"
    assert rules.check_password(composed) == rules.normal_password(apart)


@pytest.mark.parametrize("email", ["", "ana", "ana@", "a b@c.cl", "a\x00@b.cl", "a@b"])
def test_malformed_address_is_refused(email) -> None:
    with pytest.raises(ValueError, match="correo"):
        rules.check_email(email)


def test_address_is_one_in_any_case() -> None:
    assert rules.check_email(" Ana@Negocio.CL ") == "ana@negocio.cl"
