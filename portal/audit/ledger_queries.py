"""The ledger: every peso that came and went, in plain SQL that shares nothing with
the month's report, so that the two can be held against each other."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from portal.db import UtcDateTime

# What a gateway says it charged may differ from what was asked: that is what came.
_CAME = """
SELECT COALESCE(SUM(CASE WHEN p.disposition = 'applied' THEN p.amount END), 0),
  COALESCE(SUM(CASE WHEN p.disposition <> 'applied' THEN
    COALESCE(CAST(p.evidence ->> 'amount' AS INTEGER), p.amount) END), 0)
FROM payments p JOIN orders o ON o.id = p.order_id
WHERE CASE WHEN p.disposition = 'applied' THEN o.paid_at ELSE p.approved_at END
  >= :since
AND CASE WHEN p.disposition = 'applied' THEN o.paid_at ELSE p.approved_at END < :until
"""
_GIVEN_BACK = """
SELECT COALESCE(SUM(r.amount), 0) FROM refunds r
WHERE r.state IN ('confirmed', 'paid_by_hand')
AND r.answered_at >= :since AND r.answered_at < :until
"""
_TAKEN_BACK = """
SELECT COALESCE(SUM(
  COALESCE(CAST(p.evidence ->> 'amount' AS INTEGER), p.amount) - COALESCE((
  SELECT SUM(r.amount) FROM refunds r WHERE r.payment_id = p.id
  AND r.state IN ('confirmed', 'paid_by_hand') AND r.answered_at < j.at), 0)), 0)
FROM journal_entries j JOIN payments p ON p.id = j.object_id
WHERE j.object_kind = 'payment' AND j.to_state = 'charged_back'
AND j.at >= :since AND j.at < :until
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Pesos: what paid orders, what came besides, what went back and was taken back."""

    income: int
    out_of_place: int
    given_back: int
    taken_back: int

    @property
    def came(self) -> int:
        return self.income + self.out_of_place

    @property
    def went(self) -> int:
        return self.given_back + self.taken_back


def read_ledger(session: Session, since: datetime, until: datetime) -> Ledger:
    """The money that moved from `since` to before `until`, both UTC."""

    def sums(statement: str) -> tuple[int, ...]:
        bounds = (
            bindparam("since", since, UtcDateTime),
            bindparam("until", until, UtcDateTime),
        )
        row = session.execute(text(statement).bindparams(*bounds)).one()
        return tuple(int(value) for value in row)

    return Ledger(*sums(_CAME), *sums(_GIVEN_BACK), *sums(_TAKEN_BACK))
