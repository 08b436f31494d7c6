"""The home page against a bare Flask page with one SELECT and a template of its size.

    python bench/home.py [--requests 400] [--rounds 5]

Both on the command of `make serve` with one process, in turns, once without
compression and once with (brotli, at the portal's quality, on both). Processor time of
the server's processes and requests a second of one client; the best round of each.
Writes JSON to var/bench.json; exits 1 below 0.8 of the bare page's rate.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from desk import Desk
from servers import Caller, Server, save, serving

LEAST = 0.8


@dataclass
class Side:
    """One of the two pages, and the best that it did."""

    server: Server
    caller: Caller
    cpu_ms: float = 1e9
    a_second: float = 0.0

    def take(self, requests: int) -> None:
        cpu, begun = self.server.cpu_seconds(), time.perf_counter()
        for _ in range(requests):
            assert self.caller.get("/").status == 200
        spent = time.perf_counter() - begun
        used = (self.server.cpu_seconds() - cpu) / requests * 1000
        self.cpu_ms = min(self.cpu_ms, used)
        self.a_second = max(self.a_second, requests / spent)


def measure(requests: int, rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        desk = Desk(Path(folder), 20)
        with serving("wsgi:buffered", 1, **desk.environment) as portal:
            size = len(Caller(portal.port).get("/").text.encode())
            about = {"BARE_URL": desk.url, "BARE_BYTES": str(size)}
            with serving("bench.bare:buffered", 1, **about) as bare:
                for coding in ("identity", "br"):
                    sides = [Side(each, Caller(each.port)) for each in (bare, portal)]
                    for side in sides:
                        side.caller.headers["Accept-Encoding"] = coding
                    for _ in range(rounds):
                        for side in sides:
                            side.take(requests)
                    found[coding] = _row(*sides)
    return found


def _row(bare: Side, home: Side) -> dict[str, float]:
    return {
        "bare_cpu_ms": round(bare.cpu_ms, 3),
        "home_cpu_ms": round(home.cpu_ms, 3),
        "bare_a_second": round(bare.a_second),
        "home_a_second": round(home.a_second),
        "of_bare_by_cpu": round(bare.cpu_ms / home.cpu_ms, 2),
        "of_bare": round(home.a_second / bare.a_second, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = measure(options.requests, options.rounds)
    kept = all(row["of_bare"] >= LEAST for row in found.values())
    save("home", {**found, "least": LEAST, "kept": kept})
    print(f"\nThe home page, of a bare page's rate (at least {LEAST})\n")
    for coding, row in found.items():
        print(
            f"{coding:>9}  {row['home_cpu_ms']:6.3f} ms of processor against "
            f"{row['bare_cpu_ms']:6.3f}  {row['of_bare_by_cpu']:.2f}    "
            f"{row['home_a_second']:5.0f}/s against {row['bare_a_second']:5.0f}/s  "
            f"{row['of_bare']:.2f}"
        )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
