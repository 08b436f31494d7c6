"""What a poll without news costs, against Flask's hello world on the same server.

    python bench/polls.py [--requests 600] [--rounds 5]

The cost is the processor time of the server's processes, so neither the client nor
other work on the machine counts; the best round of each kind. Prints a table, writes
JSON to var/bench.json; exits 1 when a poll does less than a quarter of hello world.

A poll is measured twice: while nobody writes, and with a commit of somebody else's
before each one, after which nothing that was remembered may be answered again.
"""

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from desk import Desk
from servers import Caller, Server, poll_path, save, serving

LEAST = 0.25
Kind = tuple[Server, Caller, str, int, Callable[[], None]]


def cost(kind: Kind, requests: int) -> float:
    """Processor milliseconds of one answer."""
    server, caller, path, status, before_each = kind
    before = server.cpu_seconds()
    for _ in range(requests):
        before_each()
        answer = caller.get(path)
        assert answer.status == status, answer.status
    return (server.cpu_seconds() - before) / requests * 1000


def commits(path: str) -> Callable[[], None]:
    """Writes something that no screen shows."""
    connection = sqlite3.connect(path, isolation_level=None)

    def write() -> None:
        connection.execute(
            "INSERT OR REPLACE INTO request_counts VALUES ('bench', 1, '2026-11-24')"
        )

    return write


def nothing() -> None:
    """Nobody writes."""


def measure(requests: int, rounds: int) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        serving("bench.hello:buffered", 1) as plain,
    ):
        desk = Desk(Path(folder), 20)
        with serving("wsgi:buffered", 1, **desk.environment) as portal:
            board = Caller(portal.port, desk.cookie())
            customer = Caller(portal.port)
            write = commits(desk.url.removeprefix("sqlite:///"))
            wall = poll_path(board.get("/tablero").text)
            page = poll_path(customer.get(desk.pages[0]).text)
            kinds: dict[str, Kind] = {
                "hello": (plain, Caller(plain.port), "/", 200, nothing),
                "board": (portal, board, wall, 204, nothing),
                "customer": (portal, customer, page, 204, nothing),
                "board, after a commit": (portal, board, wall, 204, write),
                "customer, after a commit": (portal, customer, page, 204, write),
            }
            taken: dict[str, list[float]] = {name: [] for name in kinds}
            for _ in range(rounds):
                for name, kind in kinds.items():
                    taken[name].append(cost(kind, requests))
    return {name: min(times) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    best = measure(options.requests, options.rounds)
    ratios = {name: round(best["hello"] / each, 3) for name, each in best.items()}
    save(
        "polls",
        {
            "cpu_ms": {name: round(each, 3) for name, each in best.items()},
            "of_hello": ratios,
            "least": LEAST,
        },
    )
    print(f"\nA poll without news, of hello world's rate (at least {LEAST})\n")
    for name, each in best.items():
        print(f"{name:>24}  {each:7.3f} ms of processor  {ratios[name]:.2f}")
    return 0 if min(ratios.values()) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
