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

    def row(self) -> str:
        verdict = "sí" if self.holds else "**NO**"
        cells = (self.campaign, self.figure, self.target, self.control, verdict)
        return f"| {' | '.join(cells)} | {self.seconds:.0f} s |"


HEAD = (
    "| campaña | cifra | meta | control (sin la guarda) | se cumple | duró |\n"
    "|---|---|---|---|---|---|"
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


def merge(path: Path, lines: list[Line], about: dict[str, str]) -> list[Line]:
    """Keep the last figures of each campaign in `path`; all of them, in order."""
    kept: dict[str, Line] = {}
    if path.exists():
        for old in json.loads(path.read_text())["lines"]:
            kept[old["campaign"]] = Line(**old)
    for line in lines:
        kept[line.campaign] = line
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"about": about, "lines": [asdict(line) for line in kept.values()]}
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    return list(kept.values())
