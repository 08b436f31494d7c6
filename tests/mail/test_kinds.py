"""Whatever is put into the outbox can be written."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts import mails as accounts_mails
from portal.audit import mails as audit_mails
from portal.backups import mails as backups_mails
from portal.orders import mails as orders_mails
from portal.payments import mails as payments_mails
from portal.privacy import mails as privacy_mails
from portal.support import mails as support_mails
from portal.worker import mails as worker_mails

PORTAL = Path(__file__).resolve().parent.parent.parent / "portal"


def enqueued_kinds(source: str) -> Iterator[str]:
    """The kinds of every `enqueue(...)` in the source, written there or in its loop."""
    tree = ast.parse(source)
    loops = {
        node.target.id: node.iter
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("enqueue"):
            (kind,) = (each.value for each in node.keywords if each.arg == "kind")
            if isinstance(kind, ast.Name) and kind.id in loops:
                yield from ast.literal_eval(loops[kind.id])
            else:
                yield str(ast.literal_eval(kind))


def test_every_kind_that_is_enqueued_has_its_renderer(app: Flask) -> None:
    kinds = {
        kind
        for path in PORTAL.rglob("*.py")
        for kind in enqueued_kinds(path.read_text())
    }
    assert {"order.confirmed", "alert.payment", "alert.mail"} <= kinds
    assert kinds <= set(app.extensions["mail_renderers"])


def test_no_two_features_render_one_kind(app: Flask) -> None:
    features = (
        *(accounts_mails, audit_mails, orders_mails),
        *(payments_mails, support_mails, backups_mails, worker_mails),
        privacy_mails,
    )
    count = sum(len(feature.RENDERERS) for feature in features)
    assert count == len(app.extensions["mail_renderers"])


def test_a_kind_is_written_where_it_is_enqueued() -> None:
    loop = 'for kind in ("a.b", "c.d"):\n    service.enqueue(s, kind=kind)'
    assert list(enqueued_kinds(loop)) == ["a.b", "c.d"]
    assert list(enqueued_kinds('enqueue(s, kind="e.f", now=n)')) == ["e.f"]
    with pytest.raises(ValueError, match="malformed"):
        list(enqueued_kinds("enqueue(s, kind=name)"))
