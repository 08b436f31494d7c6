"""The owner's wording of the terms: her text, with marks where the numbers stand. Pure.

A mark like `{promesa}` is filled in when a version is published, so that whatever the
words are, the numbers are those that the program goes by.
"""

import re
from dataclasses import dataclass

from portal.terms.duties_rules import warranty_days, ways_of_contact
from portal.terms.facts_rules import ATTENTION_MINUTES, PriceLine, TermsFacts, minutes
from portal.terms.offer_rules import last_sale, price_line
from portal.terms.rules import join_lines, render_terms, to_lines

MAX_WORDING = 30_000
# What each mark stands for, in the owner's words.
MARKS = {
    "empresa": "razón social",
    "programa": "nombre del programa",
    "rut": "RUT de la empresa",
    "domicilio": "dirección de la empresa",
    "representante": "representante legal",
    "correo": "correo de la empresa",
    "telefono": "teléfono público",
    "precios": "lista de precios, sola en su línea",
    "horarios": "lista de horarios, sola en su línea",
    "ultima_venta": "hasta cuándo se vende cada día",
    "vida_del_pedido": "vida de un pedido sin pagar",
    "promesa": "promesa de llamada",
    "no_contestan": "minutos de «No me contestan»",
    "limite_de_pausas": "límite de pausas",
    "duracion": "duración de una atención",
    "garantia": "días de garantía",
    "medios_de_contacto": "nuestros medios de contacto, con correo y teléfono",
}
_LISTS = ("precios", "horarios")
_MARK = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")
# Numbers that stand nowhere else in the text: each marks its own place.
_NUMBERS = {
    "no_contestan": 900_002,
    "vida_del_pedido": 900_004,
    "promesa": 900_001,
    "limite_de_pausas": 900_005,
}
_LAST_SALE, _WARRANTY = 900_003, 900_006


def house_wording() -> str:
    """The program's own text with its marks: what a first draft begins with."""
    facts = TermsFacts(
        business_name="{empresa}",
        product_name="{programa}",
        business_rut="{rut}",
        business_address="{domicilio}",
        legal_representative="{representante}",
        business_email="{correo}",
        public_phone="{telefono}",
        prices=(PriceLine(name="{precios}", price_normal=0, price_special=None),),
        weekly=(("{horarios}", ""),),
        promise_minutes=_NUMBERS["promesa"],
        no_answer_minutes=_NUMBERS["no_contestan"],
        last_sale_minutes=_LAST_SALE,
        order_life_minutes=_NUMBERS["vida_del_pedido"],
        pause_limit_minutes=_NUMBERS["limite_de_pausas"],
        warranty_days=_WARRANTY,
    )
    text = render_terms(facts)
    text = text.replace(price_line(facts.prices[0]), "{precios}")
    text = text.replace("- {horarios}: .", "{horarios}")
    text = text.replace(last_sale(facts), "{ultima_venta}")
    text = text.replace(warranty_days(facts), "{garantia}")
    text = text.replace(ways_of_contact(facts), "{medios_de_contacto}")
    for name, number in _NUMBERS.items():
        text = text.replace(minutes(number), f"{{{name}}}")
    return join_lines(
        text.replace(minutes(ATTENTION_MINUTES), "{duracion}").split("\n")
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """What the marks say now: a text each, or the lines of a list."""

    texts: dict[str, str]
    lists: dict[str, list[str]]


def _values(facts: TermsFacts) -> _Values:
    return _Values(
        texts={
            "empresa": facts.business_name,
            "programa": facts.product_name,
            "rut": facts.business_rut,
            "domicilio": facts.business_address,
            "representante": facts.legal_representative,
            "correo": facts.business_email,
            "telefono": facts.public_phone,
            "ultima_venta": last_sale(facts),
            "vida_del_pedido": minutes(facts.order_life_minutes),
            "promesa": minutes(facts.promise_minutes),
            "no_contestan": minutes(facts.no_answer_minutes),
            "limite_de_pausas": minutes(facts.pause_limit_minutes),
            "duracion": minutes(ATTENTION_MINUTES),
            "garantia": warranty_days(facts),
            "medios_de_contacto": ways_of_contact(facts),
        },
        lists={
            "precios": [price_line(line) for line in facts.prices],
            "horarios": [f"- {label}: {text}." for label, text in facts.weekly],
        },
    )


def fill(wording: str, facts: TermsFacts) -> str:
    """The text of a version. A list's line is left out when its mark is empty."""
    values = _values(facts)
    lines: list[str] = []
    for line in to_lines(wording):
        names = _MARK.findall(line)
        if len(names) == 1 and line == f"{{{names[0]}}}" and names[0] in _LISTS:
            lines += values.lists[names[0]]
        elif not (line.startswith("- ") and _is_empty(names, values)):
            lines.append(_MARK.sub(lambda mark: values.texts[mark[1]], line))
    return join_lines(lines)


def _is_empty(names: list[str], values: _Values) -> bool:
    return bool(names) and not any(values.texts.get(name) for name in names)


def problems(wording: str) -> list[str]:
    """Everything that keeps a wording from being kept, in Spanish."""
    lines = to_lines(wording)
    used = set(_MARK.findall(wording))
    found = []
    if not lines or not lines[0].startswith("# "):
        found.append("La primera línea es el título y empieza con «# ».")
    found += [f"No existe la marca {{{name}}}." for name in sorted(used - set(MARKS))]
    if _BRACE.search(_MARK.sub("", wording)):
        found.append("Las llaves { } solo se usan en las marcas, como {promesa}.")
    found += [
        f"Falta la marca {{{name}}}: {meaning}."
        for name, meaning in MARKS.items()
        if name not in used
    ]
    for name in _LISTS:
        mark = f"{{{name}}}"
        if any(mark in line and line != mark for line in lines):
            found.append(f"La marca {mark} va sola en su línea.")
    return found
