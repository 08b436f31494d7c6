"""The daily look at the invariants: what is broken, the owner hears of."""

import logging
from datetime import datetime

from portal.audit.queries import broken_invariants
from portal.audit.watch_rules import INVARIANTS
from portal.audit.watch_service import note
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
    note(INVARIANTS, _words(len(broken)), now=now, mailed=False)
    return len(broken)


def _words(count: int) -> str:
    if not count:
        return ""
    return f"{count} de las reglas del dinero no se cumplen en la base."
