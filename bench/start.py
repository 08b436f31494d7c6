"""From the command of `make serve` to the first 200 of /salud.

    python bench/start.py [--rounds 5]

Best and median; JSON to var/bench.json; exits 1 when the median passes 2 s.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from desk import Desk
from servers import save, serving

LIMIT = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    taken = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        desk = Desk(Path(folder), 1)
        for _ in range(options.rounds):
            begun = time.perf_counter()
            with serving("wsgi:buffered", 2, **desk.environment):
                taken.append(time.perf_counter() - begun)
    best, middle = min(taken), statistics.median(taken)
    found = {"best_s": round(best, 2), "median_s": round(middle, 2), "limit_s": LIMIT}
    save("start", {**found, "kept": middle <= LIMIT})
    print(
        f"\nStart to ready: best {best:.2f} s, median {middle:.2f} s (under {LIMIT} s)"
    )
    return 0 if middle <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
