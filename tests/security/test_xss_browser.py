"""What an attacker types, in every field, shown on every screen: nothing runs."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from browser_watch import Watch
from conftest import TUESDAY_NOON
from faces import lay_out
from flask import Flask, Response
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_staff, log_in_as
from xss_corpus import EVERYTHING, PAYLOADS, poison

from portal.accounts.models import Screen, Staff
from portal.config import Settings
from portal.db import transaction
from portal.hours.models import DayOverrideRow
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.privacy.models import DataBreach
from portal.settings.models import Setting
from portal.settings.queries import load as load_business
from portal.support.customer_models import AttentionMessage, ErrandEntry, Rating
from portal.support.models import Attention, Draft, Errand
from portal.terms import service as terms

TRAP = """window.ran = []; window.marca = () => { window.ran.push(location.href); };
window.alert = window.confirm = window.prompt = window.marca;"""
FACES = (
    *("revision-factura", "revision-rechazado", "espera", "reloj-en-curso", "ausente"),
    *("reloj-pausa", "cierre-resuelto", "encargo-agendado", "fuera-de-plazo"),
    *("devolucion-rechazada", "contracargo"),
)
# What the corpus would make of a page that took it for HTML.
MADE = (
    "[onerror], [onload], [onfocus], [ontoggle], base, iframe, object, template, "
    '#trampa, a[href^="javascript" i], form[action^="javascript" i], [hx-get^="https:"]'
)
_FOUND = """made => { const text = document.body.textContent; return {
  ran: window.ran, made: document.querySelectorAll(made).length,
  computed: text.includes("marca()da"), shown: text.includes("marca()")}; }"""
_SWAP = "path => htmx.ajax('GET', path, {target: 'main', swap: 'innerHTML'})"
# Files, machines, and pages that nobody's text is on.
UNSEEN = ("/demo", "/salud", "/static", "/manifest", "/remoto", "/metri", "/pago")


@pytest.fixture
def owner(app: Flask) -> Any:
    """The cookie of the owner's log-in."""
    with app.app_context(), transaction() as session:
        number = add_staff(session, "Duena", "owner").id
    cookie = log_in_as(app, number).get_cookie("portal")
    assert cookie
    return {"name": "portal", "value": cookie.value}


@pytest.fixture
def world(app: Flask, session: Session, settings: Settings) -> dict[str, str]:
    """Every face, every kind of text, all of it hostile; face -> path."""
    now = TUESDAY_NOON
    terms.set_up(now)
    session.rollback()
    for name in ("business_name", "remote_tool_url", "sales_stopped_message"):
        session.merge(Setting(name=name, value="x", updated_at=now))
    for name in ("product_name", "business_address", "business_email"):
        session.merge(Setting(name=name, value="x", updated_at=now))
    for name in ("legal_representative", "support_email", "remote_tool_name"):
        session.merge(Setting(name=name, value="x", updated_at=now))
    paths = lay_out(session, settings.secret_keys[0], "noon")
    by = session.query(Staff).first()
    assert by is not None
    rated = set(session.scalars(select(Rating.attention_id)))
    for each in session.query(Attention):
        session.add(AttentionMessage(attention_id=each.id, text="x", at=now))
        session.add(
            Draft(attention_id=each.id, staff_id=by.id, act="nota", text="x", at=now)
        )
        if each.state == "closed" and each.id not in rated:
            session.add(Rating(attention_id=each.id, stars=3, comment="x", at=now))
    for errand in session.query(Errand):
        session.add(
            ErrandEntry(errand_id=errand.id, kind="hecho", at=now, staff_id=by.id)
        )
    session.add(Screen(name="x", created_at=now))
    texts = ("occurred", "cause", "affected", "effects", "measures", "untold_reason")
    session.add(
        DataBreach(noticed_on=now.date(), created_at=now, **dict.fromkeys(texts, "x"))
    )
    session.add(DayOverrideRow(day=date(2026, 11, 26), state="closed", updated_at=now))
    session.commit()
    assert poison(session) > 150
    return paths


def visited(app: Flask, session: Session, paths: dict[str, str]) -> Iterator[str]:
    """The address of every page with GET, filled with what there is."""
    first = session.query(Attention).filter_by(state="running").first()
    errand, order = session.query(Errand).first(), session.query(Order).first()
    assert first
    assert errand
    assert order
    known = {
        "attention_id": first.id,
        "errand_id": errand.id,
        "number": int(order.number),
        "topic_id": 1,
        "canned_id": 1,
        "staff_id": 1,
        "slug": "soporte-online",
        "name": "2026-11",
        "group": "negocio",
        "version": 1,
        "link_id": 1,
        "request_id": 1,
        "breach_id": 1,
    }
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(UNSEEN):
            continue
        if rule.rule.endswith((".csv", ".xlsx", "/lugar", "/ahora", "/tarjetas")):
            continue
        if "token" not in rule.arguments:
            values = {name: known[name] for name in rule.arguments}
            with app.test_request_context():
                built = rule.build(values, append_unknown=False)
            assert built, rule
            yield built[1]
    for face in FACES:
        yield paths[face]
    for tail in ("/datos", "/comprobante"):
        yield paths["cierre-resuelto"] + tail
    yield "/administrar/pedidos?q=marca"
    yield "/administrar/ajustes/venta"


def mails(app: Flask, session: Session, settings: Settings) -> dict[str, str]:
    """Every mail that can be written of some order; kind -> HTML."""
    context = RenderContext(session, settings, TUESDAY_NOON, load_business(session))
    numbers = [row.id for row in session.query(Order)]
    found: dict[str, str] = {}
    with app.test_request_context():
        for kind, renderer in app.extensions["mail_renderers"].items():
            for order_id in numbers:
                row = OutboxRow(
                    order_id=order_id, kind=kind, key="1", created_at=TUESDAY_NOON
                )
                try:
                    mail = renderer(context, row)
                except (LookupError, ValueError, AttributeError):
                    continue
                if mail is not None:
                    assert "\n" not in mail.subject
                    found[kind] = mail.html
                    break
    return found


def ran(page: Page) -> Any:
    return page.evaluate("window.ran")


@pytest.mark.long
def test_nothing_runs_on_any_screen(
    app: Flask,
    session: Session,
    settings: Settings,
    owner: Any,
    world: dict[str, str],
    portal_url: str,
    new_page: Callable[..., Page],
    watch: Watch,
) -> None:
    watch.allow("status of 404")
    page = new_page()
    strangers: list[str] = []
    page.on("request", lambda it: strangers.append(it.url))
    page.on("dialog", lambda it: strangers.append(it.message))
    page.add_init_script(TRAP)
    page.context.add_cookies([{**owner, "url": portal_url}])
    showing = 0
    for path in visited(app, session, world):
        answer = page.goto(portal_url + path, wait_until="load")
        assert answer
        assert answer.status in (200, 404), path
        # As text it may stand there; made of it is nothing.
        found = page.evaluate(_FOUND, MADE)
        showing += found.pop("shown")
        assert found == {"ran": [], "made": 0, "computed": False}, path
    assert showing > 35
    for path, target in (
        (world["reloj-en-curso"] + "/ahora", world["reloj-en-curso"]),
        ("/tablero/tarjetas", "/tablero"),
    ):
        page.goto(portal_url + target)
        with page.expect_response(lambda it, path=path: it.url.endswith(path)):
            page.evaluate(_SWAP, path)
        page.wait_for_timeout(150)
        assert ran(page) == [], path
    # A reader of mail has no policy of ours: the text alone must be safe there.
    written = mails(app, session, settings)
    assert {"order.confirmed", "attention.closed"} & set(written)
    assert len(written) > 5
    reader = new_page()
    reader.add_init_script(TRAP)
    reader.on("request", lambda it: strangers.append(it.url))
    for kind, html in written.items():
        reader.goto("about:blank")
        reader.set_content(html)
        assert ran(reader) == [], kind
    ours = (portal_url, "about:")
    assert [url for url in strangers if not url.startswith(ours)] == []


def test_the_trap_catches_what_runs(
    app: Flask, portal_url: str, new_page: Callable[..., Page], watch: Watch
) -> None:
    """The control: the same corpus, not escaped, with the policy and without it."""

    def raw(policy: str) -> Response:
        body = f"<!doctype html><title>x</title>{EVERYTHING}"
        answer = Response(body, mimetype="text/html")
        if policy == "sin":
            answer.headers["Content-Security-Policy"] = "default-src * 'unsafe-inline'"
        return answer

    app.add_url_rule("/cruda/<policy>", "raw", raw)
    watch.allow("")
    ran: dict[str, list[str]] = {"sin": [], "con": []}
    # The corpus also leads away from the page: what ran is heard as it runs.
    for policy, words in (("sin", "it ran"), ("con", "CSP violation")):
        page = new_page()
        page.route("https://evil.example/**", lambda route: route.abort())
        page.add_init_script("window.marca = () => console.info('it ran')")
        page.on("console", lambda it, kept=ran[policy]: kept.append(it.text))
        with page.expect_console_message(lambda it, words=words: words in it.text):
            page.goto(f"{portal_url}/cruda/{policy}", wait_until="commit")
    assert "it ran" not in ran["con"]
    assert len(PAYLOADS) >= 30
