"""Whatever is put into the outbox can be written."""

import re
from pathlib import Path

from flask import Flask

from portal.orders import mails as orders_mails
from portal.payments import mails as payments_mails
from portal.support import mails as support_mails

PORTAL = Path(__file__).resolve().parent.parent.parent / "portal"
_KIND = re.compile(r"\bkind=\"([a-z_]+\.[a-z_]+)\"")


def test_every_kind_that_is_enqueued_has_its_renderer(app: Flask) -> None:
    kinds = {
        kind
        for path in PORTAL.rglob("*.py")
        for kind in _KIND.findall(path.read_text())
    }
    assert "order.confirmed" in kinds
    assert kinds <= set(app.extensions["mail_renderers"])


def test_no_two_features_render_one_kind(app: Flask) -> None:
    features = (orders_mails, payments_mails, support_mails)
    count = sum(len(feature.RENDERERS) for feature in features)
    assert count == len(app.extensions["mail_renderers"])
