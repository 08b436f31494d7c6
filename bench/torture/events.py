"""Every causal order of a few events around one order and two gateways.

Events: approve, return, a second return (Webpay's server calls too), notify, notify
again, the gateway's or the owner's refund, and the order's expiry while the gateways'
searches are behind. Each happens at most once a gateway. Every shorter history is the
beginning of a longer one, and the invariants are judged after every event.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any
from unittest import mock

from bench.torture.histories import quietly
from bench.torture.report import Line

# event: what must have happened before it.
CAUSES = {
    "wp approve": (),
    "wp return": ("wp approve",),
    "wp again": ("wp return",),
    "wp refund": ("wp return",),
    "mp approve": (),
    "mp return": ("mp approve",),
    "mp notify": ("mp approve",),
    "mp again": ("mp notify",),
    "mp refund": ("mp approve",),
    "expire": (),
}
# Where a sample chooses: deep enough to be fair, not so deep that nothing is shared.
_SAMPLED = 3


def orders(longest: int, done: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every causal order of `longest` events (of all of them, when it is 10)."""
    if len(done) == min(longest, len(CAUSES)):
        yield done
        return
    for event in _next_of(done):
        yield from orders(longest, (*done, event))


@dataclass
class Walk:
    """Every causal order as one tree: what two orders begin with is lived once."""

    world: Any
    longest: int
    every: int = 1
    played: int = 0
    leaves: int = 0
    bad: list[str] = field(default_factory=list)

    def all_after(self, *beginning: str) -> None:
        """Every causal order that begins so."""
        begun = _begin(self.world)
        for event in beginning:
            _happen(self.world, event, *begun)
        self._on(beginning, begun)

    def _on(self, done: tuple[str, ...], begun: Any) -> None:
        if len(done) == min(self.longest, len(CAUSES)):
            self.played += 1
            self._judge(done, self.world.final_problems(), "at the end")
            return
        before = self.world.snapshot()
        held = dict(begun[-1])
        for place, event in enumerate(_next_of(done)):
            if not self._is_wanted(done):
                continue
            if place:
                self.world.restore(before)
                begun[-1].clear()
                begun[-1].update(held)
            _happen(self.world, event, *begun)
            if self._judge((*done, event), self.world.problems(), "now"):
                self._on((*done, event), begun)

    def _is_wanted(self, done: tuple[str, ...]) -> bool:
        """Of the beginnings of three events, one in `every`."""
        if len(done) != _SAMPLED:
            return True
        self.leaves += 1
        return self.leaves % self.every == 0

    def _judge(self, done: tuple[str, ...], problems: list[str], when: str) -> bool:
        if problems:
            self.bad.append(f"{done} {when}: {problems}")
        return not problems


def _next_of(done: tuple[str, ...]) -> list[str]:
    return [
        event
        for event, causes in CAUSES.items()
        if event not in done and set(causes) <= set(done)
    ]


def play(world: Any, history: tuple[str, ...]) -> list[str]:
    """What is broken by this history; empty when nothing is."""
    begun = _begin(world)
    for event in history:
        _happen(world, event, *begun)
        problems = world.problems()
        if problems:
            return [f"{history} at {event}: {problems}"]
    problems = world.final_problems()
    return [f"{history} at the end: {problems}"] if problems else []


def _begin(world: Any) -> tuple[Any, Any, Any, dict[str, Any]]:
    """An order with an attempt at each gateway, and nothing decided."""
    world.reset()
    placed = world.place()
    webpay = world.start(placed, "webpay")
    mercadopago = world.start(placed, "mercadopago")
    return placed, webpay, mercadopago, {}


def _happen(
    world: Any, event: str, placed: Any, webpay: Any, mercadopago: Any, held: Any
) -> None:
    if event == "wp approve":
        held["wp"] = world.choose_webpay(webpay.token, "visa")
    elif event in ("wp return", "wp again"):
        world.follow(held["wp"])
    elif event == "wp refund":
        _owner_refund(world, webpay.payment_id)
    elif event == "mp approve":
        held["mp"] = world.choose_mercadopago(mercadopago.payment_id, "credit")
    elif event == "expire":
        _expire(world)
    elif held["mp"] is not None:
        (mp_id,) = held["mp"].payment_ids
        if event == "mp return":
            world.follow(held["mp"].browser)
        elif event == "mp refund":
            world.panel(mp_id, "refund")
        else:
            assert world.notify(mp_id, 1) == 200


def _expire(world: Any) -> None:
    """The order's life ends while Mercado Pago's search is behind."""
    world.advance(minutes=35)
    world.fail("mp_search", "stale", 2)
    world.work(everything=True)
    world.expire()
    world.gateway.faults.clear()


def _owner_refund(world: Any, payment_id: int) -> None:
    from portal.errors import PortalError
    from portal.journal.service import Actor
    from portal.payments import refund_requests, refunds
    from portal.payments.models import Payment

    with world.session() as session:
        amount = session.get_one(Payment, payment_id).amount
    with world.process():
        try:
            refund = refund_requests.request_by_owner(
                payment_id,
                amount,
                reason="Acuerdo",
                actor=Actor("staff", 2),
                now=world.now,
            )
        except PortalError:
            return
        refunds.send(refund, world.gateways, now=world.now)


def _surplus_pays(*_arguments: object) -> str:
    return "applied"


def run(longest: int, every: int, processes: int = 2) -> Line:
    """All orders of `longest` events, or one in `every` of their beginnings."""
    began = time.monotonic()
    # Each share is a beginning of two events; the long ones do not wait for others.
    shares = sorted({order[:2] for order in orders(2)})
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    with pool:
        jobs = [pool.submit(_share, share, longest, every) for share in shares]
        parts = [job.result() for job in jobs]
        red = pool.submit(_control).result()
    played = sum(count for count, _ in parts)
    bad = [problem for _, found in parts for problem in found]
    for problem in bad[:10]:
        print(problem)
    whole = every == 1 and longest >= len(CAUSES)
    part = "todos" if whole else "una parte"
    return Line(
        "órdenes causales de eventos",
        f"{len(bad)} malos de {played:,} ({part}, {longest} eventos)",
        "0 malos",
        f"lo sobrante se aplica: {red}",
        not bad and red == "rojo",
        time.monotonic() - began,
    )


def _share(
    beginning: tuple[str, ...], longest: int, every: int
) -> tuple[int, list[str]]:
    from bench.torture.worlds import world

    def act() -> tuple[int, list[str]]:
        with world("sqlite") as made:
            walk = Walk(made, longest, every)
            walk.all_after(*beginning)
            return walk.played, walk.bad

    found: tuple[int, list[str]] = quietly(act)
    return found


def _control() -> str:
    """Money that is left over pays too: the first such order must show it."""
    from bench.torture.worlds import world

    history = ("wp approve", "wp return", "mp approve", "mp notify")

    def act() -> str:
        surplus = mock.patch("portal.payments.rules.disposition", _surplus_pays)
        with world("sqlite") as made, surplus:
            try:
                return "rojo" if play(made, history) else "verde"
            except Exception:  # the database itself refuses a second applied payment
                return "rojo"

    return str(quietly(act))
