"""Where the portal's mails to the owner go."""

from sqlalchemy import select

from portal.accounts.models import Staff
from portal.accounts.rules import OWNER
from portal.mail.mails import RenderContext


def owner_email(context: RenderContext) -> str | None:
    """The first active owner's address, else that of the business, else None."""
    owner = context.session.scalar(
        select(Staff.email)
        .where(Staff.role == OWNER, Staff.active)
        .order_by(Staff.id)
        .limit(1)
    )
    return owner or context.business.business_email or None
