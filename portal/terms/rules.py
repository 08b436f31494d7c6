"""The text of the terms: rendering, its fingerprint, its blocks. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from portal.terms import duties_rules, offer_rules
from portal.terms.facts_rules import ATTENTION_MINUTES, PriceLine, TermsFacts

__all__ = [
    "ATTENTION_MINUTES",
    "CHECKOUT_TEMPLATE",
    "DOCUMENT",
    "LOCALE",
    "QUOTED",
    "RENEWAL_TEMPLATE",
    "Block",
    "PriceLine",
    "TermsFacts",
    "checkbox_text",
    "join_lines",
    "render_terms",
    "retract_text",
    "section",
    "text_hash",
    "to_blocks",
    "to_lines",
]

DOCUMENT = "terms"
LOCALE = "es-CL"
# Changes when the words or the boxes of the checkout page do.
CHECKOUT_TEMPLATE = "checkout-2"
# An order renewed at another price, under the box that was ticked for the first one.
RENEWAL_TEMPLATE = "renovacion-1"
TITLE = "# Términos de la atención de soporte en línea"

# The owner's values that the text quotes: only `terms.service` may change them.
QUOTED = frozenset(
    {
        "business_name",
        "product_name",
        "business_rut",
        "business_address",
        "business_email",
        "legal_representative",
        "public_phone",
        "promise_minutes",
        "no_answer_minutes",
        "last_sale_minutes",
        "order_life_minutes",
        "pause_limit_minutes",
        "warranty_days",
        "voucher_is_boleta",
    }
)

BlockKind = Literal["h1", "h2", "li", "p"]
_MARKS: tuple[tuple[str, BlockKind], ...] = (("# ", "h1"), ("## ", "h2"), ("- ", "li"))


@dataclass(frozen=True)
class Block:
    """One paragraph, heading or list item of the text, without its mark."""

    kind: BlockKind
    text: str


def render_terms(facts: TermsFacts) -> str:
    """The full text. The same facts always give the same characters.

    Simple marks: `# ` and `## ` open headings, `- ` a list item; a blank line parts
    everything but the items of one list.
    """
    sections = (*offer_rules.SECTIONS, *duties_rules.SECTIONS)
    return join_lines(
        [TITLE, *(line for section in sections for line in section(facts))]
    )


def join_lines(lines: Iterable[str]) -> str:
    """The lines as one text: a blank one between them but inside a list."""
    text = ""
    before = ""
    for line in to_lines("\n".join(lines)):
        same_list = before.startswith("- ") and line.startswith("- ")
        text += ("\n" if same_list else "\n\n") + line
        before = line
    return text.strip() + "\n"


def to_lines(text: str) -> list[str]:
    """The lines that say something, without their outer blanks."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def to_blocks(body: str) -> list[Block]:
    """The text in order, for a template that escapes it."""
    return [_to_block(line) for line in body.splitlines() if line.strip()]


def _to_block(line: str) -> Block:
    for mark, kind in _MARKS:
        if line.startswith(mark):
            return Block(kind, line.removeprefix(mark))
    return Block("p", line)


def section(body: str, words: str) -> list[Block]:
    """The blocks under the heading that has these words, without it; maybe none."""
    found: list[Block] = []
    inside = False
    for block in to_blocks(body):
        if block.kind in ("h1", "h2"):
            inside = words in block.text
        elif inside:
            found.append(block)
    return found


def text_hash(body: str) -> str:
    """SHA-256 of the text's UTF-8, in hexadecimal."""
    return hashlib.sha256(body.encode()).hexdigest()


def checkbox_text(number: int) -> str:
    """The words beside the box that the customer ticks."""
    return f"He leído y acepto los Términos v{number}"


def retract_text(by_the_hour: bool) -> str:
    """What the page that asks for the acceptance says of the right to withdraw."""
    what = "su atención" if by_the_hour else "el servicio"
    return (
        f"Tiene {duties_rules.RETRACT_DAYS} días para pedir la devolución de todo lo "
        f"pagado, sin dar razones, mientras no hayamos comenzado {what}. Basta un "
        "botón en la página de su pedido."
    )
