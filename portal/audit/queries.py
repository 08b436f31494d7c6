"""The invariants of docs/architecture.md over the whole database, in plain SQL.

Written apart from the services, on purpose: it shares no code with what it checks. It
only reads. The same statements run on SQLite and on PostgreSQL.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.audit.history_queries import STATEMENTS
from portal.audit.proof_queries import broken_proofs


@dataclass(frozen=True)
class Check:
    """One statement that must find no row; its first column names what is broken."""

    invariant: str
    meaning: str
    sql: str


CHECKS: tuple[Check, ...] = (
    Check(
        "I1",
        "a paid order without exactly one applied payment",
        """
        SELECT o.id FROM orders o
        LEFT JOIN payments p ON p.order_id = o.id AND p.disposition = 'applied'
        WHERE o.state IN ('paid', 'refunded', 'charged_back')
        GROUP BY o.id HAVING COUNT(p.id) <> 1
        """,
    ),
    Check(
        "I1",
        "an unpaid order with an applied payment",
        """
        SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id
        WHERE p.disposition = 'applied'
          AND o.state NOT IN ('paid', 'refunded', 'charged_back')
        """,
    ),
    Check(
        "I1",
        "an applied payment of another amount than its order's price",
        """
        SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id
        WHERE p.disposition = 'applied' AND p.amount <> o.price
        """,
    ),
    Check(
        "I1",
        "an applied payment without the gateway's evidence",
        """
        SELECT p.id FROM payments p
        WHERE p.disposition = 'applied' AND p.gateway <> 'manual'
          AND (p.gateway_payment_id IS NULL OR p.evidence IS NULL
               OR CAST(p.evidence AS TEXT) = 'null')
        """,
    ),
    Check(
        "I1",
        "a gateway's payment of nothing",
        "SELECT id FROM payments WHERE amount <= 0 AND gateway <> 'manual'",
    ),
    Check(
        "I2",
        "money without a disposition, or a disposition without money",
        """
        SELECT id FROM payments WHERE (disposition IS NOT NULL) <> (state IN
          ('approved', 'partly_refunded', 'refunded', 'charged_back'))
        """,
    ),
    Check(
        "I2",
        "surplus, late or mismatched money without the owner's alert",
        """
        SELECT p.id FROM payments p
        WHERE p.disposition IN ('surplus', 'late', 'mismatch') AND NOT EXISTS (
          SELECT 1 FROM outbox m WHERE m.order_id = p.order_id
            AND m.kind = 'alert.payment'
            AND m.key = p.disposition || '-' || CAST(p.id AS TEXT))
        """,
    ),
    Check(
        "I3",
        "an order ever paid without its one attention or errand",
        """
        SELECT o.id FROM orders o
        WHERE o.state IN ('paid', 'refunded', 'charged_back') AND (
          SELECT COUNT(*) FROM attentions a WHERE a.order_id = o.id
        ) + (
          SELECT COUNT(*) FROM errands e WHERE e.order_id = o.id
        ) <> 1
        """,
    ),
    Check(
        "I3",
        "work opened for an order that was never paid",
        """
        SELECT o.id FROM orders o
        WHERE o.state NOT IN ('paid', 'refunded', 'charged_back') AND (
          EXISTS (SELECT 1 FROM attentions a WHERE a.order_id = o.id)
          OR EXISTS (SELECT 1 FROM errands e WHERE e.order_id = o.id))
        """,
    ),
    Check(
        "I3",
        "an attention for another service, or an errand for the support",
        """
        SELECT o.id FROM orders o WHERE
          (o.service_slug <> 'soporte-online' AND EXISTS
            (SELECT 1 FROM attentions a WHERE a.order_id = o.id))
          OR (o.service_slug = 'soporte-online' AND EXISTS
            (SELECT 1 FROM errands e WHERE e.order_id = o.id))
        """,
    ),
    Check(
        "I4",
        # A chargeback, or the owner's refund, leaves a clock that runs to its end.
        "a clock that runs on an order that was never paid",
        """
        SELECT a.id FROM attentions a JOIN orders o ON o.id = a.order_id
        WHERE a.state IN ('running', 'paused')
          AND o.state NOT IN ('paid', 'refunded', 'charged_back')
        """,
    ),
    Check(
        "I8",
        "an attention in hand without exactly one technician",
        """
        SELECT id FROM attentions WHERE technician_id IS NULL
          AND state IN ('taken', 'running', 'paused', 'timed_out')
        """,
    ),
    Check(
        "I8",
        "an attention that waits with a technician",
        """
        SELECT id FROM attentions WHERE technician_id IS NOT NULL
          AND state IN ('waiting', 'deferred')
        """,
    ),
)


CHECKS += tuple(Check(*statement) for statement in STATEMENTS)


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold, with the ids where it does not."""

    check: Check
    ids: tuple[int, ...]

    def line(self) -> str:
        shown = ", ".join(str(id) for id in self.ids[:20])
        more = f" and {len(self.ids) - 20} more" if len(self.ids) > 20 else ""
        return f"{self.check.invariant}: {self.check.meaning}: {shown}{more}"


def broken_invariants(session: Session) -> list[Broken]:
    """Every check that found a row; empty when all is well."""
    found = []
    connection = session.connection()
    for check in CHECKS:
        ids = tuple(int(row[0]) for row in connection.exec_driver_sql(check.sql))
        if ids:
            found.append(Broken(check, ids))
    proofs = broken_proofs(session)
    found += [Broken(Check("CL", meaning, ""), ids) for meaning, ids in proofs.items()]
    return found
