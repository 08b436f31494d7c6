"""The demo's page of mails."""

from pathlib import Path

import pytest
from conftest import TUESDAY_NOON
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.db import transaction
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.mail.queries import list_files
from portal.mail.rules import Mail
from portal.mail.service import enqueue, send_due


def send(settings: Settings, *texts: str) -> None:
    with transaction() as session:
        for number, _text in enumerate(texts):
            enqueue(session, kind="test.mail", key=str(number), now=TUESDAY_NOON)

    def write(_context: RenderContext, row: OutboxRow) -> Mail:
        return Mail("ana@x.cl", f"Correo {row.key}", texts[int(row.key)], "<p>x</p>")

    send_due({"test.mail": write}, settings, now=TUESDAY_NOON)


def test_empty_folder_says_so(client: FlaskClient) -> None:
    response = client.get("/demo/correos")
    assert response.status_code == 200
    assert "Todavía no hay correos" in response.text


def test_mails_are_listed_newest_first_and_shown(
    session: Session, client: FlaskClient, settings: Settings
) -> None:
    send(settings, "Señora Ñandú", "Vea http://localhost/atencion/abc <script>")
    names = [file.name for file in list_files(settings.mail_dir)]
    assert len(names) == 2
    listed = client.get("/demo/correos").text
    assert listed.index(names[0]) < listed.index(names[1])
    shown = client.get(f"/demo/correos/{names[0]}")
    assert shown.status_code == 200
    assert "Correo 1" in shown.text
    assert "&lt;script&gt;" in shown.text
    assert 'href="http://localhost/atencion/abc"' in shown.text
    assert "Señora Ñandú" in client.get(f"/demo/correos/{names[1]}").text


@pytest.mark.parametrize(
    "name",
    [
        "..%2Fclock",
        "%2e%2e%2fdemo-secret-key",
        "20261124T150000-00000099.eml",
        "20261124T150000-00000001.eml%00",
        ".hidden",
        "x" * 300,
    ],
)
def test_no_other_file_is_shown(
    client: FlaskClient, settings: Settings, name: str
) -> None:
    settings.mail_dir.mkdir()
    (Path(settings.mail_dir) / ".hidden").write_text("secret")
    response = client.get(f"/demo/correos/{name}")
    assert response.status_code == 404
    assert "secret" not in response.text
