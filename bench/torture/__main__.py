"""`python -m bench.torture [campaign...] [--full]`: run, print, write the report.

Each campaign has a process of its own, and its figures are kept as soon as it ends:
`--resume` goes on after a cut, one that fell does not stop the others, and a campaign
alone (`ARGS=muertes`) replaces its own lines in the report.
"""

import argparse
import subprocess
import traceback
from dataclasses import replace
from datetime import UTC, datetime

from bench.torture import ROOT, campaigns
from bench.torture.report import Line, is_measured, keep, machine, merged, table

REPORT = ROOT / "docs" / "fiabilidad.md"
FIGURES = ROOT / "var" / "torture.json"


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "sin git"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("campaigns", nargs="*", metavar="|".join(campaigns.NAMES))
    parser.add_argument("--full", action="store_true", help="the real sizes")
    parser.add_argument("--resume", action="store_true", help="not what is measured")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if unknown := set(asked.campaigns) - set(campaigns.NAMES):
        parser.error(f"unknown campaign: {', '.join(sorted(unknown))}")
    return asked


def main() -> int:
    """Exit status 1 when any figure misses its target or its control."""
    asked = _asked()
    size, today = ("completo" if asked.full else "reducido"), datetime.now(UTC).date()
    taken = f"{size}, {_revision()}, {today.isoformat()}"
    well = True
    for name in asked.campaigns or campaigns.NAMES:
        if asked.resume and is_measured(FIGURES, name, taken):
            print(f"== {name}: {taken}, ya medida", flush=True)
            continue
        print(f"== {name} ({datetime.now(UTC):%H:%M:%S})", flush=True)
        try:
            lines = campaigns.alone(name, asked.full, asked.processes)
        except Exception:
            traceback.print_exc()
            well = False
            continue
        lines = [replace(line, name=name, taken=taken) for line in lines]
        print(table(lines), flush=True)
        well = well and all(line.holds for line in lines)
        keep(FIGURES, lines)
        _write(lines)
    return 0 if well else 1


def _write(lines: list[Line]) -> None:
    """The last figures of every campaign, between the report's own words."""
    parts = REPORT.read_text().split(_MARK) if REPORT.exists() else [_TITLE, "", ""]
    about = {
        "orden": "make torture FULL=1 (completo), make torture (reducido)",
        "máquina": machine(),
        "semilla": "20261124",
        "bases de datos": "SQLite (pysqlite3, archivo en memoria) y PostgreSQL",
    }
    told = "\n".join(f"- {name}: {value}" for name, value in about.items())
    body = f"\n{told}\n\n{merged(parts[1], lines)}\n"
    REPORT.write_text(_MARK.join([parts[0], body, parts[2]]))


_MARK = "<!-- cifras -->"
_TITLE = "# Fiabilidad\n\n"

if __name__ == "__main__":
    raise SystemExit(main())
