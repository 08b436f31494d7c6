"""Random histories of money: customers, two gateways, faults, kills, clocks, refunds.

After every step the invariants hold and the history has only grown; at the end, after
one reconciliation, the portal's rows and the gateways' own ledger tell of the same
money. Used by the core suite and, for longer, by `make torture`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from money_world import Bought, World

from portal.accounts.rules import Person
from portal.errors import PortalError
from portal.journal.service import Actor
from portal.payments import late_money, refund_requests, refunds
from portal.simulator.browser import BrowserReturn
from portal.support import service as support

TECHNICIAN = Person(1, "Ana", "technician")
OWNER = Actor("staff", 2)
PICK = st.integers(0, 5)
WEBPAY = ("visa", "visa", "redcompra", "instalments", "close", "rejected", "aborted")
WEBPAY_CODES = (*WEBPAY, "timeout", "form_error", "abo", "other_amount", "other_order")
MERCADOPAGO = ("credit", "credit", "close", "twice", "pending_contingency", "leave")
REJECTED = ("cc_rejected_other_reason", "other_amount", "other_currency")
MERCADOPAGO_CODES = (*MERCADOPAGO, *REJECTED, "other_reference", "other_collector")
KINDS = ("error_500", "html_502", "empty", "broken_json", "cut", "rate_limited")
AFTER = tuple(f"{kind}_after" for kind in (*KINDS, "refused"))
OPERATIONS = (
    "webpay_create",
    "webpay_commit",
    "webpay_status",
    "webpay_refund",
    "mp_preference",
    "mp_preference_update",
    "mp_payment",
    "mp_search",
    "mp_refund",
)
PANEL = ("approve", "reject", "cancel", "refund", "chargeback", "mediation")
SERVICES = ("soporte-online", "soporte-online", "reinstalacion")
# A history stays inside the 7 days for which Webpay tells what became of a payment.
MAX_HOURS = 120


class MoneyHistory(RuleBasedStateMachine):
    """What may happen around a few orders, in any order, as often as it likes."""

    world: World
    watch: Counter[str]
    seen: set[tuple[str, ...]]

    @initialize()
    def begin(self) -> None:
        self.world.reset()
        self.orders: list[Bought] = []
        self.sent: list[Any] = []
        self.returns: list[BrowserReturn] = []
        self.paid: list[int] = []
        self.deliveries = 0
        self.hours = 0.0
        self.steps: list[str] = []
        # Nobody buys in a history where nobody orders.
        self.order("soporte-online")

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self.watch[name] += 1

    def _of(self, held: list[Any], pick: int) -> Any:
        return held[-1 - pick % len(held)]

    # Customers -----------------------------------------------------------

    @precondition(lambda self: len(self.orders) < 3)
    @rule(service=st.sampled_from(SERVICES))
    def order(self, service: str) -> None:
        self._step("order")
        placed = self.world.place(service)
        if placed is not None:
            self.orders.append(placed)

    @rule(pick=PICK, gateway=st.sampled_from(("webpay", "mercadopago")))
    def pay(self, pick: int, gateway: str) -> None:
        self._step(f"pay by {gateway}")
        sent = self.world.start(self._of(self.orders, pick), gateway)
        if sent is not None and sent not in self.sent:
            self.sent.append(sent)

    @precondition(lambda self: self.sent)
    @rule(
        pick=PICK,
        code=st.sampled_from(WEBPAY_CODES),
        other=st.sampled_from(MERCADOPAGO_CODES),
        method=st.sampled_from(("", "GET", "POST")),
        comes_back=st.booleans(),
    )
    def decide(
        self, pick: int, code: str, other: str, method: str, comes_back: bool
    ) -> None:
        """The payer decides at the gateway and, perhaps, comes straight back."""
        self._step("decide")
        self._decide(self._of(self.sent, pick), code, other, method, comes_back)

    @rule(
        pick=PICK,
        gateway=st.sampled_from(("webpay", "mercadopago")),
        code=st.sampled_from(WEBPAY_CODES),
        other=st.sampled_from(MERCADOPAGO_CODES),
        comes_back=st.booleans(),
    )
    def buy(
        self, pick: int, gateway: str, code: str, other: str, comes_back: bool
    ) -> None:
        """The usual way: pay, decide, come back or not."""
        self._step(f"buy by {gateway}")
        sent = self.world.start(self._of(self.orders, pick), gateway)
        if sent is None:
            return
        if sent not in self.sent:
            self.sent.append(sent)
        self._decide(sent, code, other, "", comes_back)

    def _decide(
        self, sent: Any, code: str, other: str, method: str, comes_back: bool
    ) -> None:
        if sent.token:
            browser = self.world.choose_webpay(sent.token, code, method)
        else:
            paid = self.world.choose_mercadopago(sent.payment_id, other)
            if paid is None:
                return
            self.paid += paid.payment_ids
            browser = paid.browser
        if browser.method == "NONE":
            return
        self.returns.append(browser)
        if comes_back:
            self.world.follow(browser)

    @precondition(lambda self: self.returns)
    @rule(pick=PICK)
    def come_back(self, pick: int) -> None:
        """A return: late, again, or the one that never came."""
        self._step("come back")
        self.world.follow(self._of(self.returns, pick))

    def _look(self, pick: int) -> None:
        self._step("look")
        order = self._of(self.orders, pick)
        assert self.world.request("GET", order.path) in (200, 0)

    @precondition(lambda self: self.sent)
    @rule(pick=PICK)
    def ask_back(self, pick: int) -> None:
        """Retracto, sent to the gateway at once as the page does."""
        self._step("ask the money back")
        world, order = self.world, self._of(self.orders, pick)
        with world.process():
            try:
                refund = refund_requests.request_by_customer(order.id, now=world.now)
            except PortalError:
                return
            refunds.send(refund, world.gateways, now=world.now)

    @precondition(lambda self: self.sent)
    @rule(pick=PICK)
    def honour(self, pick: int) -> None:
        """R7: late money pays after all."""
        self._step("honour late money")
        self._try(late_money.honour, self._of(self.orders, pick).id, actor=OWNER)

    @precondition(lambda self: self.sent)
    @rule(pick=PICK)
    def back_to_queue(self, pick: int) -> None:
        self._step("back to the queue")
        self._try(refund_requests.return_to_queue, self._of(self.orders, pick).id)

    # Notifications -------------------------------------------------------

    @precondition(lambda self: self.paid)
    @rule(pick=PICK, times=st.integers(1, 3), replayed=st.booleans())
    def notified(self, pick: int, times: int, replayed: bool) -> None:
        """Late, repeated, out of order, or an old one replayed."""
        self._step("notified")
        if not replayed:
            self.deliveries += 1
        for _ in range(times):
            status = self.world.notify(self._of(self.paid, pick), self.deliveries)
            assert status in (200, 0)

    def _forged(self, pick: int, number: int) -> None:
        self._step("forged")
        target = self._of(self.paid, pick) if self.paid else number
        calls = self.world.wire.sent
        assert self.world.notify(target, 0, forged="another secret") == 401
        assert self.world.wire.sent == calls

    # The gateways --------------------------------------------------------

    @rule(
        operation=st.sampled_from(OPERATIONS),
        kind=st.sampled_from((*KINDS, "refused", *AFTER)),
        times=st.integers(1, 2),
    )
    def goes_wrong(self, operation: str, kind: str, times: int) -> None:
        self._step("gateway fault")
        # A definite "no" after the act was done is no word that a gateway gives.
        if kind == "refused_after" and operation != "webpay_commit":
            kind = "cut_after"
        self.world.fail(operation, kind, times)

    @rule(
        kind=st.sampled_from(("html_502", "cut_after", "error_500")),
        times=st.integers(1, 3),
    )
    def outage(self, kind: str, times: int) -> None:
        """The next calls of every kind fail, done or not."""
        self._step("outage")
        for operation in OPERATIONS:
            self.world.fail(operation, kind, times)

    def _is_behind(self, times: int) -> None:
        self._step("stale search")
        self.world.fail("mp_search", "stale", times)

    def _dies(self, when: str) -> None:
        """The process will be killed around its next call to a gateway."""
        self._step("kill")
        self.world.wire.kill_at = when

    @precondition(lambda self: self.paid)
    @rule(pick=PICK, act=st.sampled_from(PANEL), part=st.booleans())
    def at_the_panel(self, pick: int, act: str, part: bool) -> None:
        self._step(f"panel: {act}")
        amount = 1000 if act == "refund" and part else None
        self.world.panel(self._of(self.paid, pick), act, amount)

    # Staff ---------------------------------------------------------------

    @precondition(lambda self: self.sent)
    @rule(act=st.sampled_from(("take", "start", "start", "release")), pick=PICK)
    def board(self, act: str, pick: int) -> None:
        self._step(f"board: {act}")
        acts: dict[str, Callable[..., Any]] = {
            "take": support.take,
            "start": support.start,
            "release": support.release,
        }
        number = self._attention_of(self._of(self.orders, pick))
        if number is not None:
            self._try(acts[act], number, by=TECHNICIAN)

    def _attention_of(self, order: Bought) -> int | None:
        from portal.support.models import Attention

        with self.world.session() as session:
            found = session.query(Attention.id).filter_by(order_id=order.id).first()
            return found[0] if found else None

    @precondition(lambda self: self.sent)
    @rule(pick=PICK, part=st.booleans(), send=st.booleans())
    def owner_gives_back(self, pick: int, part: bool, send: bool) -> None:
        """Any money, whole or in part, sent now or left to the worker."""
        self._step("owner gives back")
        world = self.world
        found = self._money()
        if not found:
            return
        number, amount = found[pick % len(found)]
        with world.process():
            try:
                refund = refund_requests.request_by_owner(
                    number,
                    1000 if part else amount,
                    reason="Acuerdo con el cliente",
                    actor=OWNER,
                    now=world.now,
                )
            except PortalError:
                return
            if send:
                refunds.send(refund, world.gateways, now=world.now)

    def _money(self) -> list[tuple[int, int]]:
        from portal.payments.models import Payment

        with self.world.session() as session:
            found = session.query(Payment).filter(Payment.disposition.is_not(None))
            return [(payment.id, payment.charged) for payment in found]

    @precondition(lambda self: self.sent)
    @rule(pick=PICK, by_hand=st.booleans())
    def owner_ends_refund(self, pick: int, by_hand: bool) -> None:
        """A refused refund is tried again, or was paid by transfer."""
        self._step("owner ends a refund")
        from portal.payments.models import Refund

        with self.world.session() as session:
            ids = [row[0] for row in session.query(Refund.id)]
        if not ids:
            return
        number = ids[pick % len(ids)]
        if by_hand:
            self._try(refunds.pay_by_hand, number, reason="Transferencia", actor=OWNER)
        else:
            self._try(refunds.retry, number, actor=OWNER)

    def _try(self, act: Callable[..., Any], *args: Any, **values: Any) -> None:
        with self.world.process():
            try:
                act(*args, now=self.world.now, **values)
            except PortalError:
                return

    # Time, the worker, the machine --------------------------------------

    @rule(minutes=st.sampled_from((0.5, 2, 3, 5, 11, 31, 95, 1440)))
    def time_passes(self, minutes: float) -> None:
        self._step("time passes")
        if self.hours + minutes / 60 <= MAX_HOURS:
            self.hours += minutes / 60
            self.world.advance(minutes=minutes)

    def _clock_jumps(self, hours: int) -> None:
        self._step("clock jumps")
        if 0 <= self.hours + hours <= MAX_HOURS:
            self.hours += hours
            self.world.advance(hours=hours)

    @rule(everything=st.booleans())
    def worker_round(self, everything: bool) -> None:
        self._step("worker round")
        self.world.work(everything=everything)

    def _expire(self) -> None:
        self._step("expire")
        self.world.expire()

    def _restart(self) -> None:
        self._step("restart")
        self.world.restart()

    @rule(
        what=st.sampled_from(
            ("look", "forged", "behind", "before", "after", "expire", "restart", "jump")
        ),
        pick=PICK,
    )
    def now_and_then(self, what: str, pick: int) -> None:
        """What would drown the purchases if each were a rule of its own."""
        if what in ("before", "after"):
            self._dies(what)
            return
        acts: dict[str, Callable[[], None]] = {
            "look": lambda: self._look(pick),
            "forged": lambda: self._forged(pick, 10**11 + pick),
            "behind": lambda: self._is_behind(1 + pick % 2),
            "expire": self._expire,
            "restart": self._restart,
            "jump": lambda: self._clock_jumps((-3, -1, 1)[pick % 3]),
        }
        acts[what]()

    # Judging -------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "steps"):
            found = self.world.problems()
            assert found == [], found

    def teardown(self) -> None:
        if not hasattr(self, "steps"):
            return
        self.seen.add(tuple(self.steps))
        for mp_id in self._unreported():
            self.world.wire.kill_at = None
            self.world.gateway.faults.clear()
            self.world.notify(mp_id, self.deliveries + 1)
        found = self.world.final_problems()
        assert found == [], found

    def _unreported(self) -> list[int]:
        """Money under a foreign reference: only its notification can tell of it."""
        return [
            entry["id"]
            for entry in self.world.ledger()["payments"]
            if entry["external_reference"] == "otra-ref" and entry["date_approved"]
        ]


def machine_of(world: World, watch: Counter[str] | None = None) -> Any:
    """The machine over this world, counting its steps in `watch`."""
    values = {
        "world": world,
        "watch": Counter() if watch is None else watch,
        "seen": set(),
    }
    return type("MoneyHistoryHere", (MoneyHistory,), values)
