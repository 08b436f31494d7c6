"""Forty seeded defects: each takes one guard away, and the feature's tests must fail.

Each is applied alone, in a copy of the tree; the tests stop at the first failure. A
defect whose text is no longer found fails the campaign: the list follows the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from bench.torture import ROOT
from bench.torture.report import Line

_KEPT = ("portal", "tests", "migrations", "bench", "docs", "pyproject.toml", "wsgi.py")
_SKIPPED = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
SECONDS = 600

SETTLE = "tests/payments/test_settle.py"
RETURNS = "tests/payments/test_webpay_returns.py"
NOTIFIED = "tests/payments/test_mercadopago.py"
RECONCILE = "tests/payments/test_reconcile.py"
REFUNDS = "tests/payments/test_refunds.py"
QUALITY = "tests/payments/test_integration_quality.py"
VERIFY = "tests/audit/test_verify.py"
MONEY = (SETTLE, REFUNDS, RECONCILE, NOTIFIED, RETURNS)
RACES = "tests/payments/test_races.py"
SCHEMA = "tests/payments/test_schema.py"
BOARD = ("tests/support/test_races.py", "tests/support/test_acts.py")
ORDERS = ("tests/orders/test_service.py",)
DATABASE = (SCHEMA, "tests/test_journal.py")


@dataclass(frozen=True)
class Defect:
    """`old` (found exactly once in `file`) becomes `new`; `tests` must then fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _payments(name: str, file: str, old: str, new: str, *tests: str) -> Defect:
    return Defect(name, f"portal/payments/{file}", old, new, tests or MONEY)


DEFECTS = (
    # What is believed.
    _payments(
        "an amount is not compared",
        "rules.py",
        "if not said.amount_is_whole or said.amount != expected.amount:",
        "if not said.amount_is_whole:",
    ),
    _payments(
        "a fraction of a peso is not noticed",
        "rules.py",
        "if not said.amount_is_whole or said.amount != expected.amount:",
        "if said.amount != expected.amount:",
    ),
    _payments(
        "the reference is not compared",
        "rules.py",
        "if said.reference != expected.reference:",
        "if False:",
    ),
    _payments(
        "Webpay's buy order is not compared",
        "rules.py",
        "if said.buy_order != expected.buy_order:",
        "if False:",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "the currency is not compared",
        "rules.py",
        'if said.currency != "CLP":',
        "if False:",
    ),
    _payments(
        "the account is not compared",
        "rules.py",
        "expected.account is not None and said.account != expected.account",
        "False",
    ),
    _payments(
        "test money counts in production",
        "rules.py",
        "expected.live is not None and said.live is not expected.live",
        "False",
    ),
    _payments(
        "a second approval is applied too",
        "rules.py",
        "return states.SURPLUS\n",
        "return states.APPLIED\n",
    ),
    _payments(
        "money already given back pays",
        "rules.py",
        "return states.LATE if gone else states.APPLIED",
        "return states.APPLIED",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "approved needs only the status",
        "gateways/webpay.py",
        'if status == "AUTHORIZED" and zero:',
        'if status == "AUTHORIZED":',
        *MONEY,
        QUALITY,
    ),
    _payments(
        "a signature is not checked",
        "views.py",
        "signed = len(ids) == 1 and is_signed(",
        "signed = len(ids) == 1 or is_signed(",
        NOTIFIED,
    ),
    _payments(
        "an empty secret signs",
        "gateways/mercadopago_signature.py",
        "        if key\n",
        "",
        NOTIFIED,
    ),
    _payments(
        "any id reaches the API's path",
        "views.py",
        "topic in notifications.READ and not rules.is_mercadopago_id(ids[0])",
        "False",
        NOTIFIED,
    ),
    _payments(
        "any text is a token",
        "rules.py",
        "return _WEBPAY_TOKEN.fullmatch(text) is not None",
        "return bool(text)",
        RETURNS,
        QUALITY,
        "tests/payments/test_rules.py",
    ),
    _payments(
        "the buy order alone is believed",
        "queries.py",
        "payment is not None and payment.reference_hash == fingerprint(session_id)",
        "payment is not None",
        RETURNS,
    ),
    # Once, and only once.
    _payments(
        "no turn to commit is taken",
        "returns.py",
        "    if _lease(payment_id, now):",
        "    if _lease(payment_id, now) or True:",
        RETURNS,
        SETTLE,
    ),
    _payments(
        "a paid order is committed again",
        "returns.py",
        "            gone = order.state in _NOT_TO_BE_PAID\n",
        "            gone = False\n",
        SETTLE,
    ),
    _payments(
        "another's commit is not waited for",
        "returns.py",
        "_WAIT_SECONDS = 15.0",
        "_WAIT_SECONDS = 0.0",
        RACES,
    ),
    _payments(
        "what is not known is rejected",
        "returns.py",
        '    if evidence.word == "open":\n        _unknown(payment_id, now)\n',
        '    if evidence.word == "open":\n'
        '        evidence = Evidence(word="rejected")\n',
        *MONEY,
        QUALITY,
    ),
    _payments(
        "each tap is an attempt of its own",
        "attempts.py",
        "                return payment.id, False",
        "                pass",
        NOTIFIED,
        RECONCILE,
    ),
    _payments(
        "money under way is not waited for",
        "attempts.py",
        "if queries.is_being_verified(payments):",
        "if False:",
        *MONEY,
        "tests/payments/test_rules.py",
    ),
    _payments(
        "a paid order is paid again",
        "attempts.py",
        "if order.state != order_states.AWAITING_PAYMENT:",
        "if False:",
        *MONEY,
        QUALITY,
        RACES,
    ),
    _payments(
        "an order expires while money is under way",
        "reconcile.py",
        "if _any_in_flight(payments, now):",
        "if False:",
        RECONCILE,
    ),
    _payments(
        "a form in use is closed",
        "reconcile.py",
        "if now >= payment.form_until + _GRACE else None",
        "if True else None",
        RECONCILE,
    ),
    _payments(
        "nobody asks about what is unknown",
        "returns.py",
        "                checks=0,\n"
        "                next_check_at=rules.next_check(0, now, until),\n",
        "                checks=0,\n                next_check_at=None,\n",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "surplus money alerts nobody",
        "service.py",
        "        alert(session, payment, now)\n        return\n",
        "        return\n",
        *MONEY,
        VERIFY,
    ),
    # Refunds.
    _payments(
        "a refund of more than is left",
        "refund_rules.py",
        "if amount <= 0 or amount > paid - refunded:",
        "if amount <= 0:",
        REFUNDS,
    ),
    _payments(
        "two refunds in flight",
        "refund_requests.py",
        "if queries.find_refund_in_flight(session, payment.id) is not None:",
        "if False:",
        REFUNDS,
    ),
    _payments(
        "each try is another refund",
        "refunds.py",
        "gateways.mercadopago.refund(gateway_id, None if whole else amount, key)",
        'gateways.mercadopago.refund(gateway_id, None, f"{key}-{now.timestamp()}")',
        REFUNDS,
    ),
    _payments(
        "a refund is repeated before it is asked about",
        "refunds.py",
        "        if refund.state != refund_rules.SENT:\n            return\n",
        "",
        REFUNDS,
    ),
    # History and races.
    Defect(
        "compare-and-set without the version",
        "portal/journal/service.py",
        "            model.version == row.version,\n",
        "",
        (RACES, *BOARD, "tests/test_journal.py"),
    ),
    Defect(
        "compare-and-set that nobody reads",
        "portal/journal/service.py",
        "    if changed.rowcount != 1:",
        "    if False:",
        (RACES, *BOARD, "tests/test_journal.py"),
    ),
    Defect(
        "any move is allowed",
        "portal/journal/service.py",
        "    if to not in machine.get(before, frozenset()):",
        "    if False:",
        (*MONEY, *BOARD),
    ),
    Defect(
        "history may be changed",
        "portal/journal/models.py",
        "make_append_only(JournalEntry)\n",
        "",
        DATABASE,
    ),
    # The database's own word.
    _payments(
        "two applied payments of one order",
        "models.py",
        '            "uq_payments_applied",\n            "order_id",\n'
        "            unique=True,\n",
        '            "uq_payments_applied",\n            "order_id",\n',
        SCHEMA,
    ),
    _payments(
        "money without a disposition",
        "models.py",
        '            f"(state IN ({_listed(SETTLED)})) = (disposition IS NOT NULL)",\n',
        '            "1 = 1",\n',
        SCHEMA,
    ),
    _payments(
        "one gateway payment in two rows",
        "models.py",
        '        UniqueConstraint("gateway", "gateway_payment_id"),\n',
        "",
        SCHEMA,
    ),
    Defect(
        "two attentions of one order",
        "portal/support/models.py",
        'order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)\n'
        "    state: Mapped[str] = mapped_column(String(12), index=True)\n"
        "    version: Mapped[int] = mapped_column(default=1)\n"
        "    opened_at",
        'order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))\n'
        "    state: Mapped[str] = mapped_column(String(12), index=True)\n"
        "    version: Mapped[int] = mapped_column(default=1)\n"
        "    opened_at",
        (SCHEMA,),
    ),
    Defect(
        "foreign keys are not enforced",
        "portal/db.py",
        '    "foreign_keys": 1,\n',
        '    "foreign_keys": 0,\n',
        DATABASE,
    ),
    Defect(
        "an acknowledged payment may be lost in a power cut",
        "portal/db.py",
        '    "synchronous": 2,\n',
        '    "synchronous": 1,\n',
        DATABASE,
    ),
    Defect(
        "writers begin without the lock",
        "portal/db.py",
        '"BEGIN IMMEDIATE" if immediate else "BEGIN"',
        '"BEGIN"',
        (RACES, *BOARD, *DATABASE),
    ),
    Defect(
        "the network is waited for inside a transaction",
        "portal/payments/gateways/base.py",
        "    if in_transaction():",
        "    if False:",
        (SCHEMA,),
    ),
    # Purchases and work.
    Defect(
        "one form makes two orders",
        "portal/orders/service.py",
        "        if found is not None and _may_correct(found, draft, offer, now):",
        "        if False:",
        ORDERS,
    ),
    Defect(
        "a paid order is changed by its form",
        "portal/orders/service.py",
        "        if found is not None and found.state in EVER_PAID:\n"
        "            return found\n",
        "",
        ORDERS,
    ),
    Defect(
        "two technicians take one attention",
        "portal/support/service.py",
        "        if attention.state == TAKEN and attention.technician_id == by.id:",
        "        if attention.state == TAKEN:",
        BOARD,
    ),
    Defect(
        "anybody starts another's attention",
        "portal/support/service.py",
        "        require_holder(session, attention, by, now)\n"
        "        if attention.state == RUNNING:",
        "        if attention.state == RUNNING:",
        BOARD,
    ),
    Defect(
        "a mail is asked for twice",
        "portal/mail/service.py",
        "    if row is not None:\n        _ask_again(row, send_at or now)\n",
        "    if False:\n        _ask_again(row, send_at or now)\n",
        (SETTLE, "tests/mail/test_sending.py"),
    ),
)


def run() -> Line:
    """Apply each defect in its own copy; two copies work at a time."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="defects-") as folder:
        copies: Queue[Path] = Queue()
        for number in range(2):
            copies.put(copy_tree(Path(folder) / str(number)))
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda defect: _is_found(defect, copies), DEFECTS))
        tests = tuple({t for d in DEFECTS for t in _present(d)})
        broken = _fails(copies.get(), tests)
    missed = [d.name for d, seen in zip(DEFECTS, found, strict=True) if not seen]
    return Line(
        "defectos sembrados",
        f"{len(DEFECTS) - len(missed)} de {len(DEFECTS)} encontrados"
        + (f"; quedan: {'; '.join(missed)}" if missed else ""),
        "todos (40 o más)",
        "sin defecto: las pruebas " + ("fallan" if broken else "pasan"),
        not missed and not broken and len(DEFECTS) >= 40,
        time.monotonic() - began,
    )


def copy_tree(where: Path) -> Path:
    """The project as it is now, in a folder of its own."""
    where.mkdir(parents=True)
    for name in _KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, where / name, ignore=_SKIPPED)
        elif source.exists():
            shutil.copy(source, where / name)
    return where


def _present(defect: Defect) -> list[str]:
    return [name for name in defect.tests if (ROOT / name).exists()]


def _is_found(defect: Defect, copies: Queue[Path]) -> bool:
    tree = copies.get()
    path = tree / defect.file
    sound = path.read_text()
    try:
        if sound.count(defect.old) != 1:
            print(f"{defect.name}: its text is there {sound.count(defect.old)} times")
            return False
        path.write_text(sound.replace(defect.old, defect.new))
        seen = _fails(tree, tuple(_present(defect)))
        print(f"{'found' if seen else 'SURVIVES'}: {defect.name}", flush=True)
        return seen
    finally:
        path.write_text(sound)
        copies.put(tree)


def _fails(tree: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests fail there. A run that hangs is a failure too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        # Killed, or nothing collected: neither found nor missed.
        told = (done.stdout + done.stderr).decode(errors="replace")[-500:]
        raise RuntimeError(f"the tests ended with {done.returncode}: {told}")
    return done.returncode == 1
