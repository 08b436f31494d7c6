"""Takes the README's two pictures anew, from the real demo:

PYTHONPATH=. .venv/bin/python tests/readme_pictures.py docs/img
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from browser_watch import FLAGS, PHONE, chromium
from live_stack import LiveStack
from playwright.sync_api import Browser, Page, expect, sync_playwright
from walk_steps import Ordered, act, buy, card_of, log_in, write

WALL = {"viewport": {"width": 1280, "height": 800}}


def at(text: str) -> datetime:
    """That hour of Tuesday 2026-11-24 in Santiago."""
    return datetime.fromisoformat(f"2026-11-24T{text}-03:00").astimezone(UTC)


def sell(
    browser: Browser, live: LiveStack, when: str, name: str, problem: str
) -> tuple[Page, Ordered]:
    """A customer's phone, its order paid at `when`."""
    live.move_clock(at(when))
    page = browser.new_context(**PHONE, device_scale_factor=2).new_page()
    return page, buy(page, live, name, problem)


def attend(board: Page, live: LiveStack, ordered: Ordered, when: str) -> None:
    """Take it and start its clock at `when`."""
    live.move_clock(at(when))
    card = card_of(board, ordered, live)
    act(card, "Tomar")
    act(card, "Iniciar")
    expect(card).to_have_attribute("data-attention", "running")


def note(board: Page, live: LiveStack, ordered: Ordered, when: str, *said: str) -> None:
    """`said`: the text and the button, Haremos or Hecho."""
    live.move_clock(at(when))
    text, button = said
    card = card_of(board, ordered, live)
    write(card, "anotar", text, button)
    expect(card.locator(".log")).to_contain_text(text)


def stage(browser: Browser, live: LiveStack) -> tuple[Page, Page]:
    """A morning at the desk: two attended, two waiting. Customer and board."""
    ana, beto = (browser.new_context(**WALL).new_page() for _ in range(2))
    log_in(ana, live, "tecnico1")
    log_in(beto, live, "tecnico2")
    _, first = sell(
        browser, live, "10:18:00", "Minimarket El Sol", "No abre la caja del día."
    )
    attend(ana, live, first, "10:22:10")
    note(ana, live, first, "10:40:00", "Reparamos el índice de ventas.", "Hecho")
    page, second = sell(
        browser,
        live,
        "11:02:00",
        "Rosa Pérez",
        "La caja muestra un error al cobrar con tarjeta.",
    )
    attend(beto, live, second, "11:06:20")
    note(beto, live, second, "11:09:00", "Revisaremos la base de datos.", "Haremos")
    note(beto, live, second, "11:24:00", "Reparamos la tabla de cobros.", "Hecho")
    sell(browser, live, "11:32:05", "Panadería Los Robles", "No imprime la boleta.")
    sell(browser, live, "11:36:30", "Ferretería Lautaro", "Sale «disco virtual lleno».")
    live.move_clock(at("11:38:20"))
    page.reload()
    ana.reload()
    ana.evaluate("scrollTo(0, 0)")
    return page, ana


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        live = LiveStack(Path(state))
        live.move_clock(at("10:15:00"))
        live.start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page, board = stage(browser, live)
        page.screenshot(path=folder / "cliente.png")
        board.screenshot(path=folder / "tablero.png")
        browser.close()
        live.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
