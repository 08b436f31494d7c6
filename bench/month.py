"""The same month of 5,000 attentions, in a short and in a long history.

    python bench/month.py [--short 10000] [--long 1000000] [--folder var/bench]

Prints a table, writes JSON to var/bench.json, exits 1 when a limit is passed. A history
that was written before is used again.
"""

import argparse
import gc
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from flask.testing import FlaskClient  # noqa: E402
from history import A_MONTH, LAST, history_file, make_app  # noqa: E402
from servers import save  # noqa: E402
from support_cases import log_in_as  # noqa: E402

from portal import clock  # noqa: E402
from portal.db import db  # noqa: E402

ROUNDS, LIMIT_MS, LIMIT_RATIO = 15, 150, 1.5


def open_history(folder: Path, total: int) -> FlaskClient:
    """The owner, logged in, before a history of so many attentions."""
    url = f"sqlite:///{history_file(folder, total)}"
    clock.configure(None)
    return log_in_as(make_app(url), 1)


def once(client: FlaskClient, path: str) -> float:
    """Milliseconds of one answer, rendered."""
    begun = time.perf_counter()
    answer = client.get(path)
    spent = (time.perf_counter() - begun) * 1000
    assert answer.status_code == 200, answer.status
    return spent


def measure(clients: list[FlaskClient]) -> list[list[float]]:
    """Milliseconds of each history's answers, taken in turns: noise meets both."""
    path = f"/informes/{LAST}"
    for client in clients:
        once(client, path)
    gc.collect()
    rounds = [[once(client, path) for client in clients] for _ in range(ROUNDS)]
    return [list(column) for column in zip(*rounds, strict=True)]


def report(totals: list[int], taken: list[list[float]]) -> dict[str, object]:
    """The rows of the table and whether the limits are kept; the best round counts.

    The best, for other work on the machine only ever adds.
    """
    rows = [
        {
            "history": total,
            "best_ms": round(min(times), 1),
            "median_ms": round(statistics.median(times), 1),
        }
        for total, times in zip(totals, taken, strict=True)
    ]
    ratio = round(min(taken[-1]) / min(taken[0]), 2)
    kept = min(taken[-1]) < LIMIT_MS and ratio <= LIMIT_RATIO
    return {"month": str(LAST), "rows": rows, "ratio": ratio, "kept": kept}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench")
    options = parser.parse_args()
    totals = [options.short, options.long]
    clients = [open_history(options.folder, total) for total in totals]
    found = report(totals, measure(clients))
    save("month", found)
    print(f"\nThe page of a month of {A_MONTH:,} attentions ({LAST})\n")
    print(f"{'history':>12}  {'best':>9}  {'median':>9}")
    for row in found["rows"]:  # type: ignore[attr-defined]
        best, middle = f"{row['best_ms']} ms", f"{row['median_ms']} ms"
        print(f"{row['history']:>12,}  {best:>9}  {middle:>9}")
    print(f"\nratio {found['ratio']} (at most {LIMIT_RATIO}; under {LIMIT_MS} ms)")
    for client in clients:
        with client.application.app_context():
            db.engine.dispose()
    return 0 if found["kept"] else 1


if __name__ == "__main__":
    sys.exit(main())
