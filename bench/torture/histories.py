"""Random histories of money (tests/history_machine.py), many of them."""

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any
from unittest import mock

from bench.torture.report import Line

SEED = 20261124
STEPS = 20
# Histories a run of Hypothesis: it gets slower the longer one lasts.
SHARE = 250
CONTROLS: dict[str, tuple[str, Any]] = {
    "firma no revisada": ("portal.payments.views.is_signed", lambda *_a: True),
    "evidencia no comparada": (
        "portal.payments.rules.disagreements",
        lambda *_a: (),
    ),
    "nadie pregunta": ("portal.payments.reconcile.queries.due", lambda *_a: []),
    "cambio sin historial": (
        "portal.journal.service.record",
        lambda *_a, **_k: None,
    ),
    "lo desconocido es rechazo": (
        "portal.payments.returns._unknown",
        lambda payment_id, now: _reject(payment_id, now),
    ),
}


@dataclass
class Part:
    """What one run of Hypothesis saw."""

    histories: int = 0
    distinct: int = 0
    steps: int = 0
    calls: int = 0
    failure: str = ""
    by_step: Counter[str] = field(default_factory=Counter)


def _reject(payment_id: int, now: Any) -> None:
    """The control: what the gateway did not answer is called a rejection."""
    from portal.db import transaction
    from portal.journal.service import GATEWAY, change_state
    from portal.payments import queries, states

    with transaction() as session:
        payment = queries.get(session, payment_id, lock=True)
        change_state(
            session,
            payment,
            states.REJECTED,
            machine=states.TRANSITIONS[payment.gateway],
            at=now,
            actor=GATEWAY,
            action="payment.rejected",
            order_id=payment.order_id,
            next_check_at=None,
        )


def explore(world: Any, seed: int, count: int) -> Part:
    """Run `count` histories; the first failure ends it, unshrunk."""
    import hypothesis
    from history_machine import machine_of
    from hypothesis.stateful import run_state_machine_as_test

    watch: Counter[str] = Counter()
    machine = machine_of(world, watch)
    part = Part(histories=count)
    before = world.wire.sent
    try:
        run_state_machine_as_test(
            hypothesis.seed(seed)(machine),
            settings=hypothesis.settings(
                max_examples=count,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            ),
        )
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        part.failure = f"seed {seed}: {error!r}\n{notes}"
    part.distinct, part.steps = len(machine.seen), watch.total()
    part.calls, part.by_step = world.wire.sent - before, watch
    return part


def quietly(act: Callable[[], Any]) -> Any:
    """No log and no warning: faults are wanted here."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    return act()


def _work(database: str, seeds: list[int], count: int) -> list[Part]:
    from bench.torture.worlds import world

    def act() -> list[Part]:
        with world(database) as made:
            return [explore(made, seed, count) for seed in seeds]

    return list(quietly(act))


def _control(name: str) -> str:
    from bench.torture.worlds import world

    target, replacement = CONTROLS[name]

    def act() -> str:
        with world("sqlite") as made, mock.patch(target, replacement):
            return explore(made, SEED, 1000).failure

    return str(quietly(act))


def run(database: str, count: int, processes: int, *, controls: bool) -> Line:
    """The campaign on one database."""
    began = time.monotonic()
    seeds = [SEED + number for number in range(max(1, count // SHARE))]
    shares = [seeds[number::processes] for number in range(processes)]
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    with pool:
        jobs = [
            pool.submit(_work, database, share, min(count, SHARE)) for share in shares
        ]
        parts = [part for job in jobs for part in job.result()]
        red = list(pool.map(_control, CONTROLS)) if controls else []
    return _line(database, parts, red, time.monotonic() - began)


def _line(database: str, parts: list[Part], red: list[str], seconds: float) -> Line:
    broken = [part.failure for part in parts if part.failure]
    for failure in broken:
        print(failure)
    histories = sum(part.histories for part in parts)
    figure = (
        f"{len(broken)} rotas en {histories} historias "
        f"({sum(part.distinct for part in parts)} distintas, "
        f"{sum(part.steps for part in parts)} pasos, "
        f"{sum(part.calls for part in parts)} llamadas a los medios)"
    )
    found = sum(bool(failure) for failure in red)
    control = f"{found} de {len(red)} guardas quitadas, rojas" if red else "en SQLite"
    return Line(
        f"historias al azar, {database}",
        figure,
        "0 rotas",
        control,
        not broken and found == len(red),
        seconds,
    )
