"""One person's data, the register of processing, and who of the staff looked."""

from flask import Blueprint, Response, request

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.db import db
from portal.errors import RefusedError
from portal.orders import queries as order_queries
from portal.orders.models import Order
from portal.privacy import persons_service, queries
from portal.privacy.forms import EraseForm
from portal.privacy.owner_views import to
from portal.privacy.register_rules import REGISTER
from portal.privacy.rules import KEEP_YEARS
from portal.web import page, settings

bp = Blueprint("privacy_papers", __name__, url_prefix="/administrar/datos")
PERSON = "/personas/<int(min=1001, max=2147483647):number>"
_FIRST_NUMBER = 1000


def _order(number: int) -> Order:
    return order_queries.get(db.session(), number - _FIRST_NUMBER)


@bp.get(PERSON)
@owner_required
def person_page(number: int) -> Response:
    """The person of an order: block, unblock, and what forgetting would do."""
    order_id = _order(number).id
    persons_service.note_seen(order_id, by=person(), now=clock.utcnow())
    return _person(number)


def _person(
    number: int, code: int = 200, form: EraseForm | None = None, error: str = ""
) -> Response:
    order = _order(number)
    held = queries.held_orders(db.session(), order, clock.utcnow())
    return page(
        "privacy/person.html",
        code,
        person=person(),
        order=order,
        contact=order_queries.get_contact(db.session(), order),
        held=held,
        ready=[
            each
            for each in held
            if not each.against and each.contact.pseudonymised_at is None
        ],
        form=form or EraseForm(formdata=None),
        keep_years=KEEP_YEARS,
        error=error,
    )


@bp.post(f"{PERSON}/bloquear")
@owner_required
def block(number: int) -> Response:
    """From here on nobody of the staff reads this person, and no mail goes out."""
    order_id = _order(number).id
    persons_service.set_blocked(order_id, True, by=person(), now=clock.utcnow())
    return to(f"/personas/{number}", "Bloqueados en todos sus pedidos.")


@bp.post(f"{PERSON}/desbloquear")
@owner_required
def unblock(number: int) -> Response:
    """Lift the block."""
    order_id = _order(number).id
    persons_service.set_blocked(order_id, False, by=person(), now=clock.utcnow())
    return to(f"/personas/{number}", "Bloqueo levantado.")


@bp.post(f"{PERSON}/borrar")
@owner_required
def erase(number: int) -> Response:
    """Forget the person; there is no way back."""
    order_id, form = _order(number).id, EraseForm()
    if not form.validate():
        return _person(number, 422, form)
    keys = settings().secret_keys
    try:
        count = persons_service.erase(
            order_id, by=person(), keys=keys, now=clock.utcnow()
        )
    except RefusedError as error:
        return _person(number, 422, error=str(error))
    what = "1 pedido" if count == 1 else f"{count} pedidos"
    return to(f"/personas/{number}", f"Borrados los datos de la persona en {what}.")


@bp.get("/registro")
@owner_required
def register() -> Response:
    """The register of processing, to read and to print."""
    return page(
        "privacy/register.html",
        person=person(),
        register=REGISTER,
        notice=queries.current_notice(db.session()),
    )


@bp.get("/consultas")
@owner_required
def views() -> Response:
    """Who of the staff opened customers' data, of all orders or of one."""
    typed = request.args.get("pedido", "").strip()
    good = typed.isascii() and typed.isdigit() and 4 <= len(typed) <= 9
    order_id = int(typed) - _FIRST_NUMBER if good else None
    return page(
        "privacy/views.html",
        person=person(),
        found=queries.views(db.session(), order_id),
        typed=typed[:9],
        problem="" if good or not typed else "Escriba el número, como 1001.",
        shown=queries.SHOWN,
    )
