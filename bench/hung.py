"""Boards and pages while eight customers wait at once for a gateway that hangs.

    python bench/hung.py [--seconds 9]

The server of `make serve`, over HTTP. Four visitors ask for the board's cards, the home
page, a service and an order, each on new connections: first alone, then while the
gateway keeps all eight payers for 12 seconds. JSON to var/bench.json; exits 1 when the
p95 of boards or of pages passes 200 ms, an answer is lost, or the payers did not wait.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from servers import save

from bench.torture.slow import PAYERS, SECONDS, TARGET_MS, Hang, Shop, hang, p95, visits

WARM_SECONDS = 2.0


def measure(seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hung-") as made:
        shop = Shop(Path(made))
        with shop.serving(), shop.simulating():
            visits(shop, WARM_SECONDS)
            alone = visits(shop, seconds)
            hung = hang(shop, seconds)
    return {
        "p95_ms": {
            "boards": _pair(alone.boards, hung.seen.boards),
            "pages": _pair(alone.pages, hung.seen.pages),
        },
        "answers": {"alone": alone.sent, "hung": hung.seen.sent},
        "lost": alone.lost + hung.seen.lost,
        "payers": PAYERS,
        "waiting_at_end": hung.waiting,
        "limit_ms": TARGET_MS,
        "load_average": os.getloadavg()[0],
        "kept": _kept(hung),
    }


def _pair(alone: list[float], hung: list[float]) -> dict[str, float]:
    return {"alone": round(p95(alone), 1), "hung": round(p95(hung), 1)}


def _kept(hung: Hang) -> bool:
    seen = hung.seen
    slowest = max(p95(seen.boards), p95(seen.pages))
    return slowest < TARGET_MS and not seen.lost and hung.holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=9, help=f"under {SECONDS:g}")
    found = measure(parser.parse_args().seconds)
    save("hung", found)
    print(f"\n{PAYERS} customers wait for a gateway that hangs: p95 in ms\n")
    print(f"{'':10}{'alone':>10}{'meanwhile':>12}   under {TARGET_MS:g}")
    for name, pair in found["p95_ms"].items():
        print(f"{name:10}{pair['alone']:>10.1f}{pair['hung']:>12.1f}")
    print(
        f"{found['lost']} lost of {sum(found['answers'].values())}; "
        f"{found['waiting_at_end']} payers still waited"
    )
    return 0 if found["kept"] else 1


if __name__ == "__main__":
    sys.exit(main())
