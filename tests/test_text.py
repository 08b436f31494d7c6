"""The one gate for text from outside."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.text import clean_text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        ("  Ana  ", "Ana"),
        ("Jose\u0301 Nun\u0303ez", "José Nuñez"),
        ("uno\tdos", "uno dos"),
        ("Ana \U0001f469\u200d\U0001f4bb", "Ana \U0001f469\u200d\U0001f4bb"),
        ("\u202a+56 9 8765 4321\u202c", "+56 9 8765 4321"),
        ("\u200b\ufeff", ""),
        ("fin\r\n", "fin"),
        ("<b>&amp;'\"", "<b>&amp;'\""),
    ],
)
def test_fair_text_comes_out_clean(raw: str, clean: str) -> None:
    assert clean_text(raw, 50) == clean


@pytest.mark.parametrize("raw", ["a\r\nb", "a\rb", "a\nb", "a\u2028b", "a\x85b"])
def test_every_line_break_is_a_newline_where_lines_are_allowed(raw: str) -> None:
    assert clean_text(raw, 50, multiline=True) == "a\nb"
    with pytest.raises(ValueError, match="no se pueden usar"):
        clean_text(raw, 50)


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x7f", "\ud800", "\uffff", "\x0b"])
@pytest.mark.parametrize("multiline", [False, True])
def test_control_characters_and_lone_surrogates_are_refused(
    bad: str, multiline: bool
) -> None:
    with pytest.raises(ValueError, match="no se pueden usar"):
        clean_text(f"a{bad}b", 50, multiline)


@pytest.mark.parametrize("value", [None, 7, b"abc", ["abc"], True])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Escriba un texto"):
        clean_text(value, 50)


def test_length_is_counted_after_cleaning() -> None:
    assert clean_text("  " + "n\u0303" * 5 + "  ", 5) == "ñ" * 5
    with pytest.raises(ValueError, match="5 caracteres"):
        clean_text("abcdef", 5)


@given(st.text(st.characters() | st.sampled_from("\r\n\t\ud800\x00\u202e")))
def test_whatever_passes_is_clean_and_stays_the_same(raw: str) -> None:
    try:
        text = clean_text(raw, 1_000, multiline=True)
    except ValueError:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert text == text.strip()
    text.encode()  # no lone surrogate
    assert not any(unicodedata.category(char) == "Cc" and char != "\n" for char in text)
    assert clean_text(text, 1_000, multiline=True) == text
