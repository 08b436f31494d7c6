"""Everything the customer's page needs to know of one order, read at one instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.catalog import queries as catalog_queries
from portal.catalog.rules import price_for
from portal.chile import format_hour
from portal.contact import rules
from portal.contact.rules import Notice
from portal.contact.version_queries import rows_of
from portal.contact.version_rules import page_version
from portal.hours import queries as hours_queries
from portal.hours.rules import Calendar, Regime, next_change, regime_at
from portal.orders import queries as order_queries
from portal.orders import states as order_states
from portal.orders.models import Contact, Order
from portal.orders.sale_rules import SaleClosedError, check_sale
from portal.payments import queries as payment_queries
from portal.payments import states as pay
from portal.payments.models import Payment, Refund
from portal.settings import queries as settings_queries
from portal.settings.rules import BusinessSettings
from portal.support import due_queries
from portal.support import queries as support_queries
from portal.support import rules as support_rules
from portal.support.customer_rules import may_say_no_answer, no_answer_from
from portal.support.models import Attention, Errand
from portal.support.states import ERRAND_DONE, LIVING, NOT_STARTED
from portal.terms import queries as terms_queries
from portal.terms.rules import Block, section


@dataclass(frozen=True, kw_only=True)
class Case:
    """One order's page: facts and what follows from them at `now` (UTC)."""

    now: datetime
    stage: str
    order: Order
    contact: Contact
    business: BusinessSettings
    regime: Regime
    payments: Sequence[Payment]
    applied: Payment | None
    attention: Attention | None
    errand: Errand | None
    refund: Refund | None
    entries: Sequence[support_queries.Line]
    technician: str
    pause_reason: str
    notice: Notice | None
    suggest_other: bool
    sale_closed: SaleClosedError | None
    new_price: int | None
    warning: str
    promise_missed: bool
    may_say_no_answer: bool
    version: str

    @property
    def ends_at(self) -> datetime | None:
        """When the clock ends, moved by a pause that is over."""
        if self.attention is None:
            return None
        return support_rules.clock_end(self.attention, self.now)

    @property
    def attention_state(self) -> str:
        """The attention's state by the rule, whoever has written it or not yet."""
        return self.stage if self.attention is not None else ""


def load_case(session: Session, order: Order, *, now: datetime) -> Case:
    """The page of this order at `now`; writes nothing."""
    # The versions first: what changes while the rows are read is read again.
    versions = rows_of(session, order)
    business = settings_queries.load(session)
    calendar = hours_queries.load_calendar(session)
    regime = regime_at(calendar, now)
    payments = payment_queries.of_order(session, order.id)
    attention = support_queries.find_for_order(session, order.id)
    errand = support_queries.find_errand_for_order(session, order.id)
    refund = _refund(session, order, payments)
    entries = support_queries.entries(session, attention.id) if attention else []
    stage = _stage(order, payments, attention, errand, refund, now)
    closed, new_price = _sale(session, order, business, stage, now)
    warning = support_rules.level(attention, now) if attention else ""
    missed = warning == "late" and stage in rules.BEFORE_START
    unanswered = attention is not None and may_say_no_answer(
        attention, regime.kind, business.no_answer_minutes, now
    )
    shown = (stage, warning, missed, regime.kind, closed is None, new_price, unanswered)
    until = _until(attention, order, calendar, business.no_answer_minutes, now)
    return Case(
        now=now,
        stage=stage,
        order=order,
        contact=order_queries.get_contact(session, order),
        business=business,
        regime=regime,
        payments=payments,
        applied=next((p for p in payments if p.disposition == pay.APPLIED), None),
        attention=attention,
        errand=errand,
        refund=refund,
        entries=entries,
        technician=_technician(session, attention),
        pause_reason=_pause_reason(session, attention),
        notice=_notice(payments) if stage == rules.REVIEW else None,
        suggest_other=rules.suggests_other_gateway(_rejections(payments)),
        sale_closed=closed,
        new_price=new_price,
        warning=warning,
        promise_missed=missed,
        may_say_no_answer=unanswered,
        version=page_version(versions, shown, now, until),
    )


def _refund(
    session: Session, order: Order, payments: Sequence[Payment]
) -> Refund | None:
    """The newest refund of the whole money that this order stands on."""
    whole = {
        payment.id: payment.amount
        for payment in payments
        if payment.disposition in (pay.APPLIED, pay.LATE)
    }
    refunds = payment_queries.refunds_of_order(session, order.id)
    of_whole = [
        refund
        for refund in refunds
        if whole.get(refund.payment_id) == refund.amount and not refund.dropped_at
    ]
    return of_whole[-1] if of_whole else None


def _pause_reason(session: Session, attention: Attention | None) -> str:
    pause = due_queries.running_pause(session, attention) if attention else None
    return pause.reason if pause else ""


def _technician(session: Session, attention: Attention | None) -> str:
    if attention is None or attention.technician_id is None:
        return ""
    name = support_queries.technician_name(session, attention.technician_id)
    return name or ""


def _stage(
    order: Order,
    payments: Sequence[Payment],
    attention: Attention | None,
    errand: Errand | None,
    refund: Refund | None,
    now: datetime,
) -> str:
    work_state = None
    if attention is not None:
        work_state = support_rules.effective_state(attention, now)
    elif errand is not None:
        work_state = errand.state
    in_form = any(payment_queries.may_still_be_paid(p, now) for p in payments)
    return rules.stage_of(
        order_state=order.state,
        work_state=work_state,
        is_attention=attention is not None,
        verifying=payment_queries.is_being_verified(payments),
        late_money=any(p.disposition == pay.LATE for p in payments),
        life_is_over=now >= order.expires_at and not in_form,
        refund_state=refund.state if refund else None,
    )


def _sale(
    session: Session,
    order: Order,
    business: BusinessSettings,
    stage: str,
    now: datetime,
) -> tuple[SaleClosedError | None, int | None]:
    """Whether the order may be paid now, and its price if the regime changed it."""
    if stage != rules.REVIEW:
        return None, None
    calendar = hours_queries.load_calendar(session)
    try:
        regime = check_sale(business, calendar, order.service_slug, now)
    except SaleClosedError as error:
        return error, None
    service = catalog_queries.find_service(session, order.service_slug)
    if service is None or regime.kind == order.regime_kind:
        return None, None
    price = price_for(service, regime.kind)
    return None, price if price != order.price else None


def _notice(payments: Sequence[Payment]) -> Notice | None:
    if not payments:
        return None
    last = payments[-1]
    return rules.notice_of(
        gateway=last.gateway,
        state=last.state,
        detail=last.detail or "",
        was_opened=last.redirected_at is not None,
        rejected_tries=len(last.rejected_ids),
    )


def _rejections(payments: Sequence[Payment]) -> int:
    return sum(
        (payment.state == pay.REJECTED) + len(payment.rejected_ids)
        for payment in payments
    )


def _until(
    attention: Attention | None,
    order: Order,
    calendar: Calendar,
    no_answer_minutes: int,
    now: datetime,
) -> datetime | None:
    """When time itself changes the page of a living attention; None for the others."""
    living = attention is not None and attention.state in LIVING
    if attention is None or not living or order.state != order_states.PAID:
        return None
    edges = (
        support_rules.next_own_change(attention, now),
        next_change(calendar, now),
        no_answer_from(attention.queued_at, no_answer_minutes),
    )
    return min((edge for edge in edges if edge and edge > now), default=None)


def shows_channels(case: Case) -> bool:
    """Support numbers show only for a paid attention that somebody must still meet."""
    return case.order.state == order_states.PAID and case.stage in (
        "waiting",
        "taken",
        "running",
        "paused",
        "no_show",
    )


def whatsapp_words(case: Case) -> str:
    """What the customer's first message says, already written."""
    paid_at = case.order.paid_at
    hour = format_hour(paid_at) if paid_at else ""
    return rules.whatsapp_text(case.contact.name, case.order.number, hour)


def may_withdraw(case: Case) -> bool:
    """Whether one tap gives all the money back: the work has not begun (retracto)."""
    if case.refund is not None or case.applied is None:
        return False
    if case.applied.gateway == pay.MANUAL:
        return False  # no gateway can give it back: the page says whom to call
    if case.errand is not None:
        # Cancelled by the owner too: the money is the customer's to ask back.
        return case.errand.state != ERRAND_DONE
    return case.stage in NOT_STARTED


_AFTER_START = frozenset({"running", "paused", "timed_out", "closed"})


def retract_text(session: Session, case: Case) -> list[Block]:
    """What the text of this order says of withdrawing, once the work has begun."""
    is_done = case.errand is not None and case.errand.state == ERRAND_DONE
    if case.applied is None or not (case.stage in _AFTER_START or is_done):
        return []
    version = terms_queries.find_version(session, case.order.terms_version)
    return section(version.body, "retracto") if version else []
