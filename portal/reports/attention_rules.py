"""What the attentions of a month took: outcomes, minutes, waiting, promises. Pure.

Instants come as whole seconds since 1970.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from portal.reports.rules import Spread, spread, whole_minutes
from portal.support.rules import ATTENTION_MINUTES
from portal.support.states import CANCELLED, CLOSED, OUTCOMES

FULL_SECONDS = ATTENTION_MINUTES * 60
PENDING = "sin terminar"
ANNULLED = "anulada"
OUTCOME_NAMES = {
    OUTCOMES[0]: "Resueltas",
    OUTCOMES[1]: "Resueltas en parte",
    OUTCOMES[2]: "No resueltas",
    PENDING: "Sin terminar",
    ANNULLED: "Anuladas antes de empezar",
}


class Fact(NamedTuple):
    """What is asked of one attention; thousands are read at once."""

    state: str
    outcome: str | None
    regime_kind: str
    queued: int
    promise: int | None
    missed: int | None
    taken: int | None
    contacted: int | None
    started: int | None
    ends: int | None
    paused: int | None
    closed: int | None
    paused_seconds: int


@dataclass(frozen=True, slots=True)
class Waits:
    """How long customers waited in one regime: to be taken, and to be contacted."""

    to_taken: Spread
    to_contact: Spread


@dataclass(frozen=True, slots=True)
class Attentions:
    """The attentions bought in a month. Minutes are whole, summed row by row."""

    total: int
    outcomes: Mapping[str, int]
    used_minutes: int
    paused_minutes: int
    waits: Mapping[str, Waits]
    kept: int
    broken: int

    @property
    def sold_minutes(self) -> int:
        """90 for each, also for those that were annulled."""
        return self.total * ATTENTION_MINUTES

    @property
    def promises(self) -> int:
        """Promises of a call that came to their end, kept or not."""
        return self.kept + self.broken


def used_seconds(fact: Fact, now: int) -> int:
    """How much of the 90 minutes ran, pauses apart."""
    if fact.started is None or fact.ends is None:
        return 0
    # A running pause holds the clock; a late closing adds nothing to it.
    still = fact.closed or fact.paused or now
    ran = min(still, fact.ends) - fact.started - fact.paused_seconds
    return max(0, min(ran, FULL_SECONDS))


def promise_of(fact: Fact, now: int) -> bool | None:
    """Whether the promised call was made in time; None without one, or not yet."""
    if fact.missed is not None:
        return False
    if fact.promise is None:
        return None
    if fact.contacted is not None:
        return fact.contacted <= fact.promise
    if fact.state == CANCELLED or now <= fact.promise:
        return None
    return False


def outcome_of(fact: Fact) -> str:
    """A key of OUTCOME_NAMES."""
    if fact.state == CANCELLED:
        return ANNULLED
    return fact.outcome or PENDING if fact.state == CLOSED else PENDING


def summary(facts: Iterable[Fact], now: int) -> Attentions:
    """Everything that the report says of these attentions, in one pass."""
    outcomes: Counter[str] = Counter()
    promises: Counter[bool | None] = Counter()
    taken: dict[str, list[int]] = {}
    contact: dict[str, list[int]] = {}
    used = paused = 0
    for fact in facts:
        outcomes[outcome_of(fact)] += 1
        promises[promise_of(fact, now)] += 1
        used += whole_minutes(used_seconds(fact, now))
        paused += whole_minutes(fact.paused_seconds)
        if fact.taken is not None:
            taken.setdefault(fact.regime_kind, []).append(fact.taken - fact.queued)
        if fact.contacted is not None:
            waited = fact.contacted - fact.queued
            contact.setdefault(fact.regime_kind, []).append(waited)
    return Attentions(
        total=outcomes.total(),
        outcomes={name: outcomes[name] for name in OUTCOME_NAMES if outcomes[name]},
        used_minutes=used,
        paused_minutes=paused,
        waits={
            regime: Waits(
                spread(taken.get(regime, ())), spread(contact.get(regime, ()))
            )
            for regime in ("normal", "special", "closed")
            if regime in taken or regime in contact
        },
        kept=promises[True],
        broken=promises[False],
    )
