"""`python -m bench.torture [campaign...] [--full]`: run, print, write the report.

Each campaign has a process of its own, and its figures are kept as soon as it ends:
`--resume` goes on after a cut, one that fell does not stop the others, and a campaign
alone (`ARGS=muertes`) replaces its own lines in the report.
"""

import argparse
import subprocess
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context

from bench.torture import ROOT
from bench.torture.report import Line, is_measured, keep, machine, merged, table

REPORT = ROOT / "docs" / "fiabilidad.md"
FIGURES = ROOT / "var" / "torture.json"
ATTACKS = ("fuzz", "lentos", "observatorio")
NAMES = (
    *("firmas", "retornos", "historias", "eventos", "muertes", "llamadas"),
    *("correos", "tomas", "defectos", "mutantes", "respaldos"),
    *ATTACKS,
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

        return [events.run(10, 1, processes) if full else events.run(6, 7, processes)]
    if name == "muertes":
        from bench.torture import kills

        count = 300 if full else 30
        return [kills.run("sqlite", count), kills.run("postgresql", count)]
    if name == "llamadas":
        from bench.torture import syscalls

        return syscalls.run(1 if full else 4, processes)
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
    return _rest(name, full, processes)


def _rest(name: str, full: bool, processes: int) -> list[Line]:
    if name == "tomas":
        from bench.torture import takes

        rounds = 1_000 if full else 100
        return [*takes.run("sqlite", rounds), *takes.run("postgresql", rounds)]
    if name == "defectos":
        from bench.torture import defects

        return [defects.run(processes)]
    from bench.torture import mutants

    return [mutants.run(processes)]


def _run(name: str, full: bool, processes: int) -> list[Line]:
    if name not in ATTACKS:
        return _campaign(name, full, processes)
    from bench.torture import attacks

    return attacks.run(name, full)


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "sin git"


def _alone(name: str, full: bool, processes: int) -> list[Line]:
    """The campaign in a fresh process: none finds what another has imported."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, name, full, processes).result()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("campaigns", nargs="*", metavar="|".join(NAMES))
    parser.add_argument("--full", action="store_true", help="the real sizes")
    parser.add_argument("--resume", action="store_true", help="not what is measured")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    if unknown := set(asked.campaigns) - set(NAMES):
        parser.error(f"unknown campaign: {', '.join(sorted(unknown))}")
    return asked


def main() -> int:
    """Exit status 1 when any figure misses its target or its control."""
    asked = _asked()
    size, today = ("completo" if asked.full else "reducido"), datetime.now(UTC).date()
    taken = f"{size}, {_revision()}, {today.isoformat()}"
    well = True
    for name in asked.campaigns or NAMES:
        if asked.resume and is_measured(FIGURES, name, taken):
            print(f"== {name}: {taken}, ya medida", flush=True)
            continue
        print(f"== {name} ({datetime.now(UTC):%H:%M:%S})", flush=True)
        try:
            lines = _alone(name, asked.full, asked.processes)
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
