"""The steps of the walks in the browser, as a customer and as a technician take them.

With `SCREENSHOTS=<folder>` every step leaves a picture there, the full page:

    SCREENSHOTS=shots .venv/bin/python -m pytest -q tests/test_walk_webpay.py

The README's two come from `tests/readme_pictures.py`.
"""

import math
import os
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from axe_check import axe_findings
from live_stack import LiveStack
from playwright.sync_api import Locator, Page, expect

DESK: dict[str, Any] = {
    "viewport": {"width": 1024, "height": 768},
    "has_touch": False,
}
PASSWORD = "demo-portal"
PROBLEM = "La caja muestra un error al cobrar con tarjeta."
_SHOWN = re.compile(r"(\d+):(\d\d)(?::(\d\d))?")


# Looking at a page -----------------------------------------------------


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page when SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def look(page: Page, name: str) -> None:
    """A page stands as it should: no barrier that axe finds, no wider than its screen.

    Leaves its picture.
    """
    picture(page, name)
    assert axe_findings(page) == [], name
    assert not page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    ), f"{name} is wider than its screen"


def stay(page: Page) -> None:
    """Mark the page, so that `stayed` tells whether it was loaded anew."""
    page.evaluate("window.walkMark = true")


def stayed(page: Page) -> bool:
    return bool(page.evaluate("window.walkMark === true"))


def shown_seconds(clock: Locator) -> int:
    """What a countdown reads, in seconds."""
    parts = _SHOWN.fullmatch(clock.inner_text().strip())
    assert parts, clock.inner_text()
    hours, minutes, seconds = (int(each or 0) for each in ("0", *parts.groups()[:2]))
    return hours * 3600 + minutes * 60 + seconds


# The demo --------------------------------------------------------------


def demo_now(live: LiveStack) -> datetime:
    """The instant at which the demo is, in UTC."""
    offset = float((live.state_dir / "clock").read_text())
    return datetime.now(UTC) + timedelta(seconds=offset)


def rows(live: LiveStack, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the demo's database holds."""
    path = live.state_dir / "portal.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(statement, values).fetchall()


def assert_clock_is_the_servers(clock: Locator, live: LiveStack) -> None:
    """A countdown is within a second of what the server would print now."""
    deadline = datetime.fromisoformat(clock.get_attribute("datetime") or "")
    most = math.ceil((deadline - demo_now(live)).total_seconds())
    shown = shown_seconds(clock)
    least = math.ceil((deadline - demo_now(live)).total_seconds())
    assert least - 1 <= shown <= most + 1


# The customer ----------------------------------------------------------


@dataclass(frozen=True)
class Ordered:
    """An order as its customer knows it: number and page."""

    number: str
    url: str

    @property
    def id(self) -> int:
        return int(self.number) - 1000

    def payments(self, live: LiveStack) -> list[tuple[str, str, str | None]]:
        """Gateway, state and disposition of each attempt, the oldest first."""
        return rows(
            live,
            "SELECT gateway, state, disposition FROM payments"
            " WHERE order_id = ? ORDER BY id",
            self.id,
        )

    def paid_at(self, live: LiveStack) -> datetime | None:
        ((paid_at,),) = rows(live, "SELECT paid_at FROM orders WHERE id = ?", self.id)
        return datetime.fromisoformat(paid_at).replace(tzinfo=UTC) if paid_at else None

    def attention_id(self, live: LiveStack) -> int:
        ((found,),) = rows(
            live, "SELECT id FROM attentions WHERE order_id = ?", self.id
        )
        return int(found)

    def is_attended_once(self, live: LiveStack) -> bool:
        """Paid, by one payment, with one attention and one confirmation."""
        found = rows(
            live,
            "SELECT orders.state,"
            " (SELECT count(*) FROM payments WHERE payments.order_id = orders.id"
            "  AND payments.disposition = 'applied'),"
            " (SELECT count(*) FROM attentions"
            "  WHERE attentions.order_id = orders.id),"
            " (SELECT count(*) FROM outbox WHERE outbox.order_id = orders.id"
            "  AND outbox.kind = 'order.confirmed')"
            " FROM orders WHERE id = ?",
            self.id,
        )
        return found == [("paid", 1, 1, 1)]


def fill_in(
    page: Page, name: str, phone: str = "9 8765 4321", problem: str = PROBLEM
) -> None:
    """The form of the online support, its box unticked."""
    page.select_option("#topic", "error-del-programa")
    page.get_by_label("32 bits").check()
    page.get_by_label("Cuéntenos qué pasa").fill(problem)
    page.get_by_label("Su nombre").fill(name)
    page.get_by_label("Su teléfono").fill(phone)
    page.get_by_label("Su correo").fill("rosa@almacen.cl")


def order(page: Page, live: LiveStack, name: str, problem: str = PROBLEM) -> Ordered:
    """From the service's page to the review of the order."""
    page.goto(f"{live.url}/servicios/soporte-online")
    fill_in(page, name, problem=problem)
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    return review(page)


def review(page: Page) -> Ordered:
    """The order whose review is on the screen."""
    page.wait_for_url("**/atencion/*")
    heading = page.get_by_role("heading", name="Su pedido N°").inner_text()
    return Ordered(heading.removeprefix("Su pedido N°").strip(), page.url)


def press_pay(page: Page, gateway: str) -> None:
    """Press one of the review's two buttons; the gateway's page opens."""
    page.locator(f"#pagar-{gateway} button").click()
    page.locator("[data-outcome]").first.wait_for()


def choose(page: Page, outcome: str) -> None:
    """Decide at the gateway as the payer does, and wait to be back at the order."""
    page.locator(f"[data-outcome={outcome}]").click()
    page.wait_for_url("**/atencion/*")


def buy(page: Page, live: LiveStack, name: str, problem: str = PROBLEM) -> Ordered:
    """A paid order, by Webpay."""
    ordered = order(page, live, name, problem)
    press_pay(page, "webpay")
    choose(page, "visa")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    return ordered


# The technicians -------------------------------------------------------


def log_in(page: Page, live: LiveStack, who: str) -> None:
    """`who`: tecnico1, tecnico2, tecnico3. Ends at the board."""
    page.goto(f"{live.url}/tablero")
    page.get_by_label("Correo").fill(f"{who}@demo.cl")
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Ingresar").click()
    expect(page.locator("#tablero")).to_be_visible()


def card_of(board: Page, ordered: Ordered, live: LiveStack) -> Locator:
    """The card of a paid order on the board, wherever it lies."""
    return board.locator(f"#atencion-{ordered.attention_id(live)}")


def act(card: Locator, name: str) -> None:
    card.get_by_role("button", name=name, exact=True).click()


def write(card: Locator, form: str, text: str, button: str) -> None:
    """Open one of a card's forms when it is shut, write, press its button."""
    box = card.locator(f"details[id^={form}-]")
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    box.locator("textarea").fill(text)
    box.get_by_role("button", name=button, exact=True).click()


def close(card: Locator, outcome: str, text: str) -> None:
    """`outcome`: Resuelto, Parcial, No resuelto."""
    box = card.locator("details[id^=cerrar-]")
    box.locator("summary").click()
    box.get_by_label(outcome, exact=True).check()
    box.locator("textarea").fill(text)
    box.get_by_role("button", name="Cerrar la atención").click()


# The mails -------------------------------------------------------------


def mail_text(page: Page, live: LiveStack, subject: str) -> str:
    """The text of the newest mail of that subject, as soon as it was sent."""
    deadline = time.monotonic() + 60
    link = page.get_by_role("link", name=subject).first
    while time.monotonic() < deadline:
        page.goto(f"{live.url}/demo/correos")
        if link.count():
            link.click()
            return " ".join((page.locator("#mail-text").text_content() or "").split())
        page.wait_for_timeout(250)
    raise AssertionError(f"no mail says {subject!r}:\n{live.output()}")
