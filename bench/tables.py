"""The rows of `make pages` in words."""

from typing import Any

MAX_BYTES = 30 * 1024
_SCORES = ("performance", "accessibility", "best-practices", "seo")
_HEAD = """\
# What each page costs

Made by `make pages` in the real demo (`bench/pages.py`), Chromium on a phone of
360 x 740, cold, at Tuesday noon, evening (special hours) or night (closed).

- **KB**, **requests**: everything over the network, headers too, the manifest apart.
  A customer's page may weigh 30 KB (30,720 bytes) in 5 requests; **HTML**: its own
  bytes, compressed (at most 14,336).
- **Lighthouse** 13.5, mobile: performance, accessibility, best practices and, on pages
  that search engines may list, SEO; the best of at most three runs. A page that polls
  is never quiet: each is given 9 seconds. A page that only a form reaches has no
  address to give it. Where nothing is found the answer is a 404, which the browser
  itself logs as an error: 96 of 100 in best practices.
- **axe**: findings of axe-core 4, light and dark. **html**: errors of html-validate
  with its preset `standard`. **shift**: layout shift while loading.

"""
_TIMES = """
## When the main content is painted

Largest contentful paint in milliseconds, cold, a processor 4 times slower, the median
of three. The first two were seen over a line of 1.6 Mbit/s and 150 ms there and back
(limit 1,000) and of 400 kbit/s and 400 ms (limit 2,500), connecting included
(`bench/slow_link.py`); the third is Lighthouse's estimate for the first line, from a
load without it.

| page | 1.6 Mbit/s | 400 kbit/s | Lighthouse |
|---|---|---|---|
"""


def _scores(row: Any) -> str:
    return " ".join(str(row.scores.get(name, "·")) for name in _SCORES)


def as_text(row: Any) -> str:
    """One page as the terminal shows it."""
    flags = " WIDE" if row.wide else ""
    flags += " HEAVY" if row.bytes > MAX_BYTES and not row.staff else ""
    paints = " ".join(f"{name}={ms:.0f}" for name, ms in row.paints.items())
    return (
        f"{row.name:28} {row.bytes:6} B {row.requests} req  html {row.html:5}  "
        f"axe {len(row.axe)}  shift {row.shift}  lh {_scores(row)}  {paints}"
        f" {' '.join(dict.fromkeys(row.weak))}{flags}"
    )


def as_markdown(rows: list[Any]) -> str:
    """The whole table, for docs/paginas.md."""
    lines = [
        _HEAD,
        "| page | KB | requests | HTML | Lighthouse | axe | html | shift |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (
            row.name + (" (staff)" if row.staff else ""),
            f"{row.bytes / 1024:.1f}",
            row.requests,
            f"{row.html:,}",
            _scores(row) if row.scores else "by form only",
            len(row.axe),
            len(row.invalid),
            row.shift,
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    timed = [
        f"| {row.name} | {row.paints['4g']:.0f} | {row.paints['bad']:.0f} | "
        f"{row.paints.get('lighthouse', 0):.0f} |"
        for row in rows
        if "4g" in row.paints
    ]
    return "\n".join(lines) + "\n" + _TIMES + "\n".join(timed) + "\n"
