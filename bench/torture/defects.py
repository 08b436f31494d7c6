"""Seeded defects: each takes one guard away, and the feature's tests must fail.

Each is applied alone, in memory or (where tests start processes) in a copy of the
project; the tests stop at the first failure. A defect whose text, or whose test, is no
longer there fails the campaign: the list follows the code. Those of the money stand
here, the others in `operation_defects.py`, `door_defects.py` and `board_defects.py`.
"""

import time

from bench.torture import ROOT
from bench.torture.board_defects import BOARDS
from bench.torture.door_defects import DOOR
from bench.torture.forked import Trial, Verdict, path_of, verdicts
from bench.torture.operation_defects import OPERATION
from bench.torture.report import Line
from bench.torture.seeded import Defect

SETTLE = "tests/payments/test_settle.py"
RETURNS = "tests/payments/test_webpay_returns.py"
NOTIFIED = "tests/payments/test_mercadopago.py"
RECONCILE = "tests/payments/test_reconcile.py"
REFUNDS = "tests/payments/test_refunds.py"
QUALITY = "tests/payments/test_integration_quality.py"
VERIFY = "tests/audit/test_verify.py"
RULES = "tests/payments/test_rules.py"
RACES = "tests/payments/test_races.py"
MONEY = (RULES, SETTLE, REFUNDS, RECONCILE, NOTIFIED, RETURNS)
SCHEMA = "tests/payments/test_schema.py"
JOURNAL = "tests/test_journal.py"
ACTS = "tests/support/test_acts.py"
MAIL = "tests/mail/test_sending.py"
ORDERS = "tests/orders/test_service.py"
BOARD = ("tests/support/test_races.py", ACTS)
DATABASE = (SCHEMA, JOURNAL)


def _payments(
    name: str, first: str, file: str, old: str, new: str, *tests: str
) -> Defect:
    return Defect(name, first, f"portal/payments/{file}", old, new, tests or MONEY)


DEFECTS = (
    # What is believed.
    _payments(
        "an amount is not compared",
        f"{RULES}::test_disagreements",
        "rules.py",
        "if not said.amount_is_whole or said.amount != expected.amount:",
        "if not said.amount_is_whole:",
    ),
    _payments(
        "a fraction of a peso is not noticed",
        f"{RULES}::test_disagreements",
        "rules.py",
        "if not said.amount_is_whole or said.amount != expected.amount:",
        "if said.amount != expected.amount:",
    ),
    _payments(
        "the reference is not compared",
        f"{RULES}::test_disagreements",
        "rules.py",
        "if said.reference != expected.reference:",
        "if False:",
    ),
    _payments(
        "Webpay's buy order is not compared",
        f"{RULES}::test_disagreements",
        "rules.py",
        "if said.buy_order != expected.buy_order:",
        "if False:",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "the currency is not compared",
        f"{RULES}::test_disagreements",
        "rules.py",
        'if said.currency != "CLP":',
        "if False:",
    ),
    _payments(
        "the account is not compared",
        f"{RULES}::test_disagreements",
        "rules.py",
        "expected.account is not None and said.account != expected.account",
        "False",
    ),
    _payments(
        "test money counts in production",
        f"{RULES}::test_disagreements",
        "rules.py",
        "expected.live is not None and said.live is not expected.live",
        "False",
    ),
    _payments(
        "a second approval is applied too",
        f"{RULES}::test_what_approved_money_does",
        "rules.py",
        "return states.SURPLUS\n",
        "return states.APPLIED\n",
    ),
    _payments(
        "money already given back pays",
        f"{RULES}::test_what_approved_money_does",
        "rules.py",
        "return states.LATE if gone else states.APPLIED",
        "return states.APPLIED",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "approved needs only the status",
        f"{QUALITY}::test_wp_16_each_pair_of_status_and_code_is_this_word",
        "gateways/webpay.py",
        'if status == "AUTHORIZED" and zero:',
        'if status == "AUTHORIZED":',
        *MONEY,
        QUALITY,
    ),
    _payments(
        "a signature is not checked",
        f"{NOTIFIED}::test_forged_notifications_write_nothing_and_ask_nothing",
        "views.py",
        "signed = len(ids) == 1 and is_signed(",
        "signed = len(ids) == 1 or is_signed(",
        NOTIFIED,
    ),
    _payments(
        "an empty secret signs",
        f"{NOTIFIED}::test_a_signature_under_an_empty_secret_is_refused",
        "gateways/mercadopago_signature.py",
        "        if key\n",
        "",
        NOTIFIED,
    ),
    _payments(
        "any id reaches the API's path",
        f"{NOTIFIED}::test_a_signed_id_that_is_no_payment_id_never_reaches_the_api",
        "views.py",
        "topic in notifications.READ and not rules.is_mercadopago_id(ids[0])",
        "False",
        NOTIFIED,
    ),
    _payments(
        "any text is a token",
        f"{RULES}::test_only_webpays_own_form_is_a_token",
        "rules.py",
        "return _WEBPAY_TOKEN.fullmatch(text) is not None",
        "return bool(text)",
        RETURNS,
        QUALITY,
        RULES,
    ),
    _payments(
        "the buy order alone is believed",
        f"{RETURNS}::test_timeout_with_the_buy_order_alone_is_not_believed",
        "queries.py",
        "payment is not None and payment.reference_hash == fingerprint(session_id)",
        "payment is not None",
        RETURNS,
    ),
    # Once, and only once.
    _payments(
        "no turn to commit is taken",
        f"{SETTLE}::test_wp_31_repeating_the_return_commits_once",
        "returns.py",
        "    if _lease(payment_id, now):",
        "    if _lease(payment_id, now) or True:",
        RETURNS,
        SETTLE,
    ),
    _payments(
        "a paid order is committed again",
        f"{SETTLE}::test_webpay_is_not_committed_when_the_order_is_already_paid",
        "returns.py",
        "            gone = order.state in _NOT_TO_BE_PAID\n",
        "            gone = False\n",
        SETTLE,
    ),
    _payments(
        "another's commit is not waited for",
        f"{RACES}::test_a_second_return_waits_for_the_first_and_reads_its_result",
        "returns.py",
        "_WAIT_SECONDS = 15.0",
        "_WAIT_SECONDS = 0.0",
        RACES,
    ),
    _payments(
        "what is not known is rejected",
        f"{RECONCILE}::test_a_commit_without_a_usable_answer_ends_as_what_webpay_says",
        "returns.py",
        '    if evidence.word == "open":\n        _unknown(payment_id, now)\n',
        '    if evidence.word == "open":\n'
        '        evidence = Evidence(word="rejected")\n',
        *MONEY,
        QUALITY,
    ),
    _payments(
        "each tap is an attempt of its own",
        f"{NOTIFIED}::test_a_double_tap_is_one_preference_with_one_idempotency_key",
        "attempts.py",
        "                return payment.id, False",
        "                pass",
        NOTIFIED,
        RECONCILE,
    ),
    _payments(
        "money under way is not waited for",
        f"{RACES}::test_while_money_is_being_verified_no_other_attempt_opens",
        "attempts.py",
        "if queries.is_being_verified(payments):",
        "if False:",
        *MONEY,
        RULES,
    ),
    _payments(
        "a paid order is paid again",
        f"{RACES}::test_a_paid_order_opens_no_other_attempt",
        "attempts.py",
        "if order.state != order_states.AWAITING_PAYMENT:",
        "if False:",
        *MONEY,
        QUALITY,
        RACES,
    ),
    _payments(
        "an order expires while money is under way",
        f"{RECONCILE}::test_an_order_does_not_expire_while_its_payment_is_being_verified",
        "reconcile.py",
        "if _any_in_flight(payments, now):",
        "if False:",
        RECONCILE,
    ),
    _payments(
        "a form in use is closed",
        f"{RECONCILE}::test_an_abandoned_form_times_out_and_then_the_order_expires",
        "reconcile.py",
        "if now >= payment.form_until + _GRACE else None",
        "if True else None",
        RECONCILE,
    ),
    _payments(
        "nobody asks about what is unknown",
        f"{RECONCILE}::test_a_commit_without_a_usable_answer_ends_as_what_webpay_says",
        "returns.py",
        "                checks=0,\n"
        "                next_check_at=rules.next_check(0, now, until),\n",
        "                checks=0,\n                next_check_at=None,\n",
        *MONEY,
        QUALITY,
    ),
    _payments(
        "surplus money alerts nobody",
        f"{SETTLE}::test_second_gateway_approving_is_surplus_and_opens_nothing",
        "service.py",
        "        alert(session, payment, now)\n        return\n",
        "        return\n",
        *MONEY,
        VERIFY,
    ),
    # Refunds.
    _payments(
        "a refund of more than is left",
        f"{RULES}::test_what_may_be_given_back",
        "refund_rules.py",
        "if amount <= 0 or amount > paid - refunded:",
        "if amount <= 0:",
        REFUNDS,
    ),
    _payments(
        "two refunds in flight",
        f"{REFUNDS}::test_only_one_refund_of_a_payment_is_in_flight",
        "refund_requests.py",
        "if queries.find_refund_in_flight(session, payment.id) is not None:",
        "if False:",
        REFUNDS,
    ),
    _payments(
        "each try is another refund",
        f"{REFUNDS}::test_a_try_that_did_not_arrive_is_repeated_under_the_same_key",
        "refunds.py",
        "gateways.mercadopago.refund(gateway_id, None if whole else amount, key)",
        'gateways.mercadopago.refund(gateway_id, None, f"{key}-{now.timestamp()}")',
        REFUNDS,
    ),
    _payments(
        "a refund is repeated before it is asked about",
        f"{REFUNDS}::test_a_refund_whose_answer_is_lost_is_never_called_done_and_never_done_twice",
        "refunds.py",
        "        if refund.state != refund_rules.SENT:\n            return\n",
        "",
        REFUNDS,
    ),
    # History and races.
    Defect(
        "compare-and-set without the version",
        f"{JOURNAL}::test_a_row_that_another_changed_is_not_moved",
        "portal/journal/service.py",
        "            model.version == row.version,\n",
        "",
        (RACES, *BOARD, JOURNAL),
    ),
    Defect(
        "compare-and-set that nobody reads",
        f"{JOURNAL}::test_a_row_that_another_changed_is_not_moved",
        "portal/journal/service.py",
        "    if changed.rowcount != 1:",
        "    if False:",
        (RACES, *BOARD, JOURNAL),
    ),
    Defect(
        "any move is allowed",
        f"{JOURNAL}::test_a_move_that_the_machine_does_not_have_is_refused",
        "portal/journal/service.py",
        "    if to not in machine.get(before, frozenset()):",
        "    if False:",
        (*MONEY, *BOARD),
    ),
    Defect(
        "history may be changed",
        f"{JOURNAL}::test_the_database_refuses_to_change_history",
        "portal/journal/models.py",
        "make_append_only(JournalEntry)\n",
        "",
        DATABASE,
    ),
    # The database's own word.
    _payments(
        "two applied payments of one order",
        f"{SCHEMA}::test_the_database_refuses_what_must_never_be",
        "models.py",
        '            "uq_payments_applied",\n            "order_id",\n'
        "            unique=True,\n",
        '            "uq_payments_applied",\n            "order_id",\n',
        SCHEMA,
    ),
    _payments(
        "money without a disposition",
        f"{SCHEMA}::test_the_database_refuses_what_must_never_be",
        "models.py",
        '            f"(state IN ({_listed(SETTLED)})) = (disposition IS NOT NULL)",\n',
        '            "1 = 1",\n',
        SCHEMA,
    ),
    _payments(
        "one gateway payment in two rows",
        f"{SCHEMA}::test_the_database_refuses_what_must_never_be",
        "models.py",
        '        UniqueConstraint("gateway", "gateway_payment_id"),\n',
        "",
        SCHEMA,
    ),
    Defect(
        "two attentions of one order",
        f"{SCHEMA}::test_the_database_refuses_what_must_never_be",
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
        f"{SCHEMA}::test_sqlite_is_set_to_lose_nothing",
        "portal/db.py",
        '    "foreign_keys": 1,\n',
        '    "foreign_keys": 0,\n',
        DATABASE,
    ),
    Defect(
        "an acknowledged payment may be lost in a power cut",
        f"{SCHEMA}::test_sqlite_is_set_to_lose_nothing",
        "portal/db.py",
        '    "synchronous": 2,\n',
        '    "synchronous": 1,\n',
        DATABASE,
    ),
    Defect(
        "writers begin without the lock",
        f"{SCHEMA}::test_a_writer_holds_the_lock_from_its_beginning",
        "portal/db.py",
        '"BEGIN IMMEDIATE" if immediate else "BEGIN"',
        '"BEGIN"',
        (RACES, *BOARD, *DATABASE),
    ),
    Defect(
        "the network is waited for inside a transaction",
        f"{SCHEMA}::test_no_gateway_is_called_inside_a_transaction",
        "portal/payments/gateways/base.py",
        "    if in_transaction():",
        "    if False:",
        (SCHEMA,),
    ),
    # Purchases and work.
    Defect(
        "one form makes two orders",
        f"{ORDERS}::test_many_at_once_end_with_the_same_order",
        "portal/orders/service.py",
        "        if found is not None and _may_correct(found, draft, offer, now):",
        "        if False:",
        (ORDERS,),
    ),
    Defect(
        "a paid order is changed by its form",
        f"{ORDERS}::test_order_once_paid_is_returned_unchanged",
        "portal/orders/service.py",
        "        if found is not None and found.state in EVER_PAID:\n"
        "            return found\n",
        "",
        (ORDERS,),
    ),
    Defect(
        "two technicians take one attention",
        f"{ACTS}::test_the_second_to_take_reads_who_did_and_when",
        "portal/support/service.py",
        "        if attention.state == TAKEN and attention.technician_id == by.id:",
        "        if attention.state == TAKEN:",
        BOARD,
    ),
    Defect(
        "anybody starts another's attention",
        f"{ACTS}::test_only_who_holds_it_or_the_owner_acts",
        "portal/support/service.py",
        "        require_holder(session, attention, by, now)\n"
        "        if attention.state == RUNNING:",
        "        if attention.state == RUNNING:",
        BOARD,
    ),
    Defect(
        "a mail is asked for twice",
        f"{MAIL}::test_ten_times_asked_is_one_row",
        "portal/mail/service.py",
        "    if row is not None:\n        _ask_again(row, send_at or now)\n",
        "    if False:\n        _ask_again(row, send_at or now)\n",
        (SETTLE, MAIL),
    ),
    *OPERATION,
    *DOOR,
    *BOARDS,
)


def run(processes: int = 2, only: str = "") -> Line:
    """Apply each defect alone (those whose name holds `only`), and none at the end."""
    began = time.monotonic()
    chosen = [defect for defect in DEFECTS if only in defect.name]
    lost = [defect.name for defect in chosen if not is_there(defect)]
    for name in lost:
        print(f"{name}: its text is not there exactly once, or its test is gone")
    trials = [_trial(defect) for defect in chosen if is_there(defect)]
    told = [_tell(verdict) for verdict in verdicts(trials, processes)]
    missed = lost + [verdict.trial.name for verdict in told if not verdict.found]
    broken = _whole(tuple({defect.first for defect in chosen}))
    return Line(
        "defectos sembrados",
        f"{len(chosen) - len(missed)} de {len(chosen)} encontrados"
        + (f"; quedan: {'; '.join(missed)}" if missed else ""),
        "todos (40 o más)",
        "sin defecto: las pruebas " + ("fallan" if broken else "pasan"),
        not missed and not broken and len(chosen) >= 40,
        time.monotonic() - began,
    )


def is_there(defect: Defect) -> bool:
    """Whether its text is in the code once, and the test that should find it exists.

    A file of tests that is missing would end the trial badly, as a finding does.
    """
    file, _, test = defect.first.partition("::")
    named = f"def {test.partition('[')[0]}("
    files = [ROOT / each for each in (file, *defect.tests)]
    if not all(each.exists() for each in files) or named not in files[0].read_text():
        return False
    return (ROOT / defect.file).read_text().count(defect.old) == 1


def _trial(defect: Defect) -> Trial:
    source = (ROOT / defect.file).read_text().replace(defect.old, defect.new)
    module = defect.file.removesuffix(".py").replace("/", ".")
    tree = defect.file if defect.in_tree else ""
    return Trial(defect.name, module, source, (defect.first,), defect.tests, tree=tree)


def _tell(verdict: Verdict) -> Verdict:
    word = "found" if verdict.found else "SURVIVES"
    print(f"{word}: {verdict.trial.name} ({verdict.by})", flush=True)
    return verdict


def _whole(tests: tuple[str, ...]) -> bool:
    """The control: whether the same tests fail over the program as it is."""
    module = "portal.payments.rules"
    sound = Trial("nothing", module, path_of(module).read_text(), (), tests)
    return next(verdicts([sound], 1)).found
