"""`python -m bench.torture [campaign...] [--full]`: run, print, write the report."""

import argparse
import subprocess
from datetime import UTC, datetime

from bench.torture import ROOT
from bench.torture.report import Line, machine, merge, table

REPORT = ROOT / "docs" / "fiabilidad.md"
FIGURES = ROOT / "var" / "torture.json"
NAMES = (
    *("firmas", "retornos", "historias", "eventos", "muertes", "llamadas"),
    *("correos", "defectos", "mutantes", "respaldos"),
)


def _campaign(name: str, full: bool, processes: int) -> list[Line]:
    """The campaign's lines, at the size of the issue (`full`) or at a tenth of it."""
    if name == "firmas":
        from bench.torture import signatures

        return signatures.run(10_000, 1_000_000 if full else 100_000)
    if name == "retornos":
        from bench.torture import returns

        return [returns.run(300, 1.0) if full else returns.run(60, 0.25)]
    if name == "historias":
        from bench.torture import histories

        many, few = (20_000, 2_000) if full else (2_000, 250)
        return [
            histories.run("sqlite", many, processes, controls=True),
            histories.run("postgresql", few, processes, controls=False),
        ]
    if name == "eventos":
        from bench.torture import events

        return [events.run(10, 1) if full else events.run(6, 7)]
    if name == "muertes":
        from bench.torture import kills

        count = 300 if full else 30
        return [kills.run("sqlite", count), kills.run("postgresql", count)]
    if name == "llamadas":
        from bench.torture import syscalls

        return syscalls.run(every=1 if full else 4)
    if name == "respaldos":
        from bench.torture import backups

        # Every drill is a second: the issue's own hundred, always.
        return [backups.run("sqlite", 100), backups.run("postgresql", 25)]
    if name == "correos":
        from bench.torture import mails

        few = 1_000 if full else 200
        return [
            mails.run("sqlite", 1_000, controls=True),
            mails.run("postgresql", few, controls=False),
        ]
    if name == "defectos":
        from bench.torture import defects

        return [defects.run()]
    from bench.torture import mutants

    return [mutants.run()]


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "sin git"


def main() -> int:
    """Exit status 1 when any figure misses its target or its control."""
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("campaigns", nargs="*", metavar="|".join(NAMES))
    parser.add_argument("--full", action="store_true", help="the issue's own sizes")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if unknown := set(asked.campaigns) - set(NAMES):
        parser.error(f"unknown campaign: {', '.join(sorted(unknown))}")
    about = {
        "orden": "make torture" + (" FULL=1" if asked.full else ""),
        "máquina": machine(),
        "fecha": datetime.now(UTC).date().isoformat(),
        "semilla": "20261124",
        "revisión": _revision(),
        "bases de datos": "SQLite (pysqlite3, archivo en memoria) y PostgreSQL",
    }
    ran: list[Line] = []
    for name in asked.campaigns or NAMES:
        print(f"== {name}", flush=True)
        lines = _campaign(name, asked.full, asked.processes)
        ran += lines
        print(table(lines), flush=True)
        _write(merge(FIGURES, lines, about), about)
    return 0 if all(line.holds for line in ran) else 1


def _write(lines: list[Line], about: dict[str, str]) -> None:
    """The last figures of every campaign, between the report's own words."""
    parts = REPORT.read_text().split(_MARK) if REPORT.exists() else [_TITLE, "", ""]
    told = "\n".join(f"- {name}: {value}" for name, value in about.items())
    body = f"\n{told}\n\n{table(lines)}\n"
    REPORT.write_text(_MARK.join([parts[0], body, parts[2]]))


_MARK = "<!-- cifras -->"
_TITLE = "# Fiabilidad\n\n"

if __name__ == "__main__":
    raise SystemExit(main())
