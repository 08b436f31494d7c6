"""What a seeded defect is: one guard taken away, and the tests that must then fail."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.torture import ROOT

_KEPT = ("portal", "tests", "migrations", "bench", "docs", "pyproject.toml", "wsgi.py")
_SKIPPED = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")


@dataclass(frozen=True)
class Defect:
    """`old` (found exactly once in `file`) becomes `new`; `tests` must then fail.

    `first` is the one that is known to; it is tried before the feature's whole files.
    """

    name: str
    first: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    # Its tests start processes, or run files that are no modules: a tree of its own.
    in_tree: bool = False


def copy_tree(where: Path) -> Path:
    """The project as it is now, in a folder of its own."""
    where.mkdir(parents=True)
    for name in _KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, where / name, ignore=_SKIPPED)
        elif source.exists():
            shutil.copy(source, where / name)
    return where


def of_portal(
    name: str, first: str, file: str, old: str, new: str, *tests: str
) -> Defect:
    tests = tests or (first.partition("::")[0],)
    return Defect(name, first, f"portal/{file}", old, new, tests)
