"""The figures of a run: one Markdown table and one JSON file."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One figure with its target and its control (what it reads without the guard)."""

    campaign: str
    figure: str
    target: str
    control: str
    holds: bool
    seconds: float = 0.0
    # Which campaign made it, and its size, revision and day.
    name: str = ""
    taken: str = ""

    def row(self) -> str:
        verdict = "sí" if self.holds else "**NO**"
        cells = (self.campaign, self.figure, self.target, self.control, verdict)
        return f"| {' | '.join(cells)} | {self.seconds:.0f} s | {self.taken} |"


HEAD = (
    "| campaña | cifra | meta | control (sin la guarda) | se cumple | duró | medido |\n"
    "|---|---|---|---|---|---|---|"
)


def table(lines: list[Line]) -> str:
    return "\n".join([HEAD, *(line.row() for line in lines)])


def machine() -> str:
    """How big the machine is on which the figures were taken."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} núcleos, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _kept(path: Path) -> list[Line]:
    if not path.exists():
        return []
    return [Line(**old) for old in json.loads(path.read_text())["lines"]]


def is_measured(path: Path, name: str, taken: str) -> bool:
    """Whether the campaign's figures in `path` are good ones of this very run."""
    lines = [line for line in _kept(path) if line.name == name]
    return bool(lines) and all(line.holds and line.taken == taken for line in lines)


def keep(path: Path, lines: list[Line]) -> None:
    """Keep the last figures of each campaign in `path`."""
    new = {line.name for line in lines}
    kept = [line for line in _kept(path) if line.name not in new] + lines
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"lines": [asdict(line) for line in kept]}
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")


def merged(report: str, lines: list[Line]) -> str:
    """The report's table with these lines in it, in the place of their older ones.

    What other machines and trees measured stands in the report alone: it stays.
    """
    rows = {}
    for row in report.splitlines():
        cells = row.strip("|").split(" | ")
        if row.startswith("| ") and not row.startswith("| campaña"):
            missing = HEAD.count("|", 0, HEAD.index("\n")) - 1 - len(cells)
            rows[cells[0].strip()] = row + " |" * missing
    rows |= {line.campaign: line.row() for line in lines}
    return "\n".join([HEAD, *rows.values()])
