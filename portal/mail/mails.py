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


def render(
    context: RenderContext, template: str, *, to: str, subject: str, **values: Any
) -> Mail:
    """The mail of `mail/<template>.txt` and `mail/<template>.html`.

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
    return Mail(to, subject, text, html)
