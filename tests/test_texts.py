"""The reading copy of every text says what the pages and mails say today."""

from pathlib import Path

from conftest import FrozenClock
from flask import Flask
from reading_copy import MAILS, families

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "textos"
# Read by the owner and the desk, or shown as templates (privacy).
_INTERNAL = ("alert.", "attention.on_call", "check.", "privacy.", "staff.")


def test_the_reading_copy_is_what_customers_read(
    app: Flask, clock: FrozenClock
) -> None:
    texts = families(app, clock.set)
    assert {path.name for path in FOLDER.glob("*.md")} == set(texts)
    old = [name for name, text in texts.items() if (FOLDER / name).read_text() != text]
    assert old == [], "run `make texts` and read what changed"


def test_every_mail_to_a_customer_is_in_the_reading_copy(app: Flask) -> None:
    kinds = set(app.extensions["mail_renderers"])
    customers = {kind for kind in kinds if not kind.startswith(_INTERNAL)}
    # The cancelled errand has the same template as the others.
    assert customers - set(MAILS) == {"errand.cancelled"}


def test_no_mail_advertises(app: Flask) -> None:
    # A family of mails that is not about an order, a request, the business itself or
    # the own log-in would need a consent of its own, unticked, which the portal does
    # not ask.
    kinds = app.extensions["mail_renderers"]
    families = {kind.partition(".")[0] for kind in kinds}
    about = {"order", "link", "attention", "errand", "refund"}
    assert families == about | {"privacy", "alert", "check", "staff"}
