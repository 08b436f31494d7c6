"""What tells the customer's page that it has the newest: one query a poll."""

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from portal.orders.models import Order
from portal.orders.rules import fingerprint, is_token
from portal.payments.models import Payment, Refund
from portal.settings.models import Setting
from portal.settings.queries import REVISION
from portal.support.models import Attention, Errand

Rows = tuple[object, ...]


def _rows() -> Select[int, int, int | None, int | None, int, int, int, int, object]:
    """Versions only grow and rows only come: equal sums are equal rows."""
    attention = select(Attention.version).where(Attention.order_id == Order.id)
    errand = select(Errand.version).where(Errand.order_id == Order.id)
    payments = select(func.coalesce(func.sum(Payment.version + 1), 0)).where(
        Payment.order_id == Order.id
    )
    refunds = select(func.coalesce(func.sum(Refund.version + 1), 0)).where(
        Refund.order_id == Order.id
    )
    dropped = select(func.count(Refund.dropped_at)).where(Refund.order_id == Order.id)
    revision = select(Setting.value).where(Setting.name == REVISION)
    return select(
        Order.id,
        Order.version,
        attention.scalar_subquery(),
        errand.scalar_subquery(),
        payments.scalar_subquery(),
        refunds.scalar_subquery(),
        dropped.scalar_subquery(),
        revision.scalar_subquery(),
    ).where(Order.link_hash == bindparam("link_hash"))


# Built once: it is asked with every poll.
_ROWS = _rows()


def rows_of(session: Session, order: Order) -> Rows:
    """The versions of all rows that the page of this order shows."""
    return _plain(
        session.connection().execute(_ROWS, {"link_hash": order.link_hash}).one()
    )


def find_rows(session: Session, token: str) -> Rows | None:
    """The same behind a secret link; None when it opens nothing."""
    if not is_token(token):
        return None
    row = session.connection().execute(_ROWS, {"link_hash": fingerprint(token)}).first()
    return _plain(row) if row else None


def _plain(row: Row[*tuple[object, ...]]) -> Rows:
    return tuple(int(str(value or 0)) for value in row)
