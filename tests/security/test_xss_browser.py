"""What an attacker types, in every field, shown on every screen: nothing runs."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from browser_watch import Watch
from conftest import TUESDAY_NOON
from faces import lay_out, lay_out_requests
from flask import Flask, Response
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from support_cases import add_staff, log_in_as
from xss_corpus import (
    EVERYTHING,
    LISTS,
    PAYLOADS,
    SETTINGS,
    poison,
    tags,
    unknown_texts,
)

from portal.accounts.models import Screen, Staff
from portal.admin.settings_forms import GROUPS
from portal.catalog.models import CannedSolution, Service, Topic
from portal.config import Settings
from portal.db import transaction
from portal.hours.models import DayOverrideRow
from portal.journal.models import JournalEntry
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.orders.document_models import OrderDocument
from portal.orders.models import Order
from portal.orders.note_models import OrderNote
from portal.privacy.models import DataBreach, NoticeVersion, PrivacyRequest
from portal.settings.models import Setting
from portal.settings.queries import load as load_business
from portal.support.customer_models import AttentionMessage, ErrandEntry, Rating
from portal.support.models import Attention, AttentionPause, Draft, Errand
from portal.terms import service as terms
from portal.terms.models import ProofLink, TermsAcceptance, TermsVersion, TermsWording

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
# Files, and parts of a page that are asked for by themselves.
NO_PAGE = (".csv", ".xlsx", "/lugar", "/ahora", "/tarjetas", "link_id>")
# Files, machines, and pages that nobody's text is on.
UNSEEN = ("/demo", "/salud", "/static", "/manifest", "/remoto", "/metri", "/pago")


_TAG = re.compile(r"campo\d{3}q")
# Pages with forms that show again what was typed, or what another has saved meanwhile.
FORMS = (
    *("/ingresar", "/reenviar-enlace", "/privacidad/solicitud", "/mi-cuenta"),
    *("/servicios/soporte-online", "/servicios/asistencia-terreno"),
    *("/administrar/temas/1", "/administrar/temas/nuevo", "/administrar/precios"),
    *("/administrar/soluciones/1", "/administrar/soluciones/nueva"),
    *(f"/administrar/ajustes/{group}" for group in GROUPS),
    *("/administrar/horario/semana", "/administrar/horario/dia?dia=2026-12-24"),
    *("/administrar/terminos/borrador", "/administrar/pedidos/nuevo"),
    *("/administrar/datos/brechas/1", "/administrar/datos/brechas/nueva"),
    *("/administrar/datos/solicitudes/nueva", "/administrar/datos/solicitudes/3"),
    *("/administrar", "/administrar/equipo", "/administrar/pantallas"),
    *("/administrar/pedidos/{paid}", "/administrar/pedidos/{paid}/documento"),
    "/administrar/pedidos/{refused}",
    *("{reloj-en-curso}", "{tomado}", "{cierre-resuelto}/datos"),
)
_TYPED = "textarea, input:not([type=hidden], [type=checkbox], [type=radio])"
_WRITABLE = f"main form[method=post]:has({_TYPED})"
# Sent past the page's own scripts and checks, and as if made long ago.
_SEND = """(form, [typed, payloads]) => {
  form.querySelectorAll(typed).forEach((it, turn) => {
    if (it.type !== "password") it.type = "text";
    it.value = payloads[turn];
  });
  form.querySelectorAll("[name=seen], [name=version]").forEach(it => it.value = "0");
  setTimeout(() => HTMLFormElement.prototype.submit.call(form)); }"""


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
    now, key = TUESDAY_NOON, settings.secret_keys[0]
    terms.set_up(now)
    session.rollback()
    for name in (*SETTINGS, *LISTS):
        session.merge(Setting(name=name, value="x", updated_at=now))
    paths = lay_out(session, key, "noon") | lay_out_requests(session, key)
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
        if each.state == "paused":
            session.add(_pause(each, now))
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
    for asked in session.query(PrivacyRequest).filter_by(state="open"):
        asked.extended_at, asked.extension_reason = now, "x"
    for model in (NoticeVersion, TermsVersion):
        session.add(model(number=2, body="x", sha256="x", published_at=now))
    session.add(TermsWording(kind="draft", body="x", updated_at=now))
    for order in session.query(Order).filter(Order.state != "awaiting_payment"):
        session.add_all(_papers(order, by, now))
    session.commit()
    assert poison(session, key) > 600
    return paths


def _pause(attention: Attention, now: datetime) -> AttentionPause:
    return AttentionPause(
        attention_id=attention.id,
        reason="x",
        from_at=attention.paused_at,
        until_at=now + timedelta(minutes=10),
        technician_id=attention.technician_id,
    )


def _papers(order: Order, by: Staff, now: datetime) -> list[Any]:
    """What an order gathers: the proof, the history, a note, the boleta, a mail."""
    proof = TermsAcceptance(
        order_id=order.id,
        version=1,
        sha256="x",
        accepted_at=now,
        checkbox_text="x",
        checked=True,
        address="x",
        user_agent="x",
        price_shown=order.price,
        regime_kind="normal",
        regime_rule="x",
        locale="es-CL",
        template_version="1",
    )
    link = ProofLink(
        order_id=order.id,
        kind="accepted",
        content="{}",
        previous=f"{order.id}",
        sha256=f"{order.id}-",
    )
    told = JournalEntry(
        at=now,
        actor_kind="staff",
        actor_id=by.id,
        object_kind="order",
        object_id=order.id,
        order_id=order.id,
        action="order.cancelled",
        reason="x",
    )
    boleta = OrderDocument(
        order_id=order.id,
        kind="boleta",
        folio=f"{order.id}",
        issued_on=now.date(),
        noted_at=now,
        noted_by_id=by.id,
    )
    mail = OutboxRow(
        order_id=order.id,
        kind="order.confirmed",
        tries=9,
        created_at=now - timedelta(hours=5),
        next_at=now,
        last_error="x",
        server_reply="x",
    )
    note = OrderNote(order_id=order.id, text="x", at=now, author_id=by.id)
    return [proof, link, told, boleta, mail, note]


def ids(session: Session, *models: Any) -> list[int]:
    """Of the first row of each."""
    found = [session.query(model).order_by(model.id).first() for model in models]
    assert None not in found
    return [row.id for row in found if row is not None]


def visited(app: Flask, session: Session, paths: dict[str, str]) -> Iterator[str]:
    """The address of every page with GET, filled with all that matters of what is."""
    running = session.query(Attention).filter_by(state="running").first()
    assert running
    order = session.get(Order, running.order_id)
    link = session.query(ProofLink).filter_by(order_id=running.order_id).one()
    assert order
    topic, canned, staff, breach, errand = ids(
        session, Topic, CannedSolution, Staff, DataBreach, Errand
    )
    known: dict[str, tuple[Any, ...]] = {
        "attention_id": (running.id,),
        "errand_id": (errand,),
        "number": (int(order.number),),
        "topic_id": (topic,),
        "canned_id": (canned,),
        "staff_id": (staff,),
        "slug": tuple(session.scalars(select(Service.slug))),
        "name": ("2026-11",),
        "group": tuple(GROUPS),
        "version": (2,),
        "link_id": (link.id,),
        "request_id": tuple(session.scalars(select(PrivacyRequest.id))),
        "breach_id": (breach,),
    }
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(UNSEEN):
            continue
        if "token" in rule.arguments or rule.rule.endswith(NO_PAGE):
            continue
        names = sorted(rule.arguments)
        for values in product(*(known[name] for name in names)):
            with app.test_request_context():
                built = rule.build(
                    dict(zip(names, values, strict=True)), append_unknown=False
                )
            assert built, rule
            yield built[1]
    for face in (*FACES, *(name for name in paths if name.startswith("solicitud"))):
        yield paths[face]
    for tail in ("/datos", "/comprobante"):
        yield paths["cierre-resuelto"] + tail
    yield "/administrar/pedidos?q=marca"


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
    page = new_page()
    strangers: list[str] = []
    page.on("request", lambda it: strangers.append(it.url))
    page.on("dialog", lambda it: strangers.append(it.message))
    page.add_init_script(TRAP)
    page.context.add_cookies([{**owner, "url": portal_url}])
    showing, seen = 0, set()
    for path in visited(app, session, world):
        answer = page.goto(portal_url + path, wait_until="load")
        assert answer
        assert answer.status == 200, path
        # As text it may stand there; made of it is nothing.
        found = page.evaluate(_FOUND, MADE)
        showing += found.pop("shown")
        assert found == {"ran": [], "made": 0, "computed": False}, path
        seen |= set(_TAG.findall(page.content()))
    assert showing > 60
    # Each field was looked at on some screen.
    assert [name for tag, name in tags().items() if tag not in seen] == []
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


@pytest.mark.long
def test_what_was_typed_comes_back_as_text(
    session: Session,
    owner: Any,
    world: dict[str, str],
    portal_url: str,
    new_page: Callable[..., Page],
    watch: Watch,
) -> None:
    """Every form that a mistake or another's change brings back."""
    watch.allow("status of 4")
    page = new_page()
    page.add_init_script(TRAP)
    page.context.add_cookies([{**owner, "url": portal_url}])
    numbers = {
        name: session.query(Attention).filter_by(state=state).first().order_id + 1000  # type: ignore[union-attr]
        for name, state in (("paid", "running"), ("refused", "cancelled"))
    }
    statuses: list[int] = []
    back = 0
    for path in (form.format(**numbers, **world) for form in FORMS):
        if path == "/ingresar":
            page.context.clear_cookies()
        elif path == "/mi-cuenta":
            page.context.add_cookies([{**owner, "url": portal_url}])
        page.goto(portal_url + path)
        forms = page.locator(_WRITABLE).count()
        assert forms, path
        for number in range(forms):
            page.goto(portal_url + path)
            turn = len(statuses) % len(PAYLOADS)
            payloads = [*PAYLOADS[turn:], *PAYLOADS]
            with page.expect_navigation() as going:
                form = page.locator(_WRITABLE).nth(number)
                form.evaluate(_SEND, [_TYPED, payloads])
            statuses.append(going.value.status)  # type: ignore[union-attr]
            found = page.evaluate(_FOUND, MADE)
            found.pop("shown")
            assert found == {"ran": [], "made": 0, "computed": False}, path
            back += "marca()" in page.content()
    assert len(statuses) > 40
    assert {422, 409} <= set(statuses)
    assert max(statuses) < 500
    assert back > 0.8 * len(statuses)


def test_every_text_of_the_database_is_judged() -> None:
    """A column with texts is poisoned, or named as one that nobody fills."""
    assert unknown_texts() == []


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
