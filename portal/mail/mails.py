"""What a feature's `mails.py` needs to turn an outbox row into a mail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.settings.rules import BusinessSettings


@dataclass(frozen=True)
class RenderContext:
    """What a mail may say: the state of `now`, in a session that only reads."""

    session: Session
    settings: Settings
    now: datetime
    business: BusinessSettings


# None withdraws the mail: the state of now contradicts it.
Renderer = Callable[[RenderContext, OutboxRow], Mail | None]
Renderers = Mapping[str, Renderer]
# What is written in the transaction that marks a mail as sent; it never commits, and
# asked again it changes nothing.
OnSent = Callable[[Session, OutboxRow], None]


class Proven:
    """A renderer whose mail, once sent, leaves its trace in the same transaction."""

    def __init__(self, renderer: Renderer, on_sent: OnSent) -> None:
        self._renderer = renderer
        self.on_sent = on_sent

    def __call__(self, context: RenderContext, row: OutboxRow) -> Mail | None:
        return self._renderer(context, row)


def render(
    context: RenderContext,
    template: str,
    *,
    to: str,
    subject: str,
    files: tuple[tuple[str, str], ...] = (),
    **values: Any,
) -> Mail:
    """The mail of `mail/<template>.txt` and `mail/<template>.html`, with its files.

    The templates see `business`, `now`, `public_url` and `values`, nothing else: the
    same state gives the same characters.
    """
    shown = {
        "business": context.business,
        "demo": context.settings.is_demo,
        "now": context.now,
        "public_url": context.settings.public_url,
        "subject": subject,
        **values,
    }
    text, html = (
        current_app.jinja_env.get_template(f"mail/{template}.{suffix}").render(shown)
        for suffix in ("txt", "html")
    )
    return Mail(to, subject, text, html, files)
