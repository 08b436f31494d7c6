"""Reading the staff for the owner's page."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff, StaffSession


def everybody(session: Session) -> list[Staff]:
    """The whole staff, active accounts first."""
    order = Staff.active.desc(), Staff.role, Staff.name, Staff.id
    return list(session.scalars(select(Staff).order_by(*order)))


def logged_in(session: Session, now: datetime) -> dict[int, int]:
    """On how many devices each member of staff is logged in."""
    rows = session.execute(
        select(StaffSession.staff_id, func.count())
        .where(StaffSession.expires_at > now)
        .group_by(StaffSession.staff_id)
    )
    return {staff_id: count for staff_id, count in rows}
