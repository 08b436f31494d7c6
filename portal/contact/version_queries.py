"""What tells the customer's page that it has the newest: one query a poll."""

from collections.abc import Sequence

from sqlalchemy import Engine, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from portal.orders.models import Order
from portal.orders.rules import fingerprint, is_token
from portal.payments.models import Payment, Refund
from portal.settings.models import Setting
from portal.settings.queries import REVISION
from portal.support.models import Attention, Errand

Rows = tuple[object, ...]


def _rows() -> Select[str, int, int, int | None, int | None, int, int, int, object]:
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
        Order.link_hash,
        Order.id,
        Order.version,
        attention.scalar_subquery(),
        errand.scalar_subquery(),
        payments.scalar_subquery(),
        refunds.scalar_subquery(),
        dropped.scalar_subquery(),
        revision.scalar_subquery(),
    )


# Built once: the first is asked with every poll, the second after every commit.
_ROWS = _rows().where(Order.link_hash == bindparam("link_hash"))
_MANY = _rows().where(Order.link_hash.in_(bindparam("links", expanding=True)))


def rows_of(session: Session, order: Order) -> Rows:
    """The versions of all rows that the page of this order shows."""
    return _plain(
        session.connection().execute(_ROWS, {"link_hash": order.link_hash}).one()
    )


def find_rows(session: Session, token: str) -> tuple[str, Rows] | None:
    """The same behind a secret link, and its hash; None when it opens nothing."""
    if not is_token(token):
        return None
    link = fingerprint(token)
    row = session.connection().execute(_ROWS, {"link_hash": link}).first()
    return (link, _plain(row)) if row else None


def rows_of_many(engine: Engine, names: Sequence[str]) -> dict[str, Rows]:
    """The same behind those of the names that are hashes of links; one query."""
    links = [it for it in names if ":" not in it]
    with engine.connect() as connection:
        found = connection.execute(_MANY, {"links": links}).all()
    return {row.link_hash: _plain(row) for row in found}


def _plain(row: Row[*tuple[object, ...]]) -> Rows:
    return tuple(int(str(value or 0)) for value in row[1:])
