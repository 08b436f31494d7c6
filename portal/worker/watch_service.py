"""The server watches the worker: who has stopped cannot say so.

One thread in each server process looks once a minute. It tells the owner through the
outbox, and by itself where the database will not even take that.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from smtplib import SMTPException
from threading import Lock, Thread
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal import clock
from portal.config import Settings
from portal.db import reading, transaction
from portal.mail import service as mail_service
from portal.mail.mails import Renderers
from portal.mail.rules import Mail
from portal.worker import queries
from portal.worker.rules import MUTE_WORDS, is_mute

LOOK_SECONDS = 60.0
# A restart, or a demo's clock that jumps, is over by the second look.
LOOKS_BEFORE_ALERT = 2
# Without a database nothing remembers that it was told: once an hour and process.
DIRECT_EVERY_SECONDS = 3600.0
_ALERT = "alert.worker"
_FAILED_ROW = 0

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """What one process has seen so far."""

    settings: Settings
    renderers: Renderers
    bad_looks: int = 0
    failed_looks: int = 0
    last_direct: float = field(default=float("-inf"))

    def look(self, now: datetime) -> None:
        """One look at the worker; tells the owner at the second bad one."""
        try:
            self._look(now)
            self.failed_looks = 0
        except SQLAlchemyError as error:
            _log.error("watch: the database failed: %s", type(error).__name__)
            self.failed_looks += 1
            if self.failed_looks >= LOOKS_BEFORE_ALERT:
                self._tell_directly(now)

    def _look(self, now: datetime) -> None:
        with reading() as session:
            beat = queries.last_beat(session)
        self.bad_looks = self.bad_looks + 1 if is_mute(beat, now) else 0
        if self.bad_looks < LOOKS_BEFORE_ALERT:
            return
        with transaction() as session:
            key = beat.isoformat() if beat else "never"
            mail_service.enqueue(session, kind="alert.worker", key=key, now=now)
        mail_service.send_due(self.renderers, self.settings, now=now, kind=_ALERT)

    def _tell_directly(self, now: datetime) -> None:
        second = clock.monotonic()
        if second - self.last_direct < DIRECT_EVERY_SECONDS:
            return
        self.last_direct = second
        # Whose address it is stands in the database: the sender's own box must do.
        to = parseaddr(self.settings.mail_from)[1]
        mail = Mail(to, "La base de datos del portal no responde", MUTE_WORDS)
        try:
            mail_service.send_now(mail, self.settings, row_id=_FAILED_ROW, now=now)
        except (OSError, SMTPException) as error:
            _log.error("watch: the mail failed too: %s", type(error).__name__)


class _Starter:
    """The application, that starts threads when it serves its first request."""

    def __init__(self, inner: "WSGIApplication", **runs: Callable[[], None]) -> None:
        self.inner, self.runs = inner, runs
        self.lock, self.started = Lock(), False

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        with self.lock:
            if not self.started:
                self.started = True
                for name, run in self.runs.items():
                    Thread(target=run, name=name, daemon=True).start()
        return self.inner(environ, start_response)


def watch_from_first_request(app: Flask, settings: Settings) -> None:
    """Start the thread when this process serves its first request, and not before.

    Commands load the same application and never serve one. Another thread makes the
    gateways, which the start leaves out: no customer's payment waits for their SDKs,
    and a server that still runs during an upgrade has read the old ones.
    """

    def run() -> None:
        watch = Watch(settings, app.extensions["mail_renderers"])
        while True:
            time.sleep(LOOK_SECONDS)
            with app.app_context():
                watch.look(clock.utcnow())

    app.wsgi_app = _Starter(  # type: ignore[method-assign]
        app.wsgi_app, watch=run, gateways=app.extensions["portal_gateways"].make
    )
