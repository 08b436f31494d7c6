"""What the next version of the terms would say that this one does not. Pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from portal.terms.rules import Block, to_blocks

SAME, ADDED, REMOVED = "same", "added", "removed"


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph, with what happens to it: same, added or removed."""

    mark: str
    text: str


def compare(old: str, new: str) -> list[Line]:
    """Every paragraph of both texts, in order; what goes before what comes."""
    before, after = to_blocks(old), to_blocks(new)
    found: list[Line] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found += _lines(SAME, after[c:d])
        else:
            found += _lines(REMOVED, before[a:b]) + _lines(ADDED, after[c:d])
    return found


def _lines(mark: str, blocks: list[Block]) -> list[Line]:
    return [Line(mark, block.text) for block in blocks]


def differences(old: str, new: str) -> list[Line]:
    """Only what goes and what comes; empty when the texts are one."""
    return [line for line in compare(old, new) if line.mark != SAME]
