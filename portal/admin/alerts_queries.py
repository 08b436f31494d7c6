"""Reading what is wrong now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from portal.admin import rules
from portal.admin.alerts_rules import Alert, Facts, alerts, worker_words
from portal.admin.order_queries import GoingBack
from portal.admin.queries import Money, Pulse
from portal.audit import watch_queries, watch_rules
from portal.config import Settings
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.mail.rules import ALERT_AT_TRIES
from portal.mail.words_rules import mail_words
from portal.orders.models import Order
from portal.orders.note_models import OrderNote
from portal.support.models import Attention
from portal.support.states import TAKEN, WAITING

# Nobody answers a chargeback after its term is over.
CHARGEBACK_DAYS = 60
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Failing:
    """One mail that does not go out. `number` is empty for one about no order."""

    id: int
    what: str
    number: str
    tries: int
    reason: str
    next_at: datetime


def current(
    session: Session,
    settings: Settings,
    pulse: Pulse,
    money: Sequence[Money],
    refunds: Sequence[GoingBack],
    mails: Sequence[Failing],
    now: datetime,
) -> list[Alert]:
    """Everything that is wrong now, of what the page has read and what it has not."""
    ago = "" if pulse.worker_age is None else rules.age_words(pulse.worker_age)
    return alerts(
        Facts(
            promises=_waiting(session, Attention.promise_at <= now),
            no_answers=_waiting(session, Attention.no_answer_at.is_not(None)),
            money=_once(it.number for it in money if it.meaning.refund),
            unresolved=_once(it.number for it in money if not it.meaning.refund),
            refunds=_once(it.number for it in refunds if it.waits),
            chargebacks=_chargebacks(session, now),
            mails=len(mails),
            stuck=pulse.outbox_stuck,
            backups_stopped=pulse.backups_stopped,
            worker=worker_words(pulse.worker_stopped, pulse.worker_age, ago),
            findings=_findings(session, settings, now),
        )
    )


def _once(numbers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(numbers))


def _waiting(session: Session, overdue: ColumnElement[bool]) -> list[str]:
    """Who waits to be contacted and should not any more."""
    ids = session.scalars(
        select(Attention.order_id)
        .where(
            Attention.state.in_((WAITING, TAKEN)),
            Attention.contacted_at.is_(None),
            overdue,
        )
        .order_by(Attention.queued_at)
    )
    return [str(1000 + order_id) for order_id in ids]


def _chargebacks(session: Session, now: datetime) -> list[str]:
    """Those that a gateway told of and no note of the owner has answered since."""
    line = JournalEntry
    noted = exists().where(OrderNote.order_id == line.order_id, OrderNote.at > line.at)
    ids = session.scalars(
        select(line.order_id)
        .where(
            # Literals, for the partial index names its words.
            and_(
                line.object_kind == literal_column("'payment'"),
                line.to_state == literal_column("'charged_back'"),
            ),
            line.at > now - timedelta(days=CHARGEBACK_DAYS),
            line.actor_kind != "staff",
            ~noted,
        )
        .order_by(line.at)
        .limit(SHOWN)
    )
    return _once(str(1000 + (order_id or 0)) for order_id in ids)


def _findings(
    session: Session, settings: Settings, now: datetime
) -> list[watch_rules.Finding]:
    """The last word about each thing, the disk as it is at this moment."""
    found = watch_queries.last_findings(session)
    problem = watch_rules.disk_problem(watch_queries.free_bytes(settings))
    found[watch_rules.DISK] = watch_rules.Finding(watch_rules.DISK, problem, now)
    return list(found.values())


def failing_mails(session: Session) -> list[Failing]:
    """Mails that failed so often that the owner was told, oldest first."""
    rows = session.execute(
        select(OutboxRow, Order.id)
        .outerjoin(Order, Order.id == OutboxRow.order_id)
        .where(
            OutboxRow.state == "pending",
            or_(
                OutboxRow.tries >= ALERT_AT_TRIES,
                and_(OutboxRow.tries > 0, OutboxRow.kind.startswith("alert.")),
            ),
        )
        .order_by(OutboxRow.created_at, OutboxRow.id)
        .limit(SHOWN)
    )
    return [
        Failing(
            row.id,
            mail_words(row.kind),
            str(1000 + order_id) if order_id else "",
            row.tries,
            row.last_error or "",
            row.next_at,
        )
        for row, order_id in rows
    ]
