"""Mutation testing of the pure rules of money: each small lie must fail a test.

Every comparison, boolean, constant, sum and returned value of the modules is changed,
one at a time (bench/torture/forked.py), and the module's own tests are run until the
first failure.
"""

import ast
import copy
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.torture.forked import Trial, path_of, verdicts
from bench.torture.report import Line

_PAYMENTS = ["tests/payments/test_rules.py"]
_SETTLE = [
    "tests/payments/test_settle.py",
    "tests/payments/test_reconcile.py",
    "tests/payments/test_owner_words.py",
    "tests/payments/test_refunds.py",
]
MODULES = {
    "portal.payments.rules": _PAYMENTS,
    "portal.payments.states": _PAYMENTS,
    "portal.payments.refund_rules": _PAYMENTS,
    "portal.orders.rules": ["tests/orders/test_rules.py"],
    "portal.payments.service": _SETTLE,
}
# Mutants that change nothing that anybody can see, each with its reason.
# By module and change, for lines move.
EQUIVALENT: dict[str, str] = {
    "portal.payments.service True -> False": (
        "a row lock: SQLite has one writer, and on PostgreSQL compare-and-set and the "
        "unique index of `applied` keep the truth when two come at once"
    ),
    "portal.payments.service 'further:' changed": "any text that nobody can know",
}
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
    tree = ast.parse(path_of(module).read_text())
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


def _trial(mutant: Mutant, tests: list[str]) -> Trial:
    pure = all(name.endswith("_rules.py") for name in tests)
    # What differs between the databases is the races' and the schema's to show.
    keyword = "" if pure else "not postgresql"
    return Trial(
        mutant.name, mutant.module, mutant.tree, (), tuple(tests), pure, keyword
    )


def survivors_of(
    module: str, tests: list[str], processes: int
) -> tuple[list[str], int, Counter[str]]:
    """The mutants that no test noticed, how many there were, and who killed them."""
    trials = [_trial(mutant, tests) for mutant in mutants_of(module)]
    alive, killers = [], Counter[str]()
    for verdict in verdicts(trials, processes):
        if verdict.found:
            killers[verdict.by.partition("[")[0]] += 1
        else:
            alive.append(verdict.trial.name)
            print(f"  survives: {verdict.trial.name}", flush=True)
    return sorted(alive), len(trials), killers


def run(processes: int = 2, modules: list[str] | None = None) -> Line:
    began = time.monotonic()
    alive: list[str] = []
    total = 0
    for module in modules or MODULES:
        names, count, killers = survivors_of(module, MODULES[module], processes)
        print(f"{module}: {count - len(names)} of {count} found")
        print(f"  by {killers.most_common(5)}", flush=True)
        alive, total = alive + names, total + count
    told = [name for name in alive if _why(name)]
    for name in alive:
        print(f"  survives: {name}: {_why(name) or 'NOT EXPLAINED'}")
    score = 100 * (total - len(alive)) / max(total, 1)
    sound = _is_sound()
    return Line(
        "mutantes de las reglas del dinero y de settle",
        f"{score:.1f} % de {total} encontrados ({len(alive)} quedan, "
        f"{len(told)} de ellos explicados)",
        "95 % o más",
        "sin cambio: las pruebas " + ("pasan" if sound else "fallan"),
        score >= 95 and sound,
        time.monotonic() - began,
    )


def _why(name: str) -> str:
    """Why nobody can notice the mutant; its line may have moved."""
    module, _, rest = name.partition(":")
    what = rest.partition(" ")[2]
    return EQUIVALENT.get(f"{module} {what}", "")


def _is_sound() -> bool:
    """The control: the same tests pass over the program as it is."""
    return all(
        not next(verdicts([_trial(_unchanged(module), tests)], 1)).found
        for module, tests in MODULES.items()
    )


def _unchanged(module: str) -> Mutant:
    return Mutant(module, 0, "nothing", ast.parse(path_of(module).read_text()))
