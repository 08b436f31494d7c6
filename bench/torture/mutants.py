"""Mutation testing of the pure rules of money: each small lie must fail a test.

Every comparison, boolean, constant, sum and returned value of the modules is changed,
one at a time, without touching a file: the changed module is compiled in a process
forked for it, which then runs the module's own tests until the first failure.
"""

import ast
import copy
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.torture import ROOT
from bench.torture.report import Line

SECONDS = 60
_PAYMENTS = ["tests/payments/test_rules.py"]
_SETTLE = [
    "tests/payments/test_settle.py",
    "tests/payments/test_races.py",
    "tests/payments/test_refunds.py",
    "tests/payments/test_reconcile.py",
    "tests/payments/test_mails.py",
]
_SUPPORT = ["tests/support/test_rules.py"]
MODULES = {
    "portal.payments.rules": _PAYMENTS,
    "portal.payments.states": _PAYMENTS,
    "portal.payments.refund_rules": _PAYMENTS,
    "portal.support.rules": _SUPPORT,
    "portal.orders.rules": ["tests/orders/test_rules.py", *_PAYMENTS],
    "portal.payments.service": _SETTLE,
}
# Mutants that change nothing that anybody can see, each with its reason.
EQUIVALENT: dict[str, str] = {}
_SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
}


@dataclass(frozen=True)
class Mutant:
    """One changed node of one module."""

    module: str
    line: int
    what: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.module}:{self.line} {self.what}"


def _is_text(node: ast.AST) -> bool:
    """Docstrings and annotations are not behaviour."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _places(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of behaviour, in the order of the file."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST) and not _is_text(node):
                yield node
                yield from _places(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What may be done to the node: words, and a function that does it to a copy."""
    if isinstance(node, ast.Compare):
        for place, found in enumerate(node.ops):
            for other in _SWAPS.get(type(found), ()):
                words = f"{type(found).__name__} -> {other.__name__}"
                yield words, _set_op(place, other)
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        for other in _SWAPS.get(type(node.op), ()):
            words = f"{type(node.op).__name__} -> {other.__name__}"
            yield words, lambda n, other=other: setattr(n, "op", other())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not removed", lambda n: setattr(n, "op", ast.UAdd())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    else:
        yield from _ways(node)


def _ways(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """Another way out of a function, or another way on in it."""
    if isinstance(node, ast.Return) and not _gives_nothing(node):
        nothing = ast.Constant(None)
        yield "returns None", lambda n: setattr(n, "value", nothing)
    elif isinstance(node, ast.IfExp | ast.If):
        for value in (True, False):
            words = f"condition always {value}"
            always = ast.Constant(value)
            yield words, lambda n, always=always: setattr(n, "test", always)


def _gives_nothing(node: ast.Return) -> bool:
    value = node.value
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _set_op(place: int, other: type) -> Any:
    def act(node: Any) -> None:
        node.ops[place] = other()

    return act


def _constants(node: ast.Constant) -> Iterator[tuple[str, Any]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", lambda n: setattr(n, "value", not value)
    elif isinstance(value, int | float):
        yield f"{value} -> {value + 1}", lambda n: setattr(n, "value", value + 1)
    elif isinstance(value, str) and value:
        yield f"{value[:20]!r} changed", lambda n: setattr(n, "value", f"{value}X")


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of the module's source."""
    source = (ROOT / (module.replace(".", "/") + ".py")).read_text()
    tree = ast.parse(source)
    found = []
    for place, node in enumerate(_places(tree)):
        for number, (words, _) in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            target = list(_places(changed))[place]
            list(_changes(target))[number][1](target)
            ast.fix_missing_locations(changed)
            line = getattr(node, "lineno", 0)
            found.append(Mutant(module, line, words, changed))
    return found


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module instead of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self.mutant.module:
            return None
        origin = ROOT / (name.replace(".", "/") + ".py")
        return importlib.util.spec_from_file_location(name, origin, loader=self)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        code = compile(self.mutant.tree, str(module.__file__), "exec")
        exec(code, module.__dict__)  # noqa: S102 (the module itself, one node changed)


def _preload() -> None:
    """What every child needs and no mutant touches."""
    for name in (
        *("flask", "flask_sqlalchemy", "flask_migrate", "flask_login", "flask_wtf"),
        *("flask_limiter", "holidays", "phonenumbers", "babel", "transbank.common"),
        *("mercadopago", "pysqlite3.dbapi2", "psycopg", "pytest", "hypothesis"),
        *("playwright.sync_api", "bs4", "email_validator", "stdnum.cl.rut"),
    ):
        importlib.import_module(name)


def _in_child(mutant: Mutant, tests: list[str]) -> int:
    """The exit status of the tests over the mutant; runs in the forked process."""
    import pytest

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.chdir(ROOT)
    sys.meta_path.insert(0, _Changed(mutant))
    present = [name for name in tests if Path(name).exists()]
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    if all(name.endswith("test_rules.py") for name in present):
        options.append("--noconftest")  # pure: no browser, no database
    return int(pytest.main([*options, *present]))


def _spawn(mutant: Mutant, tests: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS)
    try:
        status = _in_child(mutant, tests)
    except BaseException:  # whatever the mutant broke
        status = 1
    os._exit(status)


def survivors_of(module: str, tests: list[str]) -> tuple[list[str], int]:
    """Names of the mutants that no test noticed, and how many there were."""
    waiting, running = mutants_of(module), {}
    total, alive = len(waiting), []
    while waiting or running:
        while waiting and len(running) < 2:
            mutant = waiting.pop()
            running[_spawn(mutant, tests)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if os.waitstatus_to_exitcode(status) == 0:
            alive.append(mutant.name)
    return sorted(alive), total


def run(modules: list[str] | None = None) -> Line:
    began = time.monotonic()
    _preload()
    alive: list[str] = []
    total = 0
    for module in modules or MODULES:
        names, count = survivors_of(module, MODULES[module])
        print(f"{module}: {count - len(names)} of {count} found")
        alive, total = alive + names, total + count
    for name in alive:
        print(f"  survives: {name} {EQUIVALENT.get(name, '')}")
    unchanged = ast.parse((ROOT / "portal/payments/rules.py").read_text())
    control = _exit(Mutant("portal.payments.rules", 0, "nothing", unchanged))
    score = 100 * (total - len(alive)) / max(total, 1)
    return Line(
        "mutantes de las reglas y de settle",
        f"{score:.1f} % de {total} encontrados ({len(alive)} quedan)",
        "95 % o más",
        "sin cambio: las pruebas " + ("pasan" if control == 0 else "fallan"),
        score >= 95 and control == 0,
        time.monotonic() - began,
    )


def _exit(mutant: Mutant) -> int:
    _, status = os.waitpid(_spawn(mutant, _PAYMENTS), 0)
    return os.waitstatus_to_exitcode(status)
