"""Prices, and the topics with their answers."""

from typing import cast

from flask import Blueprint, Response, flash, redirect

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin.catalog_forms import PriceForm, TopicForm
from portal.catalog import queries as catalog_queries
from portal.catalog import topics_service
from portal.catalog.rules import price_mark, topic_mark
from portal.db import db
from portal.errors import NotFoundError, RefusedError, StaleStateError
from portal.journal.service import Actor
from portal.money import format_pesos
from portal.terms import queries as terms_queries
from portal.terms import service as terms_service
from portal.web import page

bp = Blueprint("admin_catalog", __name__, url_prefix="/administrar")
TOPIC = "/temas/<int(max=2147483647):topic_id>"


def _actor() -> Actor:
    return Actor("staff", person().id)


def _to(path: str, message: str) -> Response:
    flash(message)
    return cast(Response, redirect(f"/administrar/{path}", 303))


# Prices ----------------------------------------------------------------


@bp.get("/precios")
@owner_required
def prices() -> Response:
    """What each service costs, and whether anybody has confirmed it."""
    return _prices()


def _prices(
    code: int = 200, sent: PriceForm | None = None, slug: str = "", now_is: str = ""
) -> Response:
    session = db.session()
    services = catalog_queries.list_services(session)
    return page(
        "admin/prices.html",
        code,
        person=person(),
        services=[
            (it, sent if sent and it.slug == slug else PriceForm.of(it, sent=False))
            for it in services
        ],
        confirmed=catalog_queries.confirmed_services(session),
        failed=slug,
        now_is=now_is,
        next_terms=terms_queries.current_number(session) + 1,
    )


@bp.post("/precios/<slug>")
@owner_required
def save_price(slug: str) -> Response:
    """Write one service's prices and publish the terms that quote them."""
    service = catalog_queries.find_service(db.session(), slug)
    if service is None:
        raise NotFoundError("Ese servicio no existe.")
    form, before = PriceForm.of(service, sent=True), price_mark(service)
    name, seen = service.name, str(form.seen.data or "")
    if not form.validate():
        return _prices(422, form, slug)
    normal, special = form.prices()
    try:
        number = terms_service.change_price(
            slug, normal, special, actor=_actor(), now=clock.utcnow(), seen=seen
        )
    except StaleStateError:
        return _other_price(form, slug)
    if before == f"{normal}-{special or 0}":
        return _to("precios", f"{name}: precio confirmado.")
    return _to(
        "precios",
        f"{name}: precio guardado, y publicada la versión {number} de los términos.",
    )


def _other_price(form: PriceForm, slug: str) -> Response:
    """Both values, for the second of two owners."""
    service = catalog_queries.find_service(db.session(), slug)
    if service is None:
        raise NotFoundError("Ese servicio no existe.")
    form.seen.data = price_mark(service)
    prices = (service.price_normal, service.price_special)
    shown = " y ".join(format_pesos(price) for price in prices if price)
    return _prices(409, form, slug, shown)


# Topics ----------------------------------------------------------------


@bp.get("/temas")
@owner_required
def topics() -> Response:
    """Every topic with its answer."""
    return page(
        "admin/topics.html",
        person=person(),
        topics=catalog_queries.all_topics(db.session()),
    )


@bp.get("/temas/nuevo")
@owner_required
def new_topic() -> Response:
    """An empty topic."""
    return _topic(TopicForm(formdata=None))


@bp.get(TOPIC)
@owner_required
def edit_topic(topic_id: int) -> Response:
    """One topic as it stands."""
    topic = catalog_queries.get_topic(db.session(), topic_id)
    return _topic(TopicForm(formdata=None, data=TopicForm.stored(topic)), topic_id)


@bp.post("/temas/nuevo")
@owner_required
def add_topic() -> Response:
    """Write a new topic."""
    return _save_topic(None)


@bp.post(TOPIC)
@owner_required
def save_topic(topic_id: int) -> Response:
    """Write what was changed of a topic."""
    return _save_topic(topic_id)


def _save_topic(topic_id: int | None) -> Response:
    form = TopicForm()
    form.prepare(catalog_queries.list_services(db.session()))
    if not form.validate():
        return _topic(form, topic_id, 422)
    try:
        topics_service.save(
            topic_id,
            form.draft(),
            seen=str(form.seen.data or ""),
            actor=_actor(),
            now=clock.utcnow(),
        )
    except StaleStateError:
        return _other_topic(form, topic_id or 0)
    except RefusedError as error:
        form.covered.errors = [str(error)]
        return _topic(form, topic_id, 422)
    return _to("temas", "Guardado: los clientes ya lo ven así.")


def _other_topic(form: TopicForm, topic_id: int) -> Response:
    theirs = catalog_queries.get_topic(db.session(), topic_id)
    form.seen.data = topic_mark(theirs)
    stored = TopicForm(formdata=None, data=TopicForm.stored(theirs))
    stored.prepare(catalog_queries.list_services(db.session()))
    return _topic(form, topic_id, 409, stored)


def _topic(
    form: TopicForm,
    topic_id: int | None = None,
    code: int = 200,
    theirs: TopicForm | None = None,
) -> Response:
    form.prepare(catalog_queries.list_services(db.session()))
    return page(
        "admin/topic.html",
        code,
        person=person(),
        form=form,
        theirs=theirs,
        action=f"/administrar/temas/{topic_id or 'nuevo'}",
    )
