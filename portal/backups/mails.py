"""The owner's alert about a backup that could not be made."""

from portal.accounts.mails import owner_email
from portal.backups.rules import FAILED, MADE, OBJECT
from portal.journal.queries import last_of
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail


def _alert_backup(context: RenderContext, _row: OutboxRow) -> Mail | None:
    """Withdrawn when a good one was made since."""
    failed = last_of(context.session, OBJECT, FAILED)
    made = last_of(context.session, OBJECT, MADE)
    owner = owner_email(context)
    if failed is None or owner is None or (made is not None and made.id > failed.id):
        return None
    return render(
        context,
        "backups/alert_backup",
        to=owner,
        subject="No se pudo hacer el respaldo",
        at=failed.at,
        reason=failed.reason or "",
        last=made.at if made else None,
    )


RENDERERS: dict[str, Renderer] = {"alert.backup": _alert_backup}
