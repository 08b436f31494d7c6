"""The same purchase by Mercado Pago, whichever of its words comes first, or never."""

import time
from datetime import timedelta

import pytest
from browser_watch import PATIENCE_MS, slowness
from live_stack import LiveStack
from playwright.sync_api import Page, expect
from simulator_client import SimulatorClient
from walk_steps import Ordered, choose, demo_now, look, order, press_pay, rows

RETURN_SECONDS = 10
# By the demo's clock, which the walk moves on.
WORKER_LIMIT = timedelta(minutes=2)
ONCE = [("mercadopago", "approved", "applied")]


@pytest.fixture
def simulator(live: LiveStack) -> SimulatorClient:
    return SimulatorClient(live.simulator_url)


def answers(simulator: SimulatorClient, live: LiveStack, ordered: Ordered) -> list[int]:
    """What the portal answered to the notifications about an order's payment."""
    statement = "SELECT gateway_payment_id FROM payments WHERE order_id = ?"
    about = {str(each) for (each,) in rows(live, statement, ordered.id)}
    sent = simulator.ledger()["notifications"]
    return [each["status"] for each in sent if str(each["payment_id"]) in about]


@pytest.mark.parametrize("notified", ["before", "after", "never"])
def test_customer_is_attended_whenever_the_notification_comes(
    page: Page, live: LiveStack, simulator: SimulatorClient, notified: str
) -> None:
    ordered = order(page, live, f"Marta Aviso {notified}")
    press_pay(page, "mercadopago")
    page.select_option("#notify", notified)
    pressed = time.monotonic()
    choose(page, "credit")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    assert time.monotonic() - pressed < RETURN_SECONDS * slowness()
    if notified == "after":
        _until_told(page, simulator, live, ordered)
    told = answers(simulator, live, ordered)
    assert told == ([] if notified == "never" else [200])
    look(page, f"61-contact-mercadopago-{notified}")
    assert ordered.payments(live) == ONCE
    assert ordered.is_attended_once(live)


def _until_told(
    page: Page, simulator: SimulatorClient, live: LiveStack, ordered: Ordered
) -> None:
    """The notification comes seconds after the browser, and changes nothing."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not answers(simulator, live, ordered) and time.monotonic() < deadline:
        page.wait_for_timeout(100)


def test_worker_finds_the_payment_that_nobody_told(
    page: Page, live: LiveStack, simulator: SimulatorClient
) -> None:
    ordered = order(page, live, "Nora Sin Señal")
    press_pay(page, "mercadopago")
    page.select_option("#notify", "never")
    page.locator("[data-outcome=close]").click()
    expect(page.locator("[data-never-returns]")).to_be_visible()
    assert ordered.payments(live) == [("mercadopago", "redirected", None)]

    paid = demo_now(live)
    live.move_clock(paid + timedelta(seconds=100))
    page.goto(ordered.url)
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    noticed = ordered.paid_at(live)
    assert noticed is not None
    assert noticed - paid < WORKER_LIMIT
    assert answers(simulator, live, ordered) == []
    assert ordered.payments(live) == ONCE
    assert ordered.is_attended_once(live)
