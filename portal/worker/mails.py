"""The server's alert about a worker that has stopped."""

from portal.accounts.mails import owner_email
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.worker.queries import last_beat
from portal.worker.rules import is_mute


def _alert_worker(context: RenderContext, _row: OutboxRow) -> Mail | None:
    """Withdrawn when it works again."""
    beat = last_beat(context.session)
    if not is_mute(beat, context.now):
        return None
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    return render(
        context,
        "worker/alert_worker",
        to=owner,
        subject="El trabajo de fondo del portal se detuvo",
        beat=beat,
    )


RENDERERS: dict[str, Renderer] = {"alert.worker": _alert_worker}
