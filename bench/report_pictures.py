"""Pictures of the owner's pages, phone and desktop, and how many sheets a month prints.

python bench/report_pictures.py docs/img
"""

import re
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser_watch import FLAGS, chromium  # noqa: E402
from flask import Flask  # noqa: E402
from flask_migrate import upgrade  # noqa: E402
from live_stack import free_ports  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

from portal import create_app  # noqa: E402
from portal.config import load_settings  # noqa: E402
from portal.worker.service import beat  # noqa: E402

# The month after the one that is shown.
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
MONTH = "2026-10"
PAGES = {"administrar": "/administrar", "informe": f"/informes/{MONTH}"}
SIZES = {"movil": (360, 1500), "escritorio": (1280, 1500)}


def make_app(folder: str, port: int) -> Flask:
    """The demo at NOW, its month filled."""
    app = create_app(
        load_settings(
            {
                "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
                "PUBLIC_URL": f"http://localhost:{port}",
                "PORTAL_NOW": NOW.isoformat(),
            }
        )
    )
    with app.app_context():
        upgrade()
        beat(NOW)
    for command in ("seed", "month"):
        result = app.test_cli_runner().invoke(args=["demo", command])
        assert result.exit_code == 0, result.output
    return app


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/ingresar")
    page.locator("[name=email]").fill("duena@demo.cl")
    page.locator("[name=password]").fill("demo-portal")
    page.locator("main form button").click()
    page.wait_for_url(lambda address: "/ingresar" not in address)


def shoot(url: str, folder: Path) -> None:
    """One picture a size, and the number of printed pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            log_in(page, url)
            for what, path in PAGES.items():
                page.goto(f"{url}{path}")
                page.screenshot(path=folder / f"{what}-{name}.png")
            whole = folder / f"informe-completo-{name}.jpg"
            page.screenshot(path=whole, full_page=True, type="jpeg", quality=60)
        pdf = page.pdf(prefer_css_page_size=True)
        sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
        print(f"pictures in {folder}; printed: {sheets} pages")
        (Path(tempfile.gettempdir()) / "informe.pdf").write_bytes(pdf)
        browser.close()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img"
    with tempfile.TemporaryDirectory() as state:
        port = free_ports()
        server = make_server("127.0.0.1", port, make_app(state, port), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shoot(f"http://localhost:{port}", folder)
        server.shutdown()


if __name__ == "__main__":
    main()
