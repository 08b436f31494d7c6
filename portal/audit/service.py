"""The daily look at the invariants: what is broken, the owner hears of."""

import logging
from datetime import datetime

from portal.audit.queries import broken_invariants
from portal.db import reading, transaction
from portal.mail.service import enqueue

log = logging.getLogger(__name__)


def verify(now: datetime) -> int:
    """Check every invariant and ask for one alert a day; how many are broken."""
    with reading() as session:
        broken = broken_invariants(session)
    if broken:
        for fault in broken:
            log.error("%s", fault.line())
        with transaction() as session:
            enqueue(session, kind="alert.invariants", key=f"{now:%Y-%m-%d}", now=now)
    return len(broken)
