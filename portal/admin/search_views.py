"""Finding orders, opening one by hand, and their tax documents."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin import order_queries, orders_queries, orders_service
from portal.admin.fields_forms import parse_day
from portal.admin.orders_forms import DocumentForm, HandForm
from portal.admin.story_rules import ORDER_WORDS
from portal.catalog import queries as catalog_queries
from portal.db import db
from portal.errors import PortalError
from portal.journal.service import Actor
from portal.orders import documents_service
from portal.orders import queries as orders
from portal.orders.models import Order
from portal.payments import manual
from portal.payments.states import GATEWAY_NAMES
from portal.text import clean_text
from portal.web import page, settings

bp = Blueprint("admin_orders", __name__, url_prefix="/administrar")
_LONGEST = 120


def _actor() -> Actor:
    return Actor("staff", person().id)


def _to(order: Order, message: str) -> Response:
    flash(message)
    return cast(Response, redirect(f"/administrar/pedidos/{order.number}", 303))


# The list --------------------------------------------------------------


@bp.get("/pedidos")
@owner_required
def search() -> Response:
    """Orders by anything that somebody says of them, newest first."""
    orders_service.note_search(by=person(), now=clock.utcnow())
    text, problem = _text(request.args.get("q", ""))
    services = {it.slug: it.name for it in catalog_queries.list_services(db.session())}
    sought = orders_queries.Wanted(
        text=text,
        state=_one_of(ORDER_WORDS, "estado"),
        service=_one_of(services, "servicio"),
        gateway=_one_of(GATEWAY_NAMES, "medio"),
        day=_day(request.args.get("dia", "")[:10]),
        before=_before(request.args.get("antes", "")),
    )
    found = orders_queries.Page([], None, None)
    if not problem:
        found = orders_queries.search(db.session(), sought)
    return page(
        "admin/orders.html",
        person=person(),
        found=found.found,
        read_to=found.read_to + 1000 if found.read_to else None,
        problem=problem,
        sought=sought,
        words=ORDER_WORDS,
        services=services,
        gateways=GATEWAY_NAMES,
        older=_query(sought, found.before) if found.before else "",
    )


def _one_of(known: Mapping[str, str], name: str) -> str:
    value = request.args.get(name, "")
    return value if value in known else ""


def _query(sought: orders_queries.Wanted, next_id: int) -> str:
    """The same search, going on from there."""
    return urlencode(
        {
            "q": sought.text,
            "estado": sought.state,
            "servicio": sought.service,
            "medio": sought.gateway,
            "dia": sought.day or "",
            "antes": next_id,
        }
    )


def _text(typed: str) -> tuple[str, str]:
    """What is sought, and why it cannot be."""
    try:
        return clean_text(typed, _LONGEST), ""
    except ValueError as error:
        return "", str(error)


def _day(typed: str) -> date | None:
    try:
        day = parse_day(typed)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _before(typed: str) -> int | None:
    good = typed.isascii() and typed.isdigit() and len(typed) <= 9
    return int(typed) if good else None


# By hand ---------------------------------------------------------------


@bp.get("/pedidos/nuevo")
@owner_required
def new() -> Response:
    """The form of an order that was paid by transfer or is given free."""
    return _hand(HandForm(formdata=None))


@bp.post("/pedidos/nuevo")
@owner_required
def open_by_hand() -> Response:
    """Open it, paid: its attention waits on the board and its mail goes out."""
    form = HandForm()
    _prepare(form)
    if not form.validate():
        return _hand(form, 422)
    try:
        order_id = manual.open_by_hand(
            form.draft(),
            form.kind.data,
            form.amount.value,
            reason=form.reason.value,
            actor=_actor(),
            keys=settings().secret_keys,
            now=clock.utcnow(),
        )
    except PortalError as error:
        return _hand(form, 422, str(error))
    order = orders.get(db.session(), order_id)
    return _to(order, f"Pedido {order.number} abierto. El cliente recibe su enlace.")


def _prepare(form: HandForm) -> None:
    session = db.session()
    form.prepare(
        catalog_queries.list_services(session), catalog_queries.list_topics(session)
    )


def _hand(form: HandForm, code: int = 200, error: str = "") -> Response:
    _prepare(form)
    return page("admin/by_hand.html", code, person=person(), form=form, error=error)


# Documents -------------------------------------------------------------

DOCUMENT = "/pedidos/<int(min=1001, max=2147483647):number>/documento"


@bp.get(DOCUMENT)
@owner_required
def document(number: int) -> Response:
    """The document of one order, noted or to be noted."""
    order = order_queries.find(db.session(), number)
    noted = orders_queries.document_of(db.session(), order.id)
    today = clock.local(clock.utcnow()).date()
    values = {"kind": order.document, "issued_on": today}
    if noted:
        values = {
            "kind": noted.kind,
            "folio": noted.folio,
            "issued_on": noted.issued_on,
        }
    return _document(DocumentForm(formdata=None, data=values), order)


@bp.post(DOCUMENT)
@owner_required
def note_document(number: int) -> Response:
    """Note folio and date."""
    order = order_queries.find(db.session(), number)
    form, order_id = DocumentForm(), order.id
    if not form.validate():
        return _document(form, order, 422)
    try:
        documents_service.note(
            order_id,
            form.kind.data,
            form.folio.value,
            form.issued_on.value,
            actor=_actor(),
            now=clock.utcnow(),
        )
    except PortalError as error:
        form.folio.errors = [str(error)]
        return _document(form, orders.get(db.session(), order_id), 422)
    return _to(orders.get(db.session(), order_id), "Documento anotado.")


def _document(form: DocumentForm, order: Order, code: int = 200) -> Response:
    return page("admin/document.html", code, person=person(), form=form, order=order)


@bp.get("/documentos")
@owner_required
def documents() -> Response:
    """Paid orders of a month whose folio nobody has noted."""
    today = clock.local(clock.utcnow()).date()
    first = _day(f"{request.args.get('mes', '')[:7]}-01") or today.replace(day=1)
    first = min(first, today.replace(day=1))
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    missing, count = orders_queries.without_document(db.session(), first, last)
    return page(
        "admin/documents.html",
        person=person(),
        first=first,
        before=(first - timedelta(days=1)).replace(day=1),
        after=last + timedelta(days=1) if last < today else None,
        missing=missing,
        count=count,
    )
