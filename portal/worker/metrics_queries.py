"""What Prometheus is told, counted in the database at the instant of the question."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.config import Settings
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.payments.models import Payment, Refund
from portal.support.models import Attention
from portal.support.states import WAITING
from portal.worker.metrics_rules import Metric, single
from portal.worker.models import WorkerHeartbeat
from portal.worker.queries import take_pulse
from portal.worker.rules import STOPPED_WORKER_SECONDS, seconds_since


def gather(session: Session, settings: Settings, now: datetime) -> list[Metric]:
    """Every figure; ages in seconds."""
    return [*_desk(session, now), *_money(session), *_machine(session, settings, now)]


def _by(
    session: Session, name: str, help: str, *columns: InstrumentedAttribute[str]
) -> Metric:
    """How many rows there are of each combination of the columns."""
    rows = session.execute(select(*columns, func.count()).group_by(*columns))
    labels = [column.key for column in columns]
    return Metric(
        name,
        help,
        values={
            tuple(zip(labels, map(str, row[:-1]), strict=True)): float(row[-1])
            for row in rows
        },
    )


def _desk(session: Session, now: datetime) -> list[Metric]:
    waiting = Attention.state == WAITING
    length, oldest, late = session.execute(
        select(
            func.count(),
            func.min(Attention.queued_at, type_=Attention.queued_at.type),
            func.count().filter(Attention.promise_at < now),
        ).where(waiting)
    ).one()
    return [
        _by(session, "attentions", "Attentions by state.", Attention.state),
        single("queue_length", "Customers who wait.", length),
        single(
            "queue_oldest_seconds",
            "How long the first in the queue has waited.",
            seconds_since(oldest, now),
        ),
        single("queue_late", "Who waits and whose promise of a call is over.", late),
        single(
            "promises_missed_total",
            "Promises of a call that were missed.",
            promises_missed(session),
            "counter",
        ),
    ]


def promises_missed(session: Session) -> int:
    """How many ever were, by an index of them alone."""
    missed = Attention.promise_missed_at.is_not(None)
    return session.scalar(select(func.count()).where(missed)) or 0


def _money(session: Session) -> list[Metric]:
    return [
        _by(session, "orders", "Orders by state.", Order.state),
        _by(
            session,
            "payments",
            "Attempts to pay by gateway and state.",
            Payment.gateway,
            Payment.state,
        ),
        _by(session, "refunds", "Refunds by state.", Refund.state),
    ]


def _machine(session: Session, settings: Settings, now: datetime) -> list[Metric]:
    pulse = take_pulse(session, settings, now)
    pending = session.scalar(
        select(func.count()).where(
            OutboxRow.state == "pending", OutboxRow.next_at <= now
        )
    )
    since = now - timedelta(seconds=STOPPED_WORKER_SECONDS)
    alive = session.scalar(select(func.count()).where(WorkerHeartbeat.at > since))
    return [
        single("ok", "1 when /salud reads ok.", float(pulse.status == "ok")),
        single("outbox_due", "Mails that should be out by now.", pending),
        single(
            "outbox_oldest_seconds",
            "Age of the oldest mail that should be out by now.",
            pulse.outbox_age,
        ),
        single("workers", "Workers that gave a sign in the last minute.", alive),
        single(
            "worker_age_seconds", "Since the last sign of any worker.", pulse.worker_age
        ),
        single("backup_age_seconds", "Since the last good backup.", pulse.backup_age),
    ]
