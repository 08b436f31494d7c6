"""The owner's alerts about the machine, and her own trial mail."""

from portal.accounts.mails import owner_email
from portal.audit.queries import broken_invariants
from portal.audit.watch_queries import last_findings
from portal.audit.watch_rules import MENDS, TITLES
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail


def _alert_invariants(context: RenderContext, _row: OutboxRow) -> Mail | None:
    """Withdrawn when all is well again."""
    broken = broken_invariants(context.session)
    owner = owner_email(context)
    if not broken or owner is None:
        return None
    return render(
        context,
        "audit/alert_invariants",
        to=owner,
        subject="La revisión diaria encontró una contradicción",
        lines=[fault.line() for fault in broken],
    )


def _alert_watch(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when it is well again."""
    kind = row.key.partition("-")[0]
    finding = last_findings(context.session).get(kind)
    if finding is None or not finding.is_trouble:
        return None
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    return render(
        context,
        "audit/alert_watch",
        to=owner,
        subject=TITLES[kind],
        finding=finding,
        mend=MENDS[kind],
    )


def _check_mail(context: RenderContext, _row: OutboxRow) -> Mail | None:
    """The owner's own trial; withdrawn when there is nobody to send it to."""
    owner = owner_email(context)
    if owner is None:
        return None
    return render(
        context, "audit/check_mail", to=owner, subject="Correo de prueba del portal"
    )


RENDERERS: dict[str, Renderer] = {
    "alert.invariants": _alert_invariants,
    "alert.watch": _alert_watch,
    "check.mail": _check_mail,
}
