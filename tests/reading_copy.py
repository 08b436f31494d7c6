"""Every text that a customer reads, by family, as the pages and mails really say it.

Made from the rendered pages of `faces`, so it cannot say what no customer sees.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from faces import MOMENTS, lay_out, lay_out_requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.journal.service import SYSTEM
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.orders.queries import get_by_token
from portal.payments.models import Refund
from portal.settings import demo_service
from portal.settings.queries import load
from portal.support.models import Attention, Errand
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.web import settings_of

TEMPLATES = Path(__file__).resolve().parent.parent / "portal/templates/mail"
NOTE = (
    "> Lo que una página repite de otra anterior va una sola vez.\n"
    "> Copia de lectura hecha por `make texts` con datos inventados: no se edita aquí. "
    "Antes de recibir\n> dinero real, una abogada o un abogado de Chile debe revisar y "
    "aprobar estos textos.\n"
)
SHOP = (
    ("La portada", "/"),
    ("Soporte en línea", "/servicios/soporte-online"),
    ("Reinstalación", "/servicios/reinstalacion"),
    ("Servicio técnico", "/servicios/servicio-tecnico"),
    ("Asistencia en terreno", "/servicios/asistencia-terreno"),
    ("Perdí mi enlace", "/reenviar-enlace"),
)
# Kind of mail -> the face whose order gets it.
MAILS = {
    "order.confirmed": "espera",
    "link.resend": "espera",
    "attention.promise_missed": "espera-atrasada",
    "attention.summary": "cierre-resuelto",
    "refund.requested": "devolviendo",
    "refund.rejected": "devolucion-rechazada",
    "refund.confirmed": "devuelto",
    "errand.scheduled": "encargo-agendado",
    "errand.done": "encargo-hecho",
}
_INLINE = ("a", "abbr", "b", "bdi", "code", "em", "small", "span", "strong", "time")
_UNSEEN = ("script", "svg", "noscript", "option", "input")
_HEADS = {"h1": "### ", "h2": "#### ", "h3": "#### "}
# What differs from run to run: links, fingerprints, buy orders, the host.
_VARYING = (
    (re.compile(r"https?://localhost[^\s/]*"), "https://portal"),
    (re.compile(r"/atencion/[\w-]{20,}"), "/atencion/…"),
    (re.compile(r"\b[0-9a-f]{26,64}\b"), "…"),
)


def families(app: Flask, move: Callable[[datetime], object]) -> dict[str, str]:
    """File name -> its text; `move` sets the portal's clock."""
    move(MOMENTS["noon"])
    key = settings_of(app).secret_keys[0]
    with app.app_context():
        terms = _stock()
    client = app.test_client()
    shop, order = ["# La compra\n"], ["# La página del pedido\n"]
    mails = ["# Los correos\n"]
    for moment, at in MOMENTS.items():
        move(at)
        shop += [_page(client, f"{title} ({moment})", path) for title, path in SHOP]
        with app.app_context():
            paths = lay_out(db.session(), key, moment)
            db.session.remove()
        for face, path in paths.items():
            (shop if "revision" in face else order).append(_page(client, face, path))
        if moment == "noon":
            receipt = f"{paths['espera']}/comprobante"
            order.append(_page(client, "comprobante", receipt))
            with app.app_context():
                mails += _mails(app, db.session(), paths, at)
                db.session.remove()
    privacy = ["# La privacidad\n", *_privacy(app, client)]
    written = {"compra": shop, "pedido": order, "correos": mails, "privacidad": privacy}
    written = {
        name: _once([_steady(part) for part in parts])
        for name, parts in written.items()
    }
    texts = {
        name: "\n".join([parts[0], NOTE, *parts[1:]]) for name, parts in written.items()
    }
    texts["terminos"] = f"{NOTE}\n{terms}"
    return {f"{name}.md": _steady(text) for name, text in texts.items()}


def _once(parts: list[str]) -> list[str]:
    """What was said on a page before, in the same family, is not said again."""
    seen: set[str] = set()
    kept = []
    for part in parts:
        lines = part.split("\n")
        fresh = [it for it in lines if it.startswith("## ") or not it or it not in seen]
        if "```" not in part:
            seen.update(lines)
            lines = fresh
        kept.append("\n".join(lines))
    return kept


def _stock() -> str:
    """The demo's business and terms; the text of the terms."""
    at = MOMENTS["noon"]
    terms_service.set_up(at)
    with transaction() as session:
        demo_service.fill_missing(session, at)
        terms_service.publish_in(session, actor=SYSTEM, now=at)
        version = terms_queries.current(session)
        text = version.body if version else ""
    db.session.remove()
    return text


def _steady(text: str) -> str:
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _page(client: FlaskClient, title: str, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    main = BeautifulSoup(answer.text, "html.parser").find("main")
    assert isinstance(main, Tag)
    return f"\n## {title}\n\n" + "\n".join(_lines(main))


def _lines(main: Tag) -> Iterator[str]:
    for tag in main.find_all(_UNSEEN):
        tag.decompose()
    for tag in main.find_all(_INLINE):
        tag.unwrap()
    main.smooth()
    for text in main.find_all(string=True):
        words = " ".join(text.split())
        if words and type(text).__name__ == "NavigableString":
            yield _HEADS.get(text.parent.name, "") + words + "\n"


def _mails(
    app: Flask, session: Session, paths: dict[str, str], now: datetime
) -> Iterator[str]:
    context = RenderContext(session, settings_of(app), now, load(session))
    terms = terms_queries.find_version(session, 1)
    for kind, face in MAILS.items():
        order = get_by_token(session, paths[face].rpartition("/")[2])
        row = OutboxRow(order_id=order.id, kind=kind, key=_key(session, kind, order))
        mail = app.extensions["mail_renderers"][kind](context, row)
        assert mail is not None, kind
        text = mail.text.replace(terms.body if terms else "", "(terminos.md)\n").strip()
        yield f"\n## {mail.subject}\n\n```\n{text}\n```\n"


def _privacy(app: Flask, client: FlaskClient) -> Iterator[str]:
    """The public pages, and the words of the mails with what they fill in."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        is_page = "GET" in (rule.methods or ()) and not rule.arguments
        if is_page and str(rule).startswith("/privacidad"):
            yield _page(client, str(rule), str(rule))
    with app.app_context():
        key = settings_of(app).secret_keys[0]
        paths = lay_out_requests(db.session(), key)
        db.session.remove()
    yield from (_page(client, name, path) for name, path in paths.items())
    for path in sorted((TEMPLATES / "privacy").glob("*.txt")):
        yield f"\n## Correo: {path.stem}\n\n```\n{path.read_text().strip()}\n```\n"


def _key(session: Session, kind: str, order: Order) -> str:
    if kind.startswith("refund."):
        query = select(Refund.id).where(Refund.order_id == order.id)
        return str(session.scalar(query))
    if kind == "errand.scheduled":
        query = select(Errand.version).where(Errand.order_id == order.id)
        return str(session.scalar(query))
    if kind == "attention.promise_missed":
        query = select(Attention).where(Attention.order_id == order.id)
        attention = session.scalars(query).one()
        attention.promise_missed_at = attention.promise_at
        session.flush()
    return ""
