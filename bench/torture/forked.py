"""The tests over a module changed in memory, in a process forked for it.

The parent has imported what no change touches (Flask, SQLAlchemy, pytest, ...), so that
a trial costs the portal's own import and the tests. No file is written but where the
tests start processes of their own: those have a copy of the project.
"""

import ast
import importlib
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.torture import ROOT
from bench.torture.seeded import copy_tree

# A change may make a loop that never ends.
CPU_SECONDS = 240
CPU_SECONDS_PURE = 10
WALL_SECONDS = 900
_NOTHING_COLLECTED = 5


@dataclass(frozen=True)
class Trial:
    """`module` as `changed`; `first` are the tests that are known to notice it.

    Where those pass (or are gone), `tests` are run whole, until the first failure.
    """

    name: str
    module: str
    changed: ast.Module | str
    first: tuple[str, ...]
    tests: tuple[str, ...]
    # Pure modules are tested with no application, no database and no plugin.
    pure: bool = False
    # Which of the tests, as pytest's -k says it.
    keyword: str = ""
    # The file to change in a copy of the project: the tests start processes that read
    # it. Empty: the module is changed in memory.
    tree: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether the tests failed, and which of them."""

    trial: Trial
    found: bool
    by: str


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module instead of the one on disk."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self.trial.module:
            return None
        return importlib.util.spec_from_file_location(
            name, path_of(name), loader=self, submodule_search_locations=None
        )

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        code = compile(self.trial.changed, str(module.__file__), "exec")
        exec(code, module.__dict__)  # noqa: S102 (the module itself, one thing changed)


class _Watch:
    """Keeps the first test that failed."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def path_of(module: str) -> Path:
    """The module's file."""
    return ROOT / (module.replace(".", "/") + ".py")


def preload() -> None:
    """What every child needs and no change touches."""
    for name in (
        *("flask", "flask_sqlalchemy", "flask_migrate", "flask_login", "flask_wtf"),
        *("flask_limiter", "flask_limiter.util", "holidays", "phonenumbers", "babel"),
        *("babel.dates", "transbank.webpay.webpay_plus.transaction", "mercadopago"),
        *("pysqlite3.dbapi2", "psycopg", "pytest", "hypothesis", "hypothesis.stateful"),
        *("playwright.sync_api", "bs4", "email_validator", "stdnum.cl.rut", "segno"),
        *("xlsxwriter", "sqlalchemy.orm", "cryptography.fernet", "requests"),
        *("alembic.script", "alembic.runtime.migration", "htmx_flask", "wtforms"),
        *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg"),
    ):
        importlib.import_module(name)


def verdicts(trials: Iterable[Trial], processes: int) -> Iterator[Verdict]:
    """Try each, `processes` of them at a time, and tell as they end."""
    preload()
    waiting = list(trials)
    running: dict[int, tuple[Trial, float]] = {}
    waiting.reverse()
    with tempfile.TemporaryDirectory(prefix="trials-") as folder:
        while waiting or running:
            while waiting and len(running) < processes:
                trial = waiting.pop()
                running[_spawn(trial, Path(folder))] = (trial, time.monotonic())
            child, status = _next(running)
            trial, _ = running.pop(child)
            _end_group(child)
            yield _verdict(trial, status, Path(folder) / str(child))


def _next(running: dict[int, tuple[Trial, float]]) -> tuple[int, int]:
    """The next child that ended; one that hangs is ended."""
    while True:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child in running:
            return child, status
        for number, (_, began) in running.items():
            if time.monotonic() - began > WALL_SECONDS:
                os.kill(number, signal.SIGKILL)
        time.sleep(0.02)


def _end_group(child: int) -> None:
    """What the trial started and left behind; the group is its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _verdict(trial: Trial, status: int, report: Path) -> Verdict:
    code = os.waitstatus_to_exitcode(status)
    if code == _NOTHING_COLLECTED:
        raise RuntimeError(f"{trial.name}: no test was collected")
    by = report.read_text() if report.exists() else ""
    if code < 0:
        by = f"signal {-code}"
    elif code and not by:
        by = "import"
    return Verdict(trial, code != 0, by)


def _spawn(trial: Trial, folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()
        most = CPU_SECONDS_PURE if trial.pure else CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        status = _in_child(trial, folder / str(os.getpid()))
    except BaseException:  # whatever the change broke
        status = 1
    os._exit(status)


def _in_child(trial: Trial, report: Path) -> int:
    """The exit status of the tests; runs in the forked process."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.chdir(ROOT)
    if trial.tree:
        _move_to_tree(trial, report.with_suffix(".tree"))
    else:
        sys.meta_path.insert(0, _Changed(trial))
    if trial.pure:
        _bare_package("portal")
    # 1 is a failed test; anything else says only that the test is not there any more.
    if trial.first and _tests(trial, trial.first, report) == 1:
        return 1
    return _tests(trial, trial.tests, report)


def _move_to_tree(trial: Trial, tree: Path) -> None:
    """Let this process import, and run, a copy of the project with the change in it."""
    copy_tree(tree)
    (tree / trial.tree).write_text(str(trial.changed))
    os.chdir(tree)
    own = {"", str(ROOT), str(ROOT / "tests")}
    sys.path[:] = [str(tree), *(path for path in sys.path if path not in own)]


def _bare_package(name: str) -> None:
    """The package without what its `__init__` imports: pure modules need none of it."""
    package = types.ModuleType(name)
    package.__path__ = [str(ROOT / name)]
    sys.modules[name] = package


def _tests(trial: Trial, tests: tuple[str, ...], report: Path) -> int:
    import pytest

    watch = _Watch()
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider"]
    if trial.pure:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options.append("--noconftest")
    if trial.keyword:
        options += ["-k", trial.keyword]
    status = int(pytest.main([*options, *tests], plugins=[watch]))
    if watch.failed:
        report.write_text(watch.failed)
    return status
