"""Who bought most: purchases that share a phone, a mail or a RUT are one customer's."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SHOWN = 10
# Who bought twice in a month may want a contract.
LEAST = 2


class Buyer(NamedTuple):
    """The contact of one purchase and its pesos."""

    name: str
    email: str
    phone: str
    rut: str | None
    pesos: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer by the newest name and phone; pesos spent in the month."""

    name: str
    phone: str
    attentions: int
    pesos: int


def _find(parents: list[int], one: int) -> int:
    while parents[one] != one:
        parents[one] = parents[parents[one]]
        one = parents[one]
    return one


def _groups(buyers: Sequence[Buyer]) -> Iterable[list[int]]:
    """Indices of the buyers, those of one customer together."""
    parents = list(range(len(buyers)))
    first: dict[str, int] = {}
    for index, buyer in enumerate(buyers):
        # An address has an @, a phone a +, a RUT neither: the keys never meet.
        for key in (buyer.phone, buyer.email, buyer.rut):
            if key:
                known = first.setdefault(key, index)
                if known != index:
                    parents[_find(parents, index)] = _find(parents, known)
    found = defaultdict(list)
    for index in range(len(buyers)):
        found[_find(parents, index)].append(index)
    return found.values()


def best_customers(buyers: Sequence[Buyer]) -> list[Customer]:
    """Those with most attentions, from two on; `buyers` come oldest first."""
    groups = [group for group in _groups(buyers) if len(group) >= LEAST]
    found = [
        Customer(
            name=buyers[group[-1]].name,
            phone=buyers[group[-1]].phone,
            attentions=len(group),
            pesos=sum(buyers[index].pesos for index in group),
        )
        for group in groups
    ]
    found.sort(key=lambda it: (-it.attentions, -it.pesos, it.name))
    return found[:SHOWN]
