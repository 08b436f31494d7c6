"""Whom the desk's alerts reach: the owner, and who is on call at that hour."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.accounts.rules import OWNER
from portal.hours.rules import SPECIAL
from portal.settings import queries as settings_queries


def on_call_addresses(session: Session, regime_kind: str) -> list[str]:
    """The list of the regime; while closed, that of normal hours, who read it first."""
    business = settings_queries.load(session)
    if regime_kind == SPECIAL:
        return list(business.on_call_special)
    return list(business.on_call_normal)


def desk_addresses(session: Session, regime_kind: str) -> list[str]:
    """The owner first, then the list of the regime, nobody twice."""
    owner = session.scalar(
        select(Staff.email)
        .where(Staff.role == OWNER, Staff.active)
        .order_by(Staff.id)
        .limit(1)
    )
    owner = owner or settings_queries.load(session).business_email
    listed = on_call_addresses(session, regime_kind)
    return list(dict.fromkeys(filter(None, [owner, *listed])))
