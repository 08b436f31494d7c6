"""That somebody of the staff read a customer's history: one line a person and hour."""

from datetime import datetime, timedelta

from portal.accounts.rules import Person
from portal.clock import local
from portal.orders.seen_service import note_seen

READ = "customer.history_read"


def note_reading(order_id: int, *, by: Person, now: datetime) -> None:
    """Keep who opened this order's customer, once in each hour of the clock."""
    hour = local(now).replace(minute=0, second=0, microsecond=0)
    # What was noted at the hour's first instant counts, too.
    just_before = hour - timedelta(microseconds=1)
    note_seen(order_id, READ, by=by, since=just_before, now=now)
