"""A thousand mails through faults of the server and deaths of the worker."""

import time

from bench.torture.histories import quietly
from bench.torture.report import Line


def run(database: str, mails: int, *, controls: bool) -> Line:
    return quietly(lambda: _run(database, mails, controls))


def _run(database: str, mails: int, controls: bool) -> Line:
    from mail_storm import GUARDS, blow

    from bench.torture.worlds import world

    began = time.monotonic()
    red = {}
    with world(database) as made:
        storm = blow(made.app, made.settings, mails=mails, now=made.now)
        for guard in GUARDS if controls else ():
            made.reset()
            spoilt = blow(
                made.app, made.settings, mails=200, now=made.now, without=guard
            )
            red[guard] = [it for it in spoilt.problems if GUARDS[guard] in it]
    for problem in storm.problems[:10]:
        print(problem)
    names = {"lease": "sin el arriendo", "message id": "sin Message-ID estable"}
    told = "; ".join(f"{names[it]}: «{bad[0]}»" for it, bad in red.items() if bad)
    return Line(
        f"correos entre fallas ({database})",
        f"{len(storm.problems)} malos de {mails}: {storm.faults} fallas, "
        f"{storm.deaths} muertes, {storm.repeated} repetidos con su mismo Message-ID",
        "0 malos",
        told or "en la otra base",
        not storm.problems and storm.faults > 0 and all(red.values()),
        time.monotonic() - began,
    )
