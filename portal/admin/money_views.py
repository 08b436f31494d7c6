"""One order before the owner, and the acts on its money."""

from typing import cast

from flask import Blueprint, Response, flash, redirect, request
from flask_wtf import FlaskForm

from portal import clock
from portal.accounts.access_views import owner_required, person
from portal.admin import money_rules, money_service, order_queries
from portal.admin.money_forms import (
    NoteForm,
    OrderNoteForm,
    PaidByHandForm,
    RefundForm,
    UnpaidForm,
)
from portal.admin.order_queries import OrderPage
from portal.db import db
from portal.errors import ConflictError, PortalError, RefusedError, StaleStateError
from portal.journal.service import Actor
from portal.money import format_pesos
from portal.orders import notes_service
from portal.payments import owner_words, refund_requests, refund_rules, refunds
from portal.payments import queries as payment_queries
from portal.payments.views import gateways
from portal.web import page, settings

bp = Blueprint("admin_money", __name__, url_prefix="/administrar")

ORDER = "/pedidos/<int(min=1001, max=2147483647):number>"
PAYMENT = "/pagos/<int(max=2147483647):payment_id>"
REFUND = "/devoluciones/<int(max=2147483647):refund_id>"
_CHANGED = "Eso ya cambió: vea aquí cómo quedó."


@bp.get(ORDER)
@owner_required
def show_order(number: int) -> Response:
    """One order: what happened, its payments, its refunds."""
    return _page(order_queries.find(db.session(), number).id)


def _page(
    order_id: int, code: int = 200, error: str = "", typed: FlaskForm | None = None
) -> Response:
    now = clock.utcnow()
    money_service.note_seen(order_id, by=person(), now=now)
    shown = order_queries.load(db.session(), order_id, now)
    return page(
        "admin/order.html",
        code,
        person=person(),
        page=shown,
        forms=_forms(shown, typed),
        typed=typed,
        error=error,
        simulator_url=settings().simulator_url if settings().is_demo else "",
    )


def _forms(shown: OrderPage, typed: FlaskForm | None) -> dict[str, FlaskForm]:
    """A form for each act, with what was typed in the one that was sent."""
    forms: dict[str, FlaskForm] = {"nota": OrderNoteForm(formdata=None)}
    for each in shown.payments:
        number, left = each.payment.id, format_pesos(max(each.payment.left, 0))
        why = money_rules.REASONS.get(each.payment.disposition or "", "")
        forms[f"devolver-{number}"] = RefundForm(
            formdata=None, data={"amount": left, "reason": why}
        )
        forms[f"anotar-{number}"] = NoteForm(formdata=None, data={"amount": left})
        forms[f"no-pagado-{number}"] = UnpaidForm(formdata=None)
    for item in shown.refunds:
        forms[f"pagada-{item.refund.id}"] = PaidByHandForm(formdata=None)
    if typed is not None:
        forms[typed.place] = typed
    for place, form in forms.items():
        for field in form:
            field.id = f"{field.name}-{place}"
    return forms


def _refuse(
    order_id: int, problem: PortalError, form: FlaskForm | None = None
) -> Response:
    """The order as it now is, and what stands in the way."""
    code = 409 if isinstance(problem, ConflictError) else 422
    words = _CHANGED if isinstance(problem, StaleStateError) else str(problem)
    return _page(order_id, code, words, form)


def _done(order_id: int, message: str) -> Response:
    """Back to where the button stood."""
    flash(message)
    number = order_id + order_queries.FIRST_NUMBER - 1
    listed = request.form.get("volver") == "lista"
    target = "/administrar" if listed else f"/administrar/pedidos/{number}"
    return cast(Response, redirect(target, 303))


def _order_of(payment_id: int) -> int:
    return payment_queries.get(db.session(), payment_id).order_id


def _actor() -> Actor:
    return Actor("staff", person().id)


def _sent(form: FlaskForm, place: str) -> FlaskForm:
    form.place = place
    return form


@bp.post(f"{ORDER}/nota")
@owner_required
def note_order(number: int) -> Response:
    """Keep an internal note on an order."""
    order_id = order_queries.find(db.session(), number).id
    form = _sent(OrderNoteForm(), "nota")
    if not form.validate():
        return _page(order_id, 422, typed=form)
    notes_service.add(
        order_id, form.text.clean, author_id=person().id, now=clock.utcnow()
    )
    return _done(order_id, "Nota guardada: el cliente no la ve.")


@bp.post(f"{PAYMENT}/devolver")
@owner_required
def give_back(payment_id: int) -> Response:
    """Give back pesos of any payment, now, with a reason."""
    order_id, now = _order_of(payment_id), clock.utcnow()
    form = _sent(RefundForm(), f"devolver-{payment_id}")
    if not form.validate():
        return _page(order_id, 422, typed=form)
    amount, reason = form.amount.clean, form.reason.clean
    try:
        refund_id = refund_requests.request_by_owner(
            payment_id, amount, reason=reason, actor=_actor(), now=now
        )
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem, form)
    refunds.send(refund_id, gateways(), now=now)
    return _done(order_id, _outcome(refund_id))


def _outcome(refund_id: int) -> str:
    """How the refund stands after it was asked for."""
    refund = payment_queries.get_refund(db.session(), refund_id, lock=False)
    amount = format_pesos(refund.amount)
    if refund.state == refund_rules.REJECTED:
        return f"No se devolvió: {refund_rules.rejection_words(refund.detail)}"
    if refund.state == refund_rules.CONFIRMED:
        return f"Devolvió {amount}. El medio de pago lo confirmó."
    return f"Pidió devolver {amount}. Aún no lo confirman: el portal sigue preguntando."


@bp.post(f"{PAYMENT}/atender")
@owner_required
def attend(payment_id: int) -> Response:
    """Late money pays its order after all."""
    order_id, now = _order_of(payment_id), clock.utcnow()
    try:
        money_service.attend_late(payment_id, by=person(), now=now)
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem)
    return _done(order_id, "El pago ya vale: el cliente será atendido.")


@bp.post(f"{PAYMENT}/anotar")
@owner_required
def note(payment_id: int) -> Response:
    """Enter what the gateway no longer tells."""
    order_id, now = _order_of(payment_id), clock.utcnow()
    form = _sent(NoteForm(), f"anotar-{payment_id}")
    if not form.validate():
        return _page(order_id, 422, typed=form)
    kind, amount, reason = form.kind.data, form.amount.clean, form.reason.clean
    try:
        owner_words.enter(
            payment_id, kind, amount, reason=reason, actor=_actor(), now=now
        )
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem, form)
    return _done(order_id, "Quedó anotado.")


@bp.post(f"{PAYMENT}/no-pagado")
@owner_required
def reject_unknown(payment_id: int) -> Response:
    """An attempt without an answer that the owner looked for: it was not paid."""
    order_id, now = _order_of(payment_id), clock.utcnow()
    form = _sent(UnpaidForm(), f"no-pagado-{payment_id}")
    if not form.validate():
        return _page(order_id, 422, typed=form)
    reason = form.reason.clean
    try:
        owner_words.reject_unknown(payment_id, reason=reason, actor=_actor(), now=now)
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem, form)
    return _done(order_id, "Anotado: no se pagó. El pedido vence solo.")


@bp.post(f"{REFUND}/reintentar")
@owner_required
def retry(refund_id: int) -> Response:
    """Ask again for a refund that was refused."""
    order_id, now = _order_of_refund(refund_id), clock.utcnow()
    try:
        refunds.retry(refund_id, actor=_actor(), now=now)
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem)
    refunds.send(refund_id, gateways(), now=now)
    return _done(order_id, _outcome(refund_id))


@bp.post(f"{REFUND}/pagada")
@owner_required
def pay_by_hand(refund_id: int) -> Response:
    """A refused refund that the owner paid by transfer."""
    order_id, now = _order_of_refund(refund_id), clock.utcnow()
    form = _sent(PaidByHandForm(), f"pagada-{refund_id}")
    if not form.validate():
        return _page(order_id, 422, typed=form)
    reason = form.reason.clean
    try:
        refunds.pay_by_hand(refund_id, reason=reason, actor=_actor(), now=now)
    except (ConflictError, RefusedError) as problem:
        return _refuse(order_id, problem, form)
    return _done(order_id, "Quedó anotado que la pagó. Se le avisa al cliente.")


def _order_of_refund(refund_id: int) -> int:
    return payment_queries.get_refund(db.session(), refund_id, lock=False).order_id
