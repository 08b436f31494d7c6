"""docs/seguridad.md decides every item of levels 1 and 2 and names real checks."""

import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
PAGE = TESTS.parent / "docs" / "seguridad.md"
# How many items of levels 1 and 2 each chapter of ASVS 5.0 has.
CHAPTERS = {
    **{1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29},
    **{11: 15, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7},
}
# The 25 that matter most here, and the next five: each has an automatic check.
MOST = {
    *("2.3.1", "2.3.3", "2.3.4", "2.2.2", "2.4.1", "8.2.1", "8.2.2", "11.5.1"),
    *("14.2.1", "3.4.5", "14.3.2", "14.3.3", "1.2.1", "3.2.2", "1.2.4", "3.4.3"),
    *("3.4.6", "3.3.1", "3.3.2", "3.3.3", "3.3.4", "3.5.1", "3.5.3", "3.7.2"),
    *("6.3.1", "7.2.4", "7.4.1", "7.4.2", "11.4.2", "1.3.11", "4.1.3", "15.3.4"),
    *("16.2.5", "16.4.1", "16.5.2", "16.5.3", "13.3.1", "13.4.2", "15.3.7"),
    "16.5.1",
}
_ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (met|partly|manual|open|n/a) \| "
    r"(.+?) \| (.+?) \|$",
    re.MULTILINE,
)
_CHECK = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def rows() -> dict[str, tuple[str, ...]]:
    found = [match.groups() for match in _ROW.finditer(PAGE.read_text())]
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def exists(path: str, name: str) -> bool:
    file = TESTS / path
    if not file.is_file():
        return False
    return not name or f"def {name}(" in file.read_text()


def test_every_item_is_decided_once() -> None:
    found = Counter(int(item.partition(".")[0]) for item in rows())
    assert found == CHAPTERS


def test_every_check_that_is_named_exists() -> None:
    missing = [
        (item, path, name)
        for item, row in rows().items()
        for path, name in _CHECK.findall(row[-1])
        if not exists(path, name)
    ]
    assert missing == []


@pytest.mark.parametrize("item", sorted(MOST))
def test_what_matters_most_has_an_automatic_check(item: str) -> None:
    decision, check = rows()[item][2], rows()[item][4]
    assert decision in ("met", "partly")
    assert _CHECK.search(check)


def test_what_is_not_met_says_so_above_the_table() -> None:
    above = PAGE.read_text().partition("| item | level |")[0]
    for item, row in rows().items():
        if row[2] == "open":
            assert item in above


def test_a_check_that_is_not_there_is_found() -> None:
    assert not exists("security/test_asvs.py", "test_nothing_of_the_kind")
    assert exists("security/test_asvs.py", "test_every_item_is_decided_once")
