"""Every causal order of a few events around one order and two gateways.

Events: approve, return, a second return (Webpay's server calls too), notify, notify
again, the gateway's or the owner's refund, and the order's expiry while the gateways'
searches are behind. Each happens at most once a gateway. Every shorter history is the
beginning of a longer one, and the invariants are judged after every event.
"""

import time
from collections.abc import Iterator
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


def orders(longest: int, done: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every causal order of `longest` events (of all of them, when it is 10)."""
    if len(done) == min(longest, len(CAUSES)):
        yield done
        return
    for event, causes in CAUSES.items():
        if event not in done and set(causes) <= set(done):
            yield from orders(longest, (*done, event))


def play(world: Any, history: tuple[str, ...]) -> list[str]:
    """What is broken by this history; empty when nothing is."""
    world.reset()
    placed = world.place()
    webpay = world.start(placed, "webpay")
    mercadopago = world.start(placed, "mercadopago")
    held: dict[str, Any] = {}
    for event in history:
        _happen(world, event, placed, webpay, mercadopago, held)
        problems = world.problems()
        if problems:
            return [f"{history} at {event}: {problems}"]
    problems = world.final_problems()
    return [f"{history} at the end: {problems}"] if problems else []


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


def run(longest: int, every: int) -> Line:
    """All orders of `longest` events, or one in `every` of them."""
    return quietly(lambda: _run(longest, every))  # type: ignore[no-any-return]


def _run(longest: int, every: int) -> Line:
    from bench.torture.worlds import world

    began = time.monotonic()
    played, bad = 0, []
    with world("sqlite") as made:
        for number, history in enumerate(orders(longest)):
            if number % every == 0:
                played += 1
                bad += play(made, history)
        with mock.patch("portal.payments.rules.disposition", _surplus_pays):
            red = _control(made)
    for problem in bad[:10]:
        print(problem)
    part = "todos" if every == 1 else f"1 de cada {every}"
    return Line(
        "órdenes causales de eventos",
        f"{len(bad)} malos de {played:,} ({part}, {longest} eventos)",
        "0 malos",
        f"lo sobrante se aplica: {red}",
        not bad and red == "rojo",
        time.monotonic() - began,
    )


def _control(made: Any) -> str:
    history = ("wp approve", "wp return", "mp approve", "mp notify")
    try:
        return "rojo" if play(made, history) else "verde"
    except Exception:  # the database itself refuses a second applied payment
        return "rojo"
