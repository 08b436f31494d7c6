"""The documents say what is true: variables, commands, links, states, files. Each rule
is shown to fail on a text that breaks it."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from portal.audit import watch_rules
from portal.config import load_settings
from portal.errors import ConfigurationError
from portal.hours.queries import load_calendar
from portal.settings import queries as settings_queries
from portal.terms import service as terms_service

ROOT = Path(__file__).resolve().parent.parent
DOCS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
README, ARCHITECTURE = ROOT / "README.md", ROOT / "docs" / "architecture.md"

_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_TICKED = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"`((?:portal|tests|docs|migrations)/[\w./-]*)`")
_VARIABLE = re.compile(r"^\| `([A-Z][A-Z_]+)` \|", re.MULTILINE)
_COMMAND = re.compile(r"\bflask((?: [a-z][a-z-]*)+)")
# Folders of one machine; `var/` of the project and addresses of pages are none.
_MACHINE = re.compile(
    r"(?<![\w.:/`<>-])/(?:home|root|tmp|work|usr|opt|srv|mnt|var|etc|Users)/"
    r"|\b[A-Z]:\\|~/\w"
)
_HOSTS = ("py" + "pi.org", "python" + "hosted", "npm" + "js.", "index" + "-url")


# Variables -------------------------------------------------------------


class Watched(dict[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def variables_read(state: Path) -> set[str]:
    """What `load_settings` asks for, in either mode."""
    demo = Watched(DATABASE_URL=f"sqlite:///{state / 'x.sqlite3'}")
    load_settings(demo)
    production = Watched(PORTAL_MODE="production")
    with pytest.raises(ConfigurationError):
        load_settings(production)
    return demo.asked | production.asked


def test_readme_has_every_variable_and_no_other(tmp_path: Path) -> None:
    assert set(_VARIABLE.findall(README.read_text())) == variables_read(tmp_path)


def test_example_of_an_environment_has_every_variable(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE)) == variables_read(
        tmp_path
    )


def test_variable_without_a_line_is_found() -> None:
    assert _VARIABLE.findall("| `PORT` | 8000 |\nsays `SECRET_KEY` in passing") == [
        "PORT"
    ]


# Commands --------------------------------------------------------------


def commands_of(group: click.Group, prefix: str = "") -> Iterator[str]:
    """`hours at`, `worker`, ...: every command below the group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def own_commands(app: Flask) -> set[str]:
    """The commands that the portal itself registers."""
    return {name for name in commands_of(app.cli) if _is_own(app, name)}


def _is_own(app: Flask, name: str) -> bool:
    command: click.Command = app.cli
    for part in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[part]
    # `flask db` stands for Flask-Migrate's, and has no function of its own.
    return (getattr(command.callback, "__module__", "") or "").startswith("portal")


def named_commands(text: str) -> set[str]:
    """What a text calls `flask ...`, as far as it may be a command's name."""
    return {" ".join(found.split()[:2]) for found in _COMMAND.findall(text)}


def unknown_commands(text: str, known: set[str]) -> set[str]:
    """Commands that a text names in code and that nobody registered."""
    code = "\n".join((*_TICKED.findall(text), *_FENCE.findall(text)))
    words = {*known, *(name.split()[0] for name in known)}
    return {
        name
        for name in named_commands(code)
        if name not in words and name.split()[0] not in known
    }


def undocumented(text: str, commands: set[str]) -> set[str]:
    """The commands that no code of the text begins with."""
    return {name for name in commands if not re.search(rf"`flask {name}\b", text)}


def test_readme_has_every_command(app: Flask) -> None:
    assert own_commands(app) >= {"hours at", "verify"}
    assert not undocumented(README.read_text(), own_commands(app))


def test_command_that_is_missing_is_found() -> None:
    assert undocumented("`flask hours at X`, flask verify", {"hours at", "verify"}) == {
        "verify"
    }


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_document_names_no_command_that_is_not_there(app: Flask, path: Path) -> None:
    known = {*commands_of(app.cli), "shell", "run", "routes", "db upgrade"}
    assert not unknown_commands(path.read_text(), known)


def test_unknown_command_is_found() -> None:
    known = {"hours at", "verify"}
    assert unknown_commands("run `flask check` now", known) == {"check"}
    assert unknown_commands("`flask hours of`", known) == {"hours of"}
    assert not unknown_commands("`flask verify` and `flask hours at X`", known)


# Links and files -------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def broken_links(path: Path, text: str) -> list[str]:
    """Relative links and named files that lead nowhere."""
    bare = _FENCE.sub("", text)
    broken = [link for link in _LINK.findall(bare) if not _leads(path, link, text)]
    files = (name for name in _FILE.findall(bare))
    return broken + [name for name in files if not (ROOT / name).exists()]


def _leads(path: Path, link: str, text: str) -> bool:
    if link.startswith(("https://", "http://", "mailto:")):
        return True
    name, _, anchor = link.partition("#")
    target = path.parent / name if name else path
    if not target.exists():
        return False
    if not anchor:
        return True
    body = target.read_text() if name else text
    return anchor in {slug(found) for found in _HEADING.findall(body)}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_of_a_document_lead_somewhere(path: Path) -> None:
    assert broken_links(path, path.read_text()) == []


def test_broken_link_is_found() -> None:
    for text in (
        "[a](docs/absent.md)",
        "![a](docs/img/absent.png)",
        "[a](#absent)",
        "[a](docs/architecture.md#absent)",
        "`portal/absent.py`",
    ):
        assert len(broken_links(README, text)) == 1, text
    assert not broken_links(README, "# Not yet\n[a](#not-yet) `portal/config.py`")


def test_readme_begins_with_the_two_commands() -> None:
    code = _FENCE.search(README.read_text())
    assert code
    assert code.start() < 60
    assert [line.split("#")[0].strip() for line in code[0].splitlines()[1:3]] == [
        "make run",
        "make test",
    ]


# States ----------------------------------------------------------------

Machine = Mapping[str, frozenset[str]]


def machines() -> dict[str, dict[str, Machine]]:
    """Every machine of the portal: `orders.states.TRANSITIONS` -> column -> moves."""
    found = {}
    for path in sorted((ROOT / "portal").rglob("*.py")):
        for name in _machine_names(path.read_text()):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            value = getattr(importlib.import_module(dotted), name)
            several = all(isinstance(each, Mapping) for each in value.values())
            key = f"{dotted.removeprefix('portal.')}.{name}"
            found[key] = value if several else {"to": value}
    return found


def _machine_names(source: str) -> Iterator[str]:
    """The public module-level names that are annotated as `Transitions`."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            is_machine = "Transitions" in ast.unparse(node.annotation)
            if is_machine and not node.target.id.startswith("_"):
                yield node.target.id


def documented(text: str) -> dict[str, dict[str, dict[str, frozenset[str]]]]:
    """The machines of the text's tables, by what the first heading cell names."""
    found: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        head, _, *rows = [_cells(line) for line in block.splitlines()]
        key = head[0].strip("`")
        if not re.fullmatch(r"[a-z_.]+\.[A-Z_]+", key):
            continue
        columns = [cell.strip("`") for cell in head[1:]]
        found[key] = {column: {} for column in columns}
        for first, *rest in rows:
            for column, cell in zip(columns, rest, strict=True):
                if cell != "-":
                    moves = frozenset(_TICKED.findall(cell))
                    found[key][column][first.strip("`")] = moves
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_architecture_has_every_machine_as_it_is() -> None:
    assert len(machines()) >= 5
    said, real = documented(ARCHITECTURE.read_text()), machines()
    assert sorted(said) == sorted(real)
    for key, columns in real.items():
        assert said[key] == {name: dict(moves) for name, moves in columns.items()}, key


def test_state_that_is_missing_is_found() -> None:
    text = (
        "| `a.states.TRANSITIONS` | to |\n|---|---|\n| `x` | `y` |\n| `y` | final |\n"
    )
    assert documented(text) == {
        "a.states.TRANSITIONS": {"to": {"x": frozenset({"y"}), "y": frozenset()}}
    }
    assert (
        "y"
        not in documented(text.replace("| `y` | final |\n", ""))[
            "a.states.TRANSITIONS"
        ]["to"]
    )


def test_architecture_names_every_room() -> None:
    text = ARCHITECTURE.read_text()
    rooms = {
        path.stem
        for path in (ROOT / "portal").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}
    assert {room for room in rooms if f"`{room}`" not in text} == set()


# What belongs to no document -------------------------------------------


def strangers(text: str) -> list[str]:
    """Paths of a machine and registries that a text names."""
    found = [match.group() for match in _MACHINE.finditer(text)]
    return found + [host for host in _HOSTS if host in text]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_document_names_no_machine_and_no_registry(path: Path) -> None:
    assert strangers(path.read_text()) == []


def test_path_of_a_machine_is_found() -> None:
    for text in ("see /home/ana/x", "(/tmp/y)", "C:\\x", "~/portal", _HOSTS[0]):
        assert strangers(text), text
    assert not strangers("`sqlite:///var/portal.sqlite3`, `/servicios/x`, `var/`")


# Alerts ----------------------------------------------------------------


def alert_subjects() -> set[str]:
    """What each mail of alert has for a subject, before the colon."""
    found = set(watch_rules.TITLES.values())
    for path in (ROOT / "portal").glob("*/*mails.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_alert"):
                found |= set(_subjects_in(node))
    return found


def _subjects_in(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.keyword) and node.arg == "subject":
            first = node.value
            if isinstance(first, ast.JoinedStr):
                first = first.values[0]
            if isinstance(first, ast.Constant):
                yield str(first.value).partition(": ")[0]


def test_operation_explains_every_alert_that_is_mailed() -> None:
    said = (ROOT / "docs" / "operacion.md").read_text()
    assert len(alert_subjects()) >= 12
    assert [subject for subject in alert_subjects() if f"«{subject}" not in said] == []


# Examples --------------------------------------------------------------


def test_examples_of_the_operation_do_what_they_say(
    app: Flask, session: Session, clock: Any
) -> None:
    terms_service.set_up(clock.now)
    text = (ROOT / "docs" / "operacion.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "operacion.md", "exec"), {})  # noqa: S102
    session.rollback()
    business = settings_queries.load(session)
    assert business.special_mobiles == ("+56999999999", "+56988888888")
    assert business.sales_stopped
    assert len(load_calendar(session).overrides) == 1
