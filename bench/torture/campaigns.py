"""Each campaign by its name, small or at its real size."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.torture.report import Line

OPERATION = ("respaldos", "equipos", "servidor", "semanas")
ATTACKS = ("fuzz", "lentos", "observatorio")
NAMES = (
    *("firmas", "retornos", "historias", "eventos", "muertes", "llamadas"),
    *("correos", "tomas", "defectos", "mutantes"),
    *OPERATION,
    *ATTACKS,
)


def _operation(name: str, full: bool) -> list[Line]:
    """Campaigns over the operation: backups, several hosts, the server, two weeks."""
    if name == "semanas":
        from bench.torture import soak

        return [soak.run(full)]
    if name == "equipos":
        from bench.torture import hosts

        return [hosts.run(100, 60) if full else hosts.run(10, 20)]
    if name == "servidor":
        from bench.torture import server

        return server.run()
    from bench.torture import backups

    # A drill is a second: a hundred of them, always.
    return [backups.run("sqlite", 100), backups.run("postgresql", 25)]


def _campaign(name: str, full: bool, processes: int) -> list[Line]:
    """The campaign's lines, at its whole size (`full`) or at a tenth of it."""
    if name == "firmas":
        from bench.torture import signatures

        return signatures.run(10_000, 1_000_000 if full else 100_000)
    if name == "retornos":
        from bench.torture import returns

        return [returns.run(300, 1.0) if full else returns.run(60, 0.25)]
    if name == "historias":
        from bench.torture import histories

        many, few = (20_000, 2_000) if full else (2_000, 250)
        return [
            histories.run("sqlite", many, processes, controls=True),
            histories.run("postgresql", few, processes, controls=False),
        ]
    if name == "eventos":
        from bench.torture import events

        return [events.run(10, 1, processes) if full else events.run(6, 7, processes)]
    if name == "muertes":
        from bench.torture import kills

        count = 300 if full else 30
        return [kills.run("sqlite", count), kills.run("postgresql", count)]
    if name == "llamadas":
        from bench.torture import syscalls

        return syscalls.run(1 if full else 4, processes)
    if name in OPERATION:
        return _operation(name, full)
    if name == "correos":
        from bench.torture import mails

        few = 1_000 if full else 200
        return [
            mails.run("sqlite", 1_000, controls=True),
            mails.run("postgresql", few, controls=False),
        ]
    return _rest(name, full, processes)


def _rest(name: str, full: bool, processes: int) -> list[Line]:
    if name == "tomas":
        from bench.torture import takes

        rounds = 1_000 if full else 100
        return [*takes.run("sqlite", rounds), *takes.run("postgresql", rounds)]
    if name == "defectos":
        from bench.torture import defects

        return [defects.run(processes)]
    from bench.torture import mutants

    return [mutants.run(processes)]


def run(name: str, full: bool, processes: int) -> list[Line]:
    if name not in ATTACKS:
        return _campaign(name, full, processes)
    from bench.torture import attacks

    return attacks.run(name, full)


def alone(name: str, full: bool, processes: int) -> list[Line]:
    """The campaign in a fresh process: none finds what another has imported."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, name, full, processes).result()
