"""A kill, a full disk or a broken one at every write and sync of `settle` (SQLite).

strace lets the Nth such call of the process end it, or fail. Afterwards the database
is whole, tells of the payment entirely or not at all, and the same word heals it.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.torture import ROOT
from bench.torture.histories import quietly
from bench.torture.report import Line

CALLS = "pwrite64,fdatasync,fsync,ftruncate"
MOST = 400
SECONDS = 120
KINDS = {
    "muerte en cada escritura de settle": "signal=SIGKILL",
    "disco lleno en cada escritura de settle": "error=ENOSPC",
    "disco roto en cada escritura de settle": "error=EIO",
}


def run(every: int, processes: int) -> list[Line]:
    if shutil.which("strace") is None:
        return [
            Line(name, "strace no está instalado: no se midió", "0 malos", "-", False)
            for name in KINDS
        ]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_run, name, kind, every) for name, kind in KINDS.items()]
        return [job.result() for job in jobs]


def _run(name: str, kind: str, every: int) -> Line:
    return quietly(lambda: _spoil_each(name, kind, every))  # type: ignore[no-any-return]


def _spoil_each(name: str, kind: str, every: int) -> Line:
    from bench.torture.worlds import world

    began = time.monotonic()
    with world("sqlite") as made, tempfile.TemporaryDirectory() as folder:
        payment_id = _prepare(made, Path(folder))
        bad, points, spoilt = [], 0, 0
        for number in range(1, MOST, every):
            outcome, problems = _one(made, Path(folder), payment_id, kind, number)
            if outcome == "untouched":
                break
            points += 1
            spoilt += outcome == "spoilt"
            bad += [f"{name}, llamada {number}: {problem}" for problem in problems]
    for problem in bad[:10]:
        print(problem)
    part = "todas" if every == 1 else f"1 de cada {every}"
    return Line(
        name,
        f"{len(bad)} malas de {points} llamadas ({part})",
        "0 malas",
        f"{spoilt} de {points} no se alcanzaron a guardar y sanaron al repetir",
        not bad and points > 0 and spoilt > 0,
        time.monotonic() - began,
    )


def _prepare(world: Any, folder: Path) -> int:
    """A payment whose commit was answered, not yet settled; its evidence in a file."""
    placed = world.place()
    sent = world.start(placed, "webpay")
    world.choose_webpay(sent.token, "visa")
    with world.session():
        evidence = asdict(world.gateways.webpay.commit(sent.token))
    evidence["approved_at"] = evidence["approved_at"].isoformat()
    (folder / "evidence.json").write_text(json.dumps(evidence))
    world._dispose()
    shutil.copy(world.database, folder / "before.sqlite3")
    log = world.database.with_name(world.database.name + "-wal")
    if log.exists():
        shutil.copy(log, folder / "before.sqlite3-wal")
    return int(sent.payment_id)


def _one(
    world: Any, folder: Path, payment_id: int, kind: str, number: int
) -> tuple[str, list[str]]:
    """What became of one spoilt settlement: its outcome, and what is wrong after it."""
    for end in ("", "-wal", "-shm"):
        target = folder / f"portal.sqlite3{end}"
        target.unlink(missing_ok=True)
        if (folder / f"before.sqlite3{end}").exists():
            shutil.copy(folder / f"before.sqlite3{end}", target)
    done = _spoil(folder, payment_id, kind, number)
    killed = done.returncode in (-9, 137) or "SIGKILL" in done.stderr
    touched = "(INJECTED)" in done.stderr or killed
    if not touched:
        return "untouched", []
    problems = _answer_problems(done) if "error" in kind else []
    problems += _integrity(folder / "portal.sqlite3")
    before = _state(folder / "portal.sqlite3")
    if before not in (("redirected", "awaiting_payment"), ("approved", "paid")):
        problems.append(f"half a settlement: {before}")
    healed = _spoil(folder, payment_id, "", 0)
    if '"status": 200' not in healed.stdout:
        problems.append(f"did not heal: {healed.stdout}{healed.stderr[-300:]}")
    if _state(folder / "portal.sqlite3") != ("approved", "paid"):
        problems.append("not paid after the same word again")
    return ("spoilt" if before[1] != "paid" else "kept"), problems


def _spoil(
    folder: Path, payment_id: int, kind: str, number: int
) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "bench.torture.one_settle"),
        *(str(folder / "portal.sqlite3"), str(folder / "evidence.json")),
        str(payment_id),
    ]
    if kind:
        inject = f"inject={CALLS}:{kind}:when={number}"
        # strace gives no signal to a call that its filter in the kernel let pass.
        fast = ["--seccomp-bpf"] if kind.startswith("error") else []
        trace = ["-e", f"trace={CALLS}", "-e", inject]
        command = ["strace", "-f", *fast, *trace, *command]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def _answer_problems(done: subprocess.CompletedProcess[str]) -> list[str]:
    """A settlement that could not be written answers 503 and says when to return.

    An error in what SQLite does after the commit (its checkpoint) harms nobody: 200.
    """
    if not done.stdout:
        return [f"no answer: {done.stderr[-300:]}"]
    answer = json.loads(done.stdout)
    if answer["status"] == 503 and answer["after"]:
        return []
    return [] if answer["status"] == 200 else [f"answered {answer}"]


def _integrity(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    return [] if found == [("ok",)] and not broken else [f"damaged: {found} {broken}"]


def _state(path: Path) -> tuple[str, str]:
    with sqlite3.connect(path) as connection:
        row = connection.execute(
            "SELECT p.state, o.state FROM payments p JOIN orders o ON o.id = p.order_id"
        ).fetchone()
    connection.close()
    return (str(row[0]), str(row[1]))
