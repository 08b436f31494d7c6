"""What the customer can do and has done on the page of a paid order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.contact.queries import Case
from portal.hours.rules import SPECIAL
from portal.orders.models import Order
from portal.support import customer_queries, customer_rules, errand_queries
from portal.support.customer_models import Rating
from portal.support.customer_queries import Message, Turn
from portal.support.errand_queries import ErrandLine
from portal.support.models import Attention
from portal.support.remote_rules import GIVEN_IN
from portal.support.states import CLOSED


@dataclass(frozen=True, kw_only=True)
class Side:
    """The customer's side of an order; `code_at` is when the code that we hold came.

    `no_answer_from` is from when on "No me contestan" will do, None when it never will.
    """

    messages: Sequence[Message] = ()
    may_write: bool = False
    may_give_code: bool = False
    code_at: datetime | None = None
    code_wiped: bool = False
    no_answer_from: datetime | None = None
    may_rate: bool = False
    rating: Rating | None = None
    may_repeat: bool = False
    turn: Turn | None = None
    parent: Order | None = None
    errand_lines: Sequence[ErrandLine] = ()


def load_side(session: Session, case: Case) -> Side:
    """What a page that is drawn shows beside the case; a poll without news needs none.

    Whatever is written here raises the version of attention or errand.
    """
    parent = customer_queries.parent_of(session, case.order)
    if case.errand is not None:
        lines = errand_queries.errand_entries(session, case.errand.id)
        return Side(errand_lines=lines, parent=parent)
    if case.attention is None:
        return Side(parent=parent)
    code = customer_queries.find_code(session, case.attention.id)
    rating = customer_queries.find_rating(session, case.attention.id)
    return Side(
        messages=customer_queries.messages(session, case.attention.id),
        may_write=case.stage in customer_rules.MESSAGED_IN,
        may_give_code=case.stage in GIVEN_IN,
        code_at=code.at if code and code.remote_code else None,
        code_wiped=bool(code and code.wiped_at),
        no_answer_from=_no_answer_from(case, case.attention),
        may_rate=case.stage == CLOSED and rating is None,
        rating=rating,
        may_repeat=case.stage in customer_rules.REPEATED_FROM,
        turn=customer_queries.find_turn(session, case.attention, case.now),
        parent=parent,
    )


def _no_answer_from(case: Case, attention: Attention) -> datetime | None:
    calls = case.regime.kind == SPECIAL and case.stage in customer_rules.CALLED_IN
    if not calls or attention.contacted_at or attention.no_answer_at:
        return None
    minutes = case.business.no_answer_minutes
    return customer_rules.no_answer_from(attention.queued_at, minutes)
