"""The gallery in Chromium: what it weighs, how it reads, what htmx does with it."""

from collections.abc import Callable

import pytest
from axe_check import axe_findings
from browser_watch import Watch
from playwright.sync_api import Page, Request

PAGES = (
    "/demo/componentes",
    "/demo/componentes/tablero",
    "/demo/componentes/error/503",
)
TARGET = 48
MAX_BYTES = 30 * 1024
MAX_REQUESTS = 5


@pytest.fixture
def allow_errors(watch: Watch) -> None:
    watch.allow("status of 503")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.usefixtures("allow_errors")
def test_axe_finds_nothing(
    portal_url: str, new_page: Callable[..., Page], path: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(portal_url + path)
    assert axe_findings(page) == []


@pytest.mark.parametrize("width", [320, 360, 768, 1920])
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.usefixtures("allow_errors")
def test_nothing_is_wider_than_the_screen(
    portal_url: str, new_page: Callable[..., Page], path: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 740})
    page.goto(portal_url + path)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_targets_are_48_pixels_high(portal_url: str, page: Page) -> None:
    page.goto(portal_url + "/demo/componentes")
    small = page.evaluate(
        """target => [...document.querySelectorAll(
              '.btn, .channel, .choice, .check, .input, .brand, footer a, .demo-bar a')]
            .filter(el => el.offsetParent && el.getBoundingClientRect().height < target)
            .map(el => el.outerHTML)""",
        TARGET,
    )
    assert small == []


def test_a_cold_page_is_light(portal_url: str, new_page: Callable[..., Page]) -> None:
    """Everything counted, headers too; the manifest stands apart."""
    page = new_page()
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(portal_url + "/demo/componentes", wait_until="networkidle")
    counted = [one for one in requests if "manifest" not in one.url]
    sizes = [one.sizes() for one in counted]
    total = sum(s["responseBodySize"] + s["responseHeadersSize"] for s in sizes)
    assert len(counted) <= MAX_REQUESTS
    assert total <= MAX_BYTES
    assert sizes[0]["responseBodySize"] <= 14 * 1024


def test_field_is_checked_as_one_leaves_it(portal_url: str, page: Page) -> None:
    page.goto(portal_url + "/demo/componentes")
    name, phone = page.locator("#name"), page.locator("#phone")
    name.fill("A")
    phone.click()
    error = page.locator("#name-error")
    assert error.text_content().strip() == "Es muy corto."
    assert name.get_attribute("aria-invalid") == "true"
    assert phone.evaluate("el => el === document.activeElement")
    name.fill("Ana")
    phone.click()
    error.wait_for(state="detached")
    assert name.input_value() == "Ana"


def test_page_reads_without_scripts(
    portal_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(portal_url + "/demo/componentes")
    assert page.locator(".clock time").first.text_content() == "61:00"
    assert not page.locator("[data-copy]").first.is_visible()


def test_skip_link_leads_to_the_content(portal_url: str, page: Page) -> None:
    page.goto(portal_url + "/demo/componentes")
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("el => el === document.activeElement")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenido"
