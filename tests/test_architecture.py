"""The house as `docs/architecture.md` lays it out: who may import whom, and what a file
of each name may touch. Every rule is shown to fail on a snippet that breaks it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 45

LEAVES = (
    *("config", "environment", "clock", "money", "chile", "errors", "text", "buffer"),
    "schema",
)
KERNEL = ("db", "journal", "settings", "mail")
RANKED = (
    "accounts",
    "hours",
    "catalog",
    "terms",
    "orders",
    "support",
    "payments",
    "audit",
    "backups",
)
FACES = ("storefront", "contact", "board", "reports", "admin", "privacy", "worker")
# "" is portal/__init__.py
TOP = ("", "composition", "launch", "command_errors", "migrate_command", "cli")
WEB = ("web", "assets", "inputs", "limits", "logs", "quiet", "routes", "watchdog")
UNITS = {*LEAVES, *KERNEL, *RANKED, *FACES, *TOP, *WEB, "simulator", "watchdog_child"}

SDKS = {"mercadopago", "transbank"}
FRAMEWORKS = ("flask", "sqlalchemy", "werkzeug", "htmx_flask", "wtforms", "requests")
REQUEST_NAMES = {"request", "session", "g", "current_app"}
CLOCK_READS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime"},
    "func": {"now", "current_timestamp", "localtimestamp"},
}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv", "unsetenv"}


def allowed_units(unit: str, role: str) -> set[str]:
    """The units that a file of `unit` may import; `role` is what its name says."""
    if unit in TOP:
        return UNITS
    if unit in LEAVES:
        return set(LEAVES)
    if unit == "simulator":
        return {"config", "clock", "errors", "simulator"}
    if unit == "watchdog_child":
        return set()
    allowed = {*LEAVES, *KERNEL}
    if unit in RANKED:
        allowed |= set(RANKED[: RANKED.index(unit) + 1])
    if unit in FACES:
        allowed |= {*RANKED, unit}
    if role == "views":
        allowed.add("web")
    if unit == "quiet":
        allowed.add("logs")
    if unit == "web":
        allowed |= {"assets", "inputs", "limits", "logs", "quiet", "routes"}
    return allowed


class File:
    """One module of portal/, known by its path under the root and its text."""

    def __init__(self, path: str, source: str) -> None:
        self.path = PurePosixPath(path)
        self.source = source
        self.tree = ast.parse(source)
        inside = self.path.relative_to("portal").with_suffix("").parts
        self.parts = inside[:-1] if inside[-1] == "__init__" else inside
        self.unit = self.parts[0] if self.parts else ""
        self.role = self._role()

    def _role(self) -> str:
        """`views` for views.py, views_pay.py, pay_views.py and views/pay.py."""
        for name in reversed(self.parts[1:]):
            for role in ("views", "service", "states", "rules", "queries", "models"):
                if role in (name, name.split("_")[0], name.split("_")[-1]):
                    return role
        return ""

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything imported, relative names resolved."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}"

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = ("portal", *self.parts)
        up = node.level - (1 if self.path.name == "__init__.py" else 0)
        package = package[: len(package) - up]
        return ".".join((*package, *filter(None, [node.module])))

    def calls(self) -> Iterator[tuple[int, str]]:
        """Line and dotted text of every attribute, `db.session.execute` and shorter."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield node.lineno, ast.unparse(node)


def unit_of(name: str) -> str | None:
    """The unit of a dotted name; None when it is not the portal's."""
    head, _, rest = name.partition(".")
    if head != "portal":
        return None
    first = rest.partition(".")[0]
    return first if first in UNITS or "." in rest else ""


def check_ranks(file: File) -> Iterator[str]:
    if file.unit not in UNITS:
        yield f"{file.unit} has no place in the house"
        return
    allowed = allowed_units(file.unit, file.role)
    for line, name in file.imports():
        unit = unit_of(name)
        if unit is not None and unit not in allowed:
            yield f"{line}: {file.unit or 'portal'} may not import {unit or 'portal'}"


def check_libraries(file: File) -> Iterator[str]:
    in_gateways = file.parts[:2] == ("payments", "gateways")
    pure = file.unit in LEAVES or file.role in ("states", "rules")
    for line, name in file.imports():
        head = name.partition(".")[0]
        if head in SDKS and not in_gateways:
            yield f"{line}: {head} is for payments/gateways"
        if pure and head.startswith(FRAMEWORKS):
            yield f"{line}: {head} in a pure file"
        if name in ("importlib", "importlib.import_module"):
            yield f"{line}: imports are written, never computed"


def check_environment(file: File) -> Iterator[str]:
    if file.unit == "config":
        return
    names = {f"os.{name}" for name in ENVIRONMENT}
    for line, name in (*file.imports(), *file.calls()):
        if name in names:
            yield f"{line}: {name} is for config.py"


def check_clock(file: File) -> Iterator[str]:
    pure = file.role in ("states", "rules")
    for line, name in (*file.imports(), *file.calls()):
        base, _, last = name.rpartition(".")
        owner = base.rpartition(".")[2]
        if file.unit != "clock" and last in CLOCK_READS.get(owner, ()):
            yield f"{line}: {name} is for clock.py"
        if pure and last == "utcnow":
            yield f"{line}: a pure file takes `now` as an argument"


def check_sessions(file: File) -> Iterator[str]:
    """Services never see the request nor the global session; views only hand it on."""
    if file.role == "service":
        for line, name in file.imports():
            head, _, last = name.rpartition(".")
            if head.startswith("flask") and last in REQUEST_NAMES:
                yield f"{line}: {last} in a service"
            if name == "flask":
                yield f"{line}: flask in a service"
    for line, name in file.calls():
        if file.role in ("service", "states", "rules", "models", "queries"):
            if name == "db.session":
                yield f"{line}: db.session in {file.role}"
        elif file.role == "views" and name.startswith("db.session."):
            yield f"{line}: a view hands db.session() to a query, no more"


def check_sizes(file: File) -> Iterator[str]:
    lines = file.source.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{lines} lines: split the file"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # A signature of many keywords and the docstring are no complexity.
            has_text = ast.get_docstring(node) is not None and len(node.body) > 1
            body = node.body[1 if has_text else 0]
            length = (node.end_lineno or 0) - body.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {length} lines"


RULES = (
    check_ranks,
    check_libraries,
    check_environment,
    check_clock,
    check_sessions,
    check_sizes,
)


def violations(path: str, source: str) -> list[str]:
    file = File(path, source)
    return [f"{path}: {found}" for rule in RULES for found in rule(file)]


MODULES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "portal").rglob("*.py")
)


@pytest.mark.parametrize("path", MODULES)
def test_module_keeps_the_rules_of_the_house(path: str) -> None:
    assert violations(path, (ROOT / path).read_text()) == []


FORBIDDEN = [
    # Leaves and kernel.
    ("portal/money.py", "from portal import db"),
    ("portal/text.py", "from portal.settings import rules"),
    ("portal/chile.py", "import flask"),
    ("portal/config.py", "from sqlalchemy import select"),
    ("portal/journal/service.py", "from portal.orders import models"),
    ("portal/mail/service.py", "from portal.web import page"),
    ("portal/db.py", "import portal.accounts.models"),
    # Ranked features never import right, nor the faces, nor the top.
    ("portal/accounts/service.py", "from portal.hours import queries"),
    ("portal/hours/rules.py", "from portal.catalog.rules import TOPICS"),
    ("portal/orders/service.py", "from portal.support import service"),
    ("portal/support/service.py", "import portal.payments.service as payments"),
    ("portal/payments/service.py", "from ..audit import verify"),
    ("portal/payments/gateways/webpay.py", "from ...audit import verify"),
    ("portal/payments/service.py", "def f():\n    from portal.board import queries"),
    ("portal/audit/verify.py", "from portal import cli"),
    ("portal/hours/service.py", "from portal import create_app"),
    ("portal/hours/service.py", "import portal"),
    # Faces never import each other.
    ("portal/board/views.py", "from portal.contact import queries"),
    ("portal/worker/service.py", "from portal.reports import rules"),
    ("portal/admin/views.py", "from portal import storefront"),
    # web is for views.
    ("portal/terms/service.py", "from portal import web"),
    ("portal/board/queries.py", "from portal.web import page"),
    ("portal/web.py", "from portal.orders import queries"),
    # The simulator stands apart, and nobody knows it.
    ("portal/simulator/webpay.py", "from portal.db import db"),
    ("portal/simulator/webpay.py", "from portal import money"),
    ("portal/payments/service.py", "from portal.simulator import create_simulator"),
    # A folder that the house does not know.
    ("portal/helpers/service.py", "x = 1"),
    # Libraries.
    ("portal/payments/service.py", "import mercadopago"),
    ("portal/simulator/webpay.py", "from transbank.webpay import webpay_plus"),
    ("portal/orders/states.py", "from sqlalchemy import select"),
    ("portal/hours/rules.py", "from flask import request"),
    ("portal/hours/rules.py", "import flask_login"),
    ("portal/cli.py", "import importlib"),
    ("portal/cli.py", "from importlib import import_module"),
    # The environment and the clock.
    ("portal/cli.py", "import os\nos.environ['X']"),
    ("portal/web.py", "from os import environ"),
    ("portal/__init__.py", "import os\nos.getenv('X')"),
    ("portal/cli.py", "from datetime import datetime\ndatetime.now()"),
    ("portal/cli.py", "import datetime\ndatetime.datetime.utcnow()"),
    ("portal/cli.py", "from datetime import date\ndate.today()"),
    ("portal/worker/service.py", "import time\ntime.time()"),
    ("portal/worker/service.py", "from time import time"),
    ("portal/orders/models.py", "from sqlalchemy import func\nfunc.now()"),
    ("portal/support/rules.py", "from portal import clock\nclock.utcnow()"),
    ("portal/support/rules.py", "from portal.clock import utcnow"),
    # Sessions and requests.
    ("portal/orders/service.py", "from flask import current_app"),
    ("portal/orders/service.py", "from flask import request"),
    ("portal/orders/service.py", "import flask"),
    ("portal/orders/service.py", "from portal.db import db\ndb.session.add(1)"),
    ("portal/orders/queries.py", "from portal.db import db\ndb.session().get(1)"),
    ("portal/board/views.py", "from portal.db import db\ndb.session.commit()"),
    # Sizes.
    ("portal/cli.py", "x = 1\n" * (MAX_FILE_LINES + 1)),
    ("portal/cli.py", "def f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES + 1)),
]


@pytest.mark.parametrize(("path", "source"), FORBIDDEN)
def test_rule_of_the_house_can_fail(path: str, source: str) -> None:
    assert len(violations(path, source)) >= 1


ALLOWED = [
    (
        "portal/__init__.py",
        "from portal import cli, web\nfrom portal.board import views",
    ),
    ("portal/chile.py", "from portal.clock import local\nimport phonenumbers"),
    ("portal/web.py", "from portal.settings import queries\nimport flask"),
    ("portal/hours/rules.py", "from portal.clock import ZONE, local"),
    ("portal/terms/views.py", "from portal import clock, web"),
    ("portal/payments/service.py", "from portal.support import service"),
    ("portal/payments/service.py", "from .gateways import base\nfrom . import states"),
    ("portal/payments/gateways/webpay.py", "from transbank.webpay import webpay_plus"),
    ("portal/board/views.py", "from portal.db import db\nf(db.session())"),
    ("portal/board/views.py", "from portal import clock\nnow = clock.utcnow()"),
    ("portal/worker/service.py", "import time\ntime.monotonic()"),
    ("portal/simulator/webpay.py", "from portal import clock\nfrom . import panel"),
    ("portal/clock.py", "from datetime import datetime\ndatetime.now()"),
    ("portal/config.py", "import os\nos.environ"),
]


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_rule_of_the_house_lets_pass(path: str, source: str) -> None:
    assert violations(path, source) == []


# Templates: a fragment never extends; nothing that the content policy would refuse.
_JINJA = re.compile(r"{[%{#].*?[%}#]}", re.DOTALL)
_REFUSED = re.compile(
    r"<script(?![^>]*\ssrc=)|<style\b|\sstyle=|\son[a-z]+=|\shx-on",
    re.IGNORECASE,
)


def template_violations(name: str, source: str) -> list[str]:
    html = _JINJA.sub("", source)
    found = [f"{name}: {match.group().strip()}" for match in _REFUSED.finditer(html)]
    if re.search(r"\|\s*safe\b", source):
        found.append(f"{name}: unescaped text")
    if name.startswith("_") and re.search(r"{%-?\s*extends\b", source):
        found.append(f"{name}: a fragment never extends")
    if "localhost" in source:
        found.append(f"{name}: an address of one machine")
    return found


TEMPLATES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "portal").rglob("*.html")
    if "mail" not in path.parts
)


@pytest.mark.parametrize("path", TEMPLATES)
def test_template_keeps_the_rules_of_the_house(path: str) -> None:
    assert template_violations(Path(path).name, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("page.html", "{{ text|safe }}"),
        ("page.html", "<script>alert(1)</script>"),
        ("page.html", '<p style="color: red">'),
        ("page.html", '<p onclick="x()">'),
        ("page.html", "<style>p {}</style>"),
        ("_card.html", '{% extends "base.html" %}'),
    ],
)
def test_rule_of_templates_can_fail(name: str, source: str) -> None:
    assert len(template_violations(name, source)) == 1


def test_template_may_load_a_script_of_its_own() -> None:
    assert not template_violations("page.html", '<script src="/static/a.js" defer>')
