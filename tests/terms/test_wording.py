"""The owner's words with the program's numbers: text and behaviour cannot drift."""

from dataclasses import replace

import pytest
from terms_cases import FACTS

from portal.terms.rules import PriceLine, render_terms, to_blocks
from portal.terms.wording_rules import MARKS, fill, house_wording, problems

HOUSE = house_wording()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"promise_minutes": 1, "warranty_days": 1, "order_life_minutes": 45},
        {"last_sale_minutes": 0, "pause_limit_minutes": 0, "no_answer_minutes": 7},
        {"business_rut": "", "business_address": "", "legal_representative": ""},
        {"business_email": ""},
        {"business_email": "", "public_phone": ""},
        {"prices": (PriceLine(name="Uno", price_normal=1_000, price_special=None),)},
        {"weekly": (("Lunes", "cerrado"),), "business_name": "Otra {Ltda}"},
    ],
)
def test_house_wording_filled_in_is_the_programs_own_text(
    changed: dict[str, object],
) -> None:
    facts = replace(FACTS, **changed)  # type: ignore[arg-type]
    assert problems(HOUSE) == []
    assert fill(HOUSE, facts) == render_terms(facts)


@pytest.mark.parametrize("name", MARKS)
def test_wording_without_a_mark_is_refused(name: str) -> None:
    found = problems(HOUSE.replace(f"{{{name}}}", "algo"))
    assert found == [f"Falta la marca {{{name}}}: {MARKS[name]}."]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (HOUSE.removeprefix("# "), "empieza con «# »"),
        (HOUSE + "{promeza}", "No existe la marca {promeza}."),
        (HOUSE + "Una { suelta.", "Las llaves { }"),
        (HOUSE + "Los precios: {precios}", "La marca {precios} va sola"),
        ("", "La primera línea"),
    ],
)
def test_malformed_wording_is_refused_in_words(typed: str, words: str) -> None:
    assert any(words in problem for problem in problems(typed))


def test_words_of_the_owner_stand_with_numbers_of_the_program() -> None:
    mine = HOUSE.replace("le llamaremos dentro de {promesa}", "llamamos en {promesa}")
    mine += "\n## 16. Lo nuestro\n- Uno\n\n- Dos\n"
    text = fill(mine, replace(FACTS, promise_minutes=25))
    assert "llamamos en 25 minutos de" in text
    assert text.endswith("## 16. Lo nuestro\n\n- Uno\n- Dos\n")
    assert len(to_blocks(text)) == len(to_blocks(render_terms(FACTS))) + 3
