"""What a page must never do in a test.

Report an error, break the content policy, keep anything in the browser, or tell
another origin where its reader was.
"""

import os
import re
import shutil
from typing import Any

from browser_traces import kept_by, tells_on
from playwright.sync_api import ConsoleMessage, Error, Page, Request

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"]
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "locale": "es-CL",
    "timezone_id": "America/Santiago",
    "has_touch": True,
}
# Chromium reports an answer of these as an error of the page; here they are how a form
# says what must be mended (422) and an act that it came too late (409).
_EXPECTED = re.compile(r"Failed to load resource: .* status of (422|409)")
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", event =>
  console.error("CSP violation", event.violatedDirective, event.blockedURI));
"""


# A page is waited for this long: what must be quick is measured apart.
PATIENCE_MS = 30_000


def slowness() -> float:
    """How much slower than an idle machine this one is: who wants a core, per core.

    A limit in seconds is meant for a machine that has nothing else to do.
    """
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def whole_chromium() -> str:
    """The path of the Chromium that people use. Raises RuntimeError without one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("chromium is missing: `make test` or install it")


def chromium() -> str:
    """The path of Chromium without a window, or else of the whole one.

    The same engine opens a page at half the work. Raises RuntimeError without either.
    """
    return shutil.which("chromium-headless-shell") or whole_chromium()


class Watch:
    """Collects what the pages report; `allow` names what a test provokes on purpose."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.allowed = [_EXPECTED]

    def allow(self, pattern: str) -> None:
        self.allowed.append(re.compile(pattern))

    def follow(self, page: Page) -> None:
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.reports.append(f"error: {error}"))
        page.on("request", self._on_request)

    def leave(self, page: Page) -> None:
        """Look what the page, as it is last seen, has kept in the browser."""
        if page.is_closed() or not page.url.startswith("http"):
            return
        try:
            kept = kept_by(page).items()
        except Error:
            # On its way to another page, or crashed: there is nobody to ask.
            return
        self.reports += [f"{page.url} keeps in {it}: {text}" for it, text in kept]

    def _on_request(self, request: Request) -> None:
        if told := tells_on(request):
            self.reports.append(told)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self.reports.append(f"{message.text} ({where})")

    def problems(self) -> list[str]:
        return [
            text
            for text in self.reports
            if not any(pattern.search(text) for pattern in self.allowed)
        ]
