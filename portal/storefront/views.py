"""The shop window: home, the services and their checkout."""

from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, redirect, request, session

from portal import clock, web
from portal.catalog import queries as catalog_queries
from portal.catalog.models import Service
from portal.catalog.rules import WINDOWS_64_REASON, WINDOWS_BITS_HELP
from portal.db import db
from portal.errors import NotFoundError, RefusedError
from portal.orders import queries as order_queries
from portal.orders.models import Order
from portal.orders.rules import fingerprint
from portal.orders.sale_rules import (
    OutOfScopeError,
    SaleClosedError,
    is_sold_by_the_hour,
    served_communes,
)
from portal.orders.service import place
from portal.orders.states import AWAITING_PAYMENT
from portal.storefront.forms import TAX_FIELDS, CheckoutForm
from portal.storefront.queries import Shop, load_shop, values_again, values_of
from portal.terms import queries as terms_queries
from portal.terms.rules import ATTENTION_MINUTES, checkbox_text, retract_text

bp = Blueprint("storefront", __name__)

_NEED = ("topic", "windows_bits")
_CHECKED_ALONE = frozenset(
    {"problem", "name", "phone", "email", "address", "commune", *TAX_FIELDS}
)
# The page has nothing private: the browser may keep it, so that "back" finds the form
# as it was left.
_KEEP_FOR_BACK = "private, no-cache"
# Orders that one address may place. A telephone company puts many customers behind one;
# a desk never sees so many in ten minutes.
PLACED_LIMIT = "60 per 10 minutes"


def _was_placed(response: Response) -> bool:
    return response.status_code == 303


@bp.get("/")
def home() -> Response:
    """Whether one is attended now, until when and at what price; the services."""
    now = clock.utcnow()
    return web.page("storefront/home.html", shop=_shop(now), now=now)


@bp.get("/servicios/<slug>")
def service_page(slug: str) -> Response:
    """A service and its form, empty or with the order that is to be corrected."""
    now = clock.utcnow()
    shop = _shop(now, slug)
    service = shop.find(slug)
    if service is None:
        return _unknown_service(shop)
    parent = _find_parent(request.args.get("caso", ""), slug)
    if parent is not None:
        return _answer(service, _form_again(service, parent), shop, now)
    token = request.args.get("corregir", "")
    order = _find_order(token)
    if order is None or order.service_slug != slug:
        response = _answer(service, _blank_form(service), shop, now)
        response.headers["Cache-Control"] = _KEEP_FOR_BACK
        return response
    if order.state != AWAITING_PAYMENT:
        return _to_order(order)
    contact = order_queries.get_contact(db.session(), order)
    values = {**values_of(order, contact), "caso": _token_of_parent(order)}
    form = _form(service, data=values)
    return _answer(service, form, shop, now)


@bp.post("/servicios/<slug>")
@web.limiter.limit(PLACED_LIMIT, deduct_when=_was_placed)
def checkout(slug: str) -> Response:
    """Place the order; anything to mend is shown with everything that was typed."""
    now = clock.utcnow()
    shop = _shop(now, slug)
    service = shop.find(slug)
    if service is None:
        return _unknown_service(shop)
    form = _sent_form(service)
    order = _place(form, now) if form.validate() else None
    if order is not None:
        return _to_order(order)
    return _answer(service, form, shop, now, code=422)


@bp.post("/servicios/<slug>/revisar")
def check_fragment(slug: str) -> Response:
    """One field as the customer leaves it: its fragment, with what is wrong in it."""
    service = catalog_queries.find_service(db.session(), slug)
    name = request.args.get("campo", "")
    form = _sent_form(service) if service else None
    if service is None or form is None or name not in form:
        raise NotFoundError("No encontramos ese dato del formulario.")
    if name in _NEED:
        return web.fragment("storefront/_need.html", **_need_context(service, form))
    if name not in _CHECKED_ALONE:
        raise NotFoundError("No encontramos ese dato del formulario.")
    form[name].validate(form)
    return web.fragment("storefront/_field.html", service=service, f=form[name])


def _shop(now: datetime, slug: str = "") -> Shop:
    shown = {"slug": slug} if slug else {}
    return load_shop(db.session(), web.business(), now, **shown)


def _unknown_service(shop: Shop) -> Response:
    return web.page("storefront/unknown_service.html", 404, shop=shop)


def _find_order(token: str) -> Order | None:
    try:
        return order_queries.get_by_token(db.session(), token)
    except NotFoundError:
        return None


def _find_parent(token: str, slug: str) -> Order | None:
    """The paid order that another purchase of the same service may continue."""
    order = _find_order(token) if token else None
    if order is None or order.paid_at is None or order.service_slug != slug:
        return None
    return order if is_sold_by_the_hour(slug) else None


def _token_of_parent(order: Order) -> str:
    if order.parent_id is None:
        return ""
    parent = order_queries.get(db.session(), order.parent_id)
    return order_queries.token_of(parent, web.settings().secret_keys)


def _form_again(service: Service, parent: Order) -> CheckoutForm:
    """A new purchase's form with what we know of the case."""
    token = order_queries.token_of(parent, web.settings().secret_keys)
    contact = order_queries.get_contact(db.session(), parent)
    if contact.is_hidden:
        return _form(service, data={"caso": token})
    return _form(service, data={**values_again(parent, contact), "caso": token})


def _to_order(order: Order) -> Response:
    path = order_queries.path_of(order, web.settings().secret_keys)
    return cast(Response, redirect(path, 303))


def _form(service: Service, **values: Any) -> CheckoutForm:
    """The service's form, over what was sent or over the values given."""
    reading = db.session()
    form = CheckoutForm(**{"formdata": None, **values})
    terms = terms_queries.current(reading)
    form.prepare(
        service.slug,
        topics={topic.slug: topic for topic in catalog_queries.list_topics(reading)},
        communes=served_communes(web.business()),
        terms_version=terms.number if terms else 0,
    )
    return form


def _blank_form(service: Service) -> CheckoutForm:
    """A new form; the browser's session remembers what its page carries."""
    form = _form(service)
    form.seal()
    session["checkout"] = [form.form_key.data, form.terms_version.data]
    return form


def _sent_form(service: Service) -> CheckoutForm:
    form = _form(service, formdata=request.form)
    key, terms_version = session.get("checkout", ("", ""))
    form.recall(key, terms_version)
    return form


def _place(form: CheckoutForm, now: datetime) -> Order | None:
    """The order, or None with the reason on the form."""
    parent = _find_parent(form.caso.data, form.service_slug)
    draft = form.to_draft(
        remote_address=request.remote_addr or "",
        user_agent=request.user_agent.string,
        session_sha256=fingerprint(str(session.get("csrf_token", ""))),
        parent_id=parent.id if parent else None,
    )
    try:
        return place(draft, keys=web.settings().secret_keys, now=now)
    except SaleClosedError:
        return None  # the page itself says that it is closed and until when
    except OutOfScopeError:
        form.mark_scope()
    except RefusedError as error:
        form.refuse_terms(str(error))
    return None


def _need_context(service: Service, form: CheckoutForm) -> dict[str, Any]:
    """What the fragment of the topic and of the Windows shows."""
    scope = form.scope
    other = None
    if scope is not None and scope.service_slug is not None:
        other = catalog_queries.find_service(db.session(), scope.service_slug)
    return {
        "service": service,
        "form": form,
        "scope": scope,
        "other": other,
        "is_64_bits": "windows_bits" in form and form.windows_bits.data == "64",
        "why_not_64": WINDOWS_64_REASON,
        "bits_help": WINDOWS_BITS_HELP,
    }


def _answer(
    service: Service, form: CheckoutForm, shop: Shop, now: datetime, code: int = 200
) -> Response:
    """The service's page; while it is not sold, its form only if it was sent."""
    form.seal()
    by_the_hour = is_sold_by_the_hour(service.slug)
    return web.page(
        "storefront/service.html",
        code,
        **_need_context(service, form),
        shop=shop,
        now=now,
        by_the_hour=by_the_hour,
        shows_form=shop.refusal is None or code != 200,
        price=shop.price_of(service),
        minutes=ATTENTION_MINUTES,
        parent=_find_parent(form.caso.data or "", service.slug),
        terms_version=form.current_terms,
        terms_text=checkbox_text(form.current_terms),
        retract_text=retract_text(by_the_hour),
    )
