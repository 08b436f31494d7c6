"""The stylesheet's own promises: contrast in every theme, and weight."""

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "portal" / "static"
APP = (STATIC / "app.css").read_text()
BOARD = (STATIC / "board.css").read_text()

TEXT = 4.5
SHAPE = 3.0
SURFACES = ("bg", "surface", "sunken")
SOFT = ("brand-soft", "ok-soft", "warn-soft", "danger-soft", "note-soft")
# What is written in the first colour stands on each of the others.
WRITTEN_ON = {
    "ink": (*SURFACES, *SOFT),
    "muted": (*SURFACES, *SOFT),
    "brand": (*SURFACES, *SOFT),
    "brand-hover": (*SURFACES, "brand-soft"),
    "ok": (*SURFACES, "ok-soft"),
    "warn": (*SURFACES, "warn-soft"),
    "danger": (*SURFACES, "danger-soft"),
    "note": (*SURFACES, "note-soft"),
    "on-brand": ("brand", "brand-hover"),
    "on-danger": ("danger", "danger-hover"),
}
DRAWN_ON = {
    "line-strong": SURFACES,
    "focus": (*SURFACES, *SOFT),
}


def _tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", css))


def _themes() -> dict[str, dict[str, str]]:
    light, dark = APP.split("prefers-color-scheme: dark", 1)
    dark = dark.split("@layer base", 1)[0]
    return {
        "light": _tokens(light),
        "dark": _tokens(light) | _tokens(dark),
        "board": _tokens(light) | _tokens(BOARD),
    }


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` as WCAG 2.2 defines it."""

    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    (theme, front, back, least)
    for theme in ("light", "dark", "board")
    for table, least in ((WRITTEN_ON, TEXT), (DRAWN_ON, SHAPE))
    for front, backs in table.items()
    for back in backs
]


@pytest.mark.parametrize(("theme", "front", "back", "least"), PAIRS)
def test_contrast(theme: str, front: str, back: str, least: float) -> None:
    tokens = _themes()[theme]
    assert contrast(tokens[front], tokens[back]) >= least


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_theme_sets_every_colour() -> None:
    light, dark = APP.split("prefers-color-scheme: dark", 1)
    names = set(_tokens(light))
    assert set(_tokens(dark)) == names
    assert set(_tokens(BOARD)) == names


def test_colours_are_written_only_as_tokens() -> None:
    parts = APP.split("@layer parts", 1)[1].split("@media print", 1)[0]
    assert re.findall(r"#[0-9a-f]{3,8}\b", parts) == []
    assert re.findall(r"#[0-9a-f]{3,8}\b", BOARD.split("@layer parts", 1)[1]) == []


@pytest.mark.parametrize(
    ("name", "limit"),
    [("app.css", 7000), ("board.css", 3300), ("app.js", 2560), ("board.js", 2560)],
)
def test_own_files_are_light(name: str, limit: int) -> None:
    assert len(gzip.compress((STATIC / name).read_bytes(), 9)) < limit
