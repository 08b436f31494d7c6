"""What axe-core finds on a page as it stands."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SOURCE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
# Told apart: what it finds. All that it passes would be carried over and thrown away.
_RUN = "runOnly => axe.run({runOnly, resultTypes: ['violations']})"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"type": "tag", "values": TAGS}
COLOURS = {"type": "rule", "values": ["color-contrast"]}


def keep_axe(page: Page) -> None:
    """Give it to every page opened here from now on: cheaper than one by one."""
    page.add_init_script(_SOURCE)


def axe_findings(page: Page, only: dict[str, Any] = EVERYTHING) -> list[str]:
    """Rule and place of each barrier, of the rules that `only` names."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SOURCE)
    return [
        f"axe {found['id']}: {node['target']}"
        for found in page.evaluate(_RUN, only)["violations"]
        for node in found["nodes"]
    ]
