"""The month's report in Chromium, full of figures, on a phone and on a wide screen."""

from collections.abc import Callable

import pytest
from axe_check import axe_findings, keep_axe
from flask import Flask
from playwright.sync_api import Page
from support_cases import add_staff, enter_as

from portal.db import transaction
from portal.reports.rules import Month


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_a_full_month_fits_and_axe_finds_nothing(
    app: Flask,
    october: Month,
    portal_url: str,
    new_page: Callable[..., Page],
    width: int,
    scheme: str,
) -> None:
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Elena", "owner").id
    page = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    enter_as(app, page, number, portal_url)
    keep_axe(page)
    for path in ("2026-10", "2026-10?dia=05", "2026-10/cuadratura"):
        page.goto(f"{portal_url}/informes/{path}")
        page.evaluate(
            "document.querySelectorAll('details').forEach(it => { it.open = true })"
        )
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert axe_findings(page) == [], path
