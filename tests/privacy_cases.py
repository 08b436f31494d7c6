"""Requests over personal data, as tests of that part want them."""

import re
from dataclasses import dataclass

from conftest import FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.config import Settings
from portal.db import db
from portal.mail import service as mail_service
from portal.mail.queries import MailFile, list_files
from portal.privacy.models import PrivacyRequest

ASK = "/privacidad/solicitud"
PERSON = {"name": "Rosa Parra", "email": "rosa@example.cl"}


@dataclass(frozen=True)
class Office:
    """The portal, its clock, and its owner."""

    app: Flask
    clock: FrozenClock
    settings: Settings
    owner_id: int
    owner_email: str

    def mails(self) -> list[MailFile]:
        """Send what is due; every mail so far, oldest first."""
        renderers = self.app.extensions["mail_renderers"]
        with self.app.app_context():
            mail_service.send_due(renderers, self.settings, now=self.clock.now)
        return sorted(
            list_files(self.settings.mail_dir), key=lambda mail: mail.name[17:]
        )

    def last_mail_to(self, address: str) -> MailFile:
        return [mail for mail in self.mails() if mail.to == address][-1]

    def request(self) -> PrivacyRequest:
        """The newest request, as it is now."""
        with self.app.app_context():
            newest = select(PrivacyRequest).order_by(PrivacyRequest.id.desc())
            return db.session().scalars(newest.limit(1)).one()

    def ask(self, client: FlaskClient, kind: str, **changes: str) -> TestResponse:
        data = {"kind": kind, "text": "Quiero saber qué tienen.", **PERSON, **changes}
        return client.post(ASK, data=data)

    def link(self) -> str:
        """The path of the link in the last mail to Rosa."""
        text = self.last_mail_to(PERSON["email"]).text
        found = re.search(r"/privacidad/solicitud/[\w-]{22}", text)
        assert found, text
        return found[0]

    def asked(self, client: FlaskClient, kind: str, **changes: str) -> PrivacyRequest:
        """A request, confirmed by its link."""
        assert self.ask(client, kind, **changes).status_code == 200
        assert client.post(self.link()).status_code == 303
        return self.request()
