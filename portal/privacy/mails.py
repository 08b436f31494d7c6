"""Mails about personal data: to who asks, and to the owner before a term ends.

They go out to a blocked person too: they are what the block and the request need.
"""

from contextlib import suppress

from portal.accounts.mails import owner_email
from portal.clock import local
from portal.mail.mails import RenderContext, Renderer, render
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders.mails import link_of
from portal.orders.rules import fingerprint
from portal.privacy import letters_rules, queries, rules
from portal.privacy.letters_rules import Letter
from portal.privacy.models import PrivacyRequest
from portal.privacy.states import ANSWERED, OPEN, OVER, REFUSED, UNVERIFIED

Links = tuple[tuple[str, str], ...]


def _request(context: RenderContext, row: OutboxRow) -> PrivacyRequest | None:
    number = int(row.key.partition("-")[0])
    found = context.session.get(PrivacyRequest, number)
    return None if found is None or found.erased_at is not None else found


def _send(context: RenderContext, to: str, letter: Letter, links: Links = ()) -> Mail:
    return render(
        context,
        "privacy/letter",
        to=to,
        subject=letter.subject,
        lines=letter.lines,
        after=letter.after,
        links=links,
    )


def _confirm(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn once it was confirmed or is too old."""
    asked = _request(context, row)
    if asked is None or asked.state != UNVERIFIED or context.now >= asked.confirm_until:
        return None
    for key in context.settings.secret_keys:
        token = rules.confirm_token(key, asked.seed)
        if fingerprint(token) == asked.token_hash:
            link = f"{context.settings.public_url}/privacidad/solicitud/{token}"
            letter = letters_rules.to_confirm(
                asked.kind, context.business.business_name
            )
            return _send(context, asked.email, letter, (("Confirmar", link),))
    raise LookupError("no current key makes this request's link")


def _received(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn once it was answered: the answer says more."""
    asked = _request(context, row)
    if asked is None or asked.state != OPEN:
        return None
    letter = letters_rules.received(asked.kind, asked.number, asked.name, asked.due_on)
    return _send(context, asked.email, letter)


def _extended(context: RenderContext, row: OutboxRow) -> Mail | None:
    asked = _request(context, row)
    if asked is None or asked.state != OPEN or asked.extended_at is None:
        return None
    letter = letters_rules.extended(
        asked.number, asked.name, asked.due_on, asked.extension_reason or ""
    )
    return _send(context, asked.email, letter)


def _answered(context: RenderContext, row: OutboxRow) -> Mail | None:
    asked = _request(context, row)
    if asked is None or asked.state not in OVER or asked.answered_at is None:
        return None
    day = local(asked.answered_at).date()
    letter = letters_rules.answered(
        asked.number,
        asked.name,
        asked.answer or "",
        refused=asked.state == REFUSED,
        complain_until=rules.add_working_days(day, rules.COMPLAINT_DAYS),
    )
    return _send(context, asked.email, letter, _links(context, asked))


def _links(context: RenderContext, asked: PrivacyRequest) -> Links:
    """The person's orders, each with its data: the address is proven by now."""
    if asked.state != ANSWERED or asked.kind not in rules.WITH_LINKS:
        return ()
    found = []
    for order, _contact in queries.orders_of(context.session, asked.email):
        with suppress(LookupError):  # an order of a key that is no more
            link = f"{link_of(context, order)}/datos"
            found.append((f"Datos del pedido {order.number}", link))
    return tuple(found)


def _owner(context: RenderContext) -> str:
    """Raises LookupError, so that the alert waits until there is somebody to tell."""
    owner = owner_email(context)
    if owner is None:
        raise LookupError("there is no owner to tell")
    return owner


def _page_of(context: RenderContext, asked: PrivacyRequest) -> Links:
    path = f"/administrar/datos/solicitudes/{asked.id}"
    return (("Abrir la solicitud", context.settings.public_url + path),)


def _alert_new(context: RenderContext, row: OutboxRow) -> Mail | None:
    asked = _request(context, row)
    if asked is None or asked.state != OPEN:
        return None
    letter = letters_rules.new_for_owner(asked.kind, asked.number, asked.due_on)
    return _send(context, _owner(context), letter, _page_of(context, asked))


def _alert_due(context: RenderContext, row: OutboxRow) -> Mail | None:
    """Withdrawn when it was answered or extended meanwhile."""
    asked = _request(context, row)
    if asked is None or asked.state != OPEN:
        return None
    if row.key.split("-")[1] != f"{asked.due_on:%Y%m%d}":
        return None
    letter = letters_rules.due_for_owner(
        asked.kind, asked.number, asked.due_on, local(context.now).date()
    )
    return _send(context, _owner(context), letter, _page_of(context, asked))


RENDERERS: dict[str, Renderer] = {
    "privacy.confirm": _confirm,
    "privacy.received": _received,
    "privacy.extended": _extended,
    "privacy.answered": _answered,
    "alert.privacy": _alert_new,
    "alert.privacy_due": _alert_due,
}
