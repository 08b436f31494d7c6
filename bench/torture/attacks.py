"""The campaigns of an attacker: fuzzed requests, slow connections, the header scan."""

from bench.torture.report import Line


def run(name: str, full: bool) -> list[Line]:
    """`fuzz`, `lentos` or `observatorio`, at the issue's size or at a tenth of it."""
    if name == "fuzz":
        from bench.torture import fuzz

        return fuzz.run(100_000 if full else 10_000)
    if name == "lentos":
        from bench.torture import slow

        return slow.run()
    from bench.torture import observatory

    return observatory.run()
