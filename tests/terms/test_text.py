"""The text has each clause of the customer's own terms, and what the law asks for."""

import re
from dataclasses import replace

import pytest
from terms_cases import FACTS

from portal.terms.rules import (
    Block,
    checkbox_text,
    render_terms,
    text_hash,
    to_blocks,
)

TEXT = render_terms(FACTS)

# Section of the text, and words that only this clause has.
SOURCE = [
    (1, "ItplusNet Ltda. ha dispuesto para usted la atención de su área de soporte"),
    (1, "todos nuestros clientes que trabajan con el software Punto de Venta y G"),
    (1, "No necesita tener un contrato activo"),
    (
        1,
        "paga en línea y recibe de inmediato, dentro del horario de atención, una aten",
    ),
    (1, "Mesa de Ayuda"),
    (4, "Lunes a viernes: 09:00 a 18:30 (normal), 18:31 a 22:00 (especial)"),
    (4, "Sábado: 10:00 a 21:00 (especial)"),
    (4, "Domingo: 10:00 a 14:00 (especial)"),
    (
        4,
        "feriados distintos de los domingos no están contemplados en el horario de tra",
    ),
    (5, "Al terminar el pago, usted llega a la página de su pedido"),
    (5, "varias vías de contacto con nuestra área de soporte"),
    (5, "puede esperar a que un técnico le llame por teléfono"),
    (5, "Solo en horario especial, usted recibe dos números de celular"),
    (5, "estarán activos para su atención"),
    (5, "es usted quien debe llamar a soporte"),
    (6, "El tiempo límite de una atención es de 90 minutos por vez"),
    (7, "competente, eficaz, responsable y segura"),
    (
        7,
        "por todos los medios y en el menor tiempo posible las soluciones y respuestas",
    ),
    (7, "tenga consultas"),
    (7, "necesite capacitación"),
    (7, "adaptar su imagen corporativa a un documento o reporte"),
    (7, "campos sencillos de una misma tabla"),
    (7, "lo depuramos o le indicamos cómo saltarlo"),
    (7, "analizar su base de datos"),
    (7, "levantar el programa inicialmente"),
    (7, "disco virtual"),
    (7, "isButton"),
    (7, "compatibilidad entre su equipo y el programa"),
    (7, "entre su antivirus y el programa"),
    (7, "entre su sistema operativo y el programa"),
    (7, "otros problemas semejantes"),
    (7, "La obligación principal de la Mesa de Ayuda es resolver problemas del"),
    (7, "y sus derivados"),
    (8, "rápida y oportuna, analizar su problema"),
    (8, "sin dañar su información"),
    (8, "conexión remota segura"),
    (8, "privacidad y guardar absoluta reserva de sus procesos y de su información"),
    (8, "siempre informado de las soluciones que se aplican en su equipo"),
    (9, "virus en su computador"),
    (9, "sistema operativo corrupto"),
    (9, "solo en versiones de Windows de 32 bits; en las de 64 bits, no"),
    (9, "manejo y uso de archivos de Windows que dañen el programa o su librería"),
    (9, "problemas de otros programas"),
    (9, "problemas de otras aplicaciones"),
    (9, "recuperar una base de datos después de que el usuario la eliminó"),
    (9, "después de formatear el equipo sin haber respaldado los informes y la base"),
    (9, "formatear un equipo"),
    (9, "reinstalar el sistema operativo Windows"),
    (9, "problemas de hardware"),
    (9, "reinstalar el programa: este servicio se obtiene directamente con su propio"),
    (10, "la reinstalación del programa"),
    (10, "los servicios técnicos para sus computadores o su red"),
    (10, "la asistencia técnica en terreno, solo en Santiago"),
    (10, "Se adquieren directamente, cada uno con su botón de compra"),
    (10, "independientes de la atención de soporte en línea"),
    (15, "Atentamente"),
]
LAW = [
    (1, "RUT: 12.345.678-5"),
    (1, "Domicilio: Calle Inventada 123, Santiago"),
    (1, "Representante legal: Olive Dueña"),
    (1, "Correo: hola@demo.cl"),
    (1, "Teléfono: +56 2 2345 6789"),
    (2, "puede volver y corregir"),
    (2, "30 minutos antes del último cierre del día"),
    (2, "Webpay o con Mercado Pago"),
    (2, "confirmación de la compra con el texto completo de estos términos"),
    (3, "IVA incluido"),
    (3, "$19.990 en horario normal y $29.990 en horario especial"),
    (3, "Reinstalación: $45.990."),
    (3, "no hay recargos posteriores"),
    (3, "Usted recibe boleta. Si necesita factura, debe pedirla antes de pagar"),
    (4, "hora de Chile continental (Santiago)"),
    (5, "dentro de 10 minutos de horario de atención"),
    (5, "desde 5 minutos después del pago puede avisarlo"),
    (5, "próxima apertura o la devolución completa"),
    (6, "suman como máximo 30 minutos"),
    (6, "los minutos sin usar terminan con ella"),
    (8, "antes de hacerlo y después de hecho"),
    (9, "no limita la responsabilidad que la ley nos asigna"),
    (11, "sin dar razones dentro de 10 días"),
    (11, "no haya comenzado"),
    (11, "el plazo es de 90 días"),
    (11, "el botón de devolución de la página de su pedido"),
    (11, "sin descontar gastos"),
    (11, "antes de 45 días"),
    (12, "30 días hábiles desde que termina (artículo 41 de la Ley 19.496)"),
    (13, "Ley 19.628"),
    (14, "SERNAC"),
    (14, "hola@demo.cl o +56 2 2345 6789"),
    (15, "A su compra se le aplica la versión que usted aceptó"),
    (15, "guardarlas o imprimirlas"),
]


def section(number: int) -> str:
    start = TEXT.index(f"\n## {number}. ")
    return TEXT[start:].split("\n## ")[1]


@pytest.mark.parametrize(("number", "words"), SOURCE)
def test_clause_of_the_customers_terms_is_there(number: int, words: str) -> None:
    assert words in section(number)


@pytest.mark.parametrize(("number", "words"), LAW)
def test_what_the_law_asks_for_is_there(number: int, words: str) -> None:
    assert words in section(number)


def test_text_says_usted_and_shows_nothing_unfinished() -> None:
    words = set(re.findall(r"\w+", TEXT.lower()))
    assert not words & {"tu", "tú", "tus", "tienes", "puedes", "debes", "móvil", "none"}
    assert not re.search(r"[{}_<>]|  |\bTODO\b", TEXT)


@pytest.mark.parametrize(
    "words", ["en ningún caso", "renuncia", "sin previo aviso", "no hay devoluciones"]
)
def test_text_has_no_clause_that_the_law_voids(words: str) -> None:
    assert words not in TEXT.lower()


def test_what_the_owner_has_not_set_is_left_out() -> None:
    bare = replace(
        FACTS,
        business_rut="",
        business_address="",
        legal_representative="",
        business_email="",
        public_phone="",
    )
    text = render_terms(bare)
    assert not re.search(r": ?\.|^- .*:$", text, re.M)
    assert "RUT: " not in text
    assert "medios de contacto. También" in text


def test_one_is_written_in_the_singular() -> None:
    text = render_terms(replace(FACTS, promise_minutes=1, warranty_days=1))
    assert "dentro de 1 minuto de horario" in text
    assert "durante 1 día hábil desde" in text


def test_sale_until_the_closing_itself_is_said_so() -> None:
    text = render_terms(replace(FACTS, last_sale_minutes=0))
    assert "se vende hasta el último cierre del día;" in text


def test_same_facts_give_the_same_text() -> None:
    assert render_terms(replace(FACTS)) == TEXT
    assert text_hash(TEXT) == text_hash(render_terms(FACTS))


def test_hash_is_that_of_the_bytes() -> None:
    known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert text_hash("") == known
    assert text_hash("ñ") != text_hash("n")


def test_blocks_lose_no_word() -> None:
    blocks = to_blocks(TEXT)
    assert blocks[0] == Block("h1", "Términos de la atención de soporte en línea")
    assert [block.kind for block in blocks].count("h2") == 15
    bare = re.sub(r"^(#+|-) ", "", TEXT, flags=re.M).split()
    assert " ".join(block.text for block in blocks).split() == bare


@pytest.mark.parametrize(
    ("line", "block"),
    [
        ("# a", Block("h1", "a")),
        ("## a", Block("h2", "a")),
        ("- a", Block("li", "a")),
        ("a - b", Block("p", "a - b")),
        ("#a", Block("p", "#a")),
        ("- # <b>", Block("li", "# <b>")),
    ],
)
def test_line_becomes_its_block(line: str, block: Block) -> None:
    assert to_blocks(f"\n{line}\n\n") == [block]


def test_box_names_the_version() -> None:
    assert checkbox_text(3) == "He leído y acepto los Términos v3"
