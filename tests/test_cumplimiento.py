"""docs/cumplimiento.md names every item of the law, and tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "cumplimiento.md"
_ROW = re.compile(r"^\| (CL-\d+) \|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def missing_tests(text: str) -> list[str]:
    """The tests that the text names and that nobody wrote."""
    found = []
    for path, name in _TEST.findall(text):
        file = ROOT / path
        if not file.is_file() or f"\ndef {name}(" not in file.read_text():
            found.append(f"{path}::{name}")
    return found


def test_every_item_has_its_row_in_order() -> None:
    items = [row[0] for row in _ROW.findall(TABLE.read_text())]
    assert items == [f"CL-{number}" for number in range(1, 68)]


def test_every_named_test_exists_and_no_row_is_without_proof() -> None:
    text = TABLE.read_text()
    assert len(_TEST.findall(text)) > 40
    assert missing_tests(text) == []
    for item, _what, _where, proof in _ROW.findall(text):
        assert proof.strip(" -"), item
    assert missing_tests("`tests/test_money.py::test_that_nobody_wrote`")
    assert missing_tests("`tests/absent.py::test_x`")


def test_it_says_that_counsel_must_sign_off() -> None:
    assert "abogada o un abogado de Chile debe aprobar" in TABLE.read_text()
