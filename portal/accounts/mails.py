"""Where the portal's mails to the owner go, and what the screens tell them."""

from sqlalchemy import select

from portal.accounts.models import Screen, Staff
from portal.accounts.rules import OWNER
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail


def owner_email(context: RenderContext) -> str | None:
    """The first active owner's address, else that of the business, else None."""
    owner = context.session.scalar(
        select(Staff.email)
        .where(Staff.role == OWNER, Staff.active)
        .order_by(Staff.id)
        .limit(1)
    )
    return owner or context.business.business_email or None


def _alert_pins(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when the screen is out already."""
    screen = context.session.get(Screen, int(row.key.partition("-")[0]))
    if screen is None or screen.revoked_at is not None:
        return None
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    return render(
        context,
        "accounts/alert_pins",
        to=owner,
        subject="PIN equivocado cinco veces en una pantalla",
        name=screen.name,
        at=row.created_at,
    )


def _password(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Told to whoever's password it is: a thief cannot change it unseen."""
    staff = context.session.get(Staff, int(row.key.partition("-")[0]))
    if staff is None or not staff.active:
        return None
    return render(
        context,
        "accounts/password",
        to=staff.email,
        subject="Su contraseña del portal cambió",
        name=staff.name,
        at=row.created_at,
    )


RENDERERS: dict[str, Renderer] = {
    "alert.pins": _alert_pins,
    "staff.password": _password,
}
