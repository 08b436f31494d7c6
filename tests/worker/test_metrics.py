"""`/metricas` tells Prometheus, and only who brings the token."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from payment_cases import open_shop
from sqlalchemy.orm import Session
from support_cases import add_attention
from werkzeug.test import TestResponse

from portal.config import load_settings
from portal.db import transaction
from portal.errors import ConfigurationError
from portal.mail.service import enqueue
from portal.worker import service
from portal.worker.metrics_rules import Metric, exposition

TOKEN = "metrics-token-0123456789"
_LINE = re.compile(r'portal_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.e+]+')


def ask(client: FlaskClient) -> TestResponse:
    return client.get("/metricas", headers={"Authorization": f"Bearer {TOKEN}"})


def figures(answer: TestResponse) -> dict[str, str]:
    lines = answer.text.splitlines()
    return dict(it.rsplit(" ", 1) for it in lines if not it.startswith("#"))


@pytest.mark.postgres
def test_figures_tell_the_outbox(
    app: Flask, session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    made = app.extensions["portal_settings"]
    app.extensions["portal_settings"] = replace(made, metrics_token=TOKEN)
    age = "portal_outbox_oldest_seconds"
    assert age not in figures(ask(client))
    with transaction() as writing:
        for key, hours in (("one", 0), ("other", 0), ("on purpose", 3)):
            later = clock.now + timedelta(hours=hours)
            enqueue(writing, kind="check.mail", key=key, now=clock.now, send_at=later)
    clock.advance(seconds=90)
    found = figures(ask(client))
    assert (found[age], found["portal_outbox_due"]) == ("90", "2")


@pytest.mark.postgres
def test_figures_are_those_of_the_database(
    app: Flask, session: Session, client: FlaskClient, clock: FrozenClock
) -> None:
    shop = open_shop(app, session, clock.now)
    shop.order()
    with transaction() as writing:
        add_attention(writing, now=clock.now).promise_at = clock.now
    service.beat(clock.now)
    clock.advance(minutes=2)
    app.extensions["portal_settings"] = replace(
        app.extensions["portal_settings"], metrics_token=TOKEN
    )
    answer = ask(client)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4"
    found = figures(answer)
    assert found["portal_queue_length"] == "1"
    assert found["portal_queue_oldest_seconds"] == "120"
    assert found["portal_queue_late"] == "1"
    assert found['portal_orders{state="awaiting_payment"}'] == "1"
    assert found['portal_attentions{state="waiting"}'] == "1"
    assert found["portal_worker_age_seconds"] == "120"
    assert found["portal_workers"] == "0"
    assert found["portal_ok"] == "0"
    assert "portal_backup_age_seconds" not in found
    for line in answer.text.splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line), line


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer x", "Bearer " + TOKEN + "x"])
def test_without_the_token_there_is_no_such_page(
    app: Flask, client: FlaskClient, given: str
) -> None:
    for token in (None, TOKEN):
        app.extensions["portal_settings"] = replace(
            app.extensions["portal_settings"], metrics_token=token
        )
        answer = client.get("/metricas", headers={"Authorization": given})
        assert answer.status_code == 404
        assert "portal_" not in answer.text


def test_labels_are_escaped() -> None:
    metric = Metric("x", "Help.", values={(("a", 'b"\n\\'),): 1.0, (): None})
    assert exposition([metric]).splitlines()[2:] == [r'portal_x{a="b\"\n\\"} 1']


def test_short_token_and_unknown_level_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"METRICS_TOKEN": "short", "LOG_LEVEL": "loud"})
    assert len(caught.value.problems) == 2
