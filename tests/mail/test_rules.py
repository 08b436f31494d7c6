"""Pauses, Message-ID, headers that nobody can smuggle into."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.mail.rules import (
    Envelope,
    Mail,
    build_message,
    clean_header,
    is_file_name,
    message_id,
    needs_alert,
    parse_smtp_url,
    retry_at,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
ENVELOPE = Envelope(7, "Soporte <soporte@demo.cl>", "<outbox-7.abc@demo.cl>", NOW)


@pytest.mark.parametrize(
    ("tries", "minutes"),
    [(1, 1), (2, 2), (3, 5), (4, 15), (5, 30), (6, 60), (7, 60), (500, 60), (0, 1)],
)
def test_pauses_grow_up_to_an_hour(tries: int, minutes: int) -> None:
    assert retry_at(NOW, tries) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.cl", ("mail.cl", 25, "none", "", "")),
        ("smtps://mail.cl", ("mail.cl", 465, "tls", "", "")),
        ("smtp+starttls://mail.cl", ("mail.cl", 587, "starttls", "", "")),
        (
            "smtps://ana%40a.cl:p%3Aw%2F@mail.cl:2465",
            ("mail.cl", 2465, "tls", "ana@a.cl", "p:w/"),
        ),
    ],
)
def test_smtp_address_is_read(
    url: str, expected: tuple[str, int, str, str, str]
) -> None:
    server = parse_smtp_url(url)
    assert expected == (
        server.host,
        server.port,
        server.security,
        server.user,
        server.password,
    )


def test_message_id_is_the_row_s_own_and_stable() -> None:
    first = message_id(7, "3:a:", NOW, "Soporte <soporte@demo.cl>")
    assert first == message_id(7, "3:a:", NOW, "soporte@demo.cl")
    assert first.startswith("<outbox-7.")
    assert first.endswith("@demo.cl>")
    later = NOW + timedelta(microseconds=1)
    assert first != message_id(7, "3:a:", later, "soporte@demo.cl")
    assert first != message_id(8, "3:a:", NOW, "soporte@demo.cl")
    assert message_id(1, "", NOW, "a@ñandú.cl").endswith("@xn--and-6ma2c.cl>")


@pytest.mark.parametrize(
    "subject",
    [
        "Hola\r\nBcc: otro@x.cl",
        "Hola\nX: 1",
        "Hola\r\rX",
        "Hola\x00\x1b[2J",
        "Hola\u2028Bcc: otro@x.cl",
        "Hola \ud800",
    ],
)
def test_subject_cannot_open_another_header(subject: str) -> None:
    message = build_message(Mail("ana@x.cl", subject, "Texto"), ENVELOPE)
    raw = message.as_bytes()
    assert b"\r\nBcc" not in raw
    assert b"\r\nX:" not in raw
    assert message["To"] == "ana@x.cl"
    assert str(message["Subject"]).startswith("Hola")


def test_long_subject_is_cut() -> None:
    assert len(clean_header("á" * 500)) == 150


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ana",
        "ana@x.cl, otro@x.cl",
        "ana@x.cl\r\nBcc: otro@x.cl",
        "ana@x.cl;otro@x.cl",
        "Ana <ana@x.cl>",
        "ana@x.cl otro@x.cl",
        "ana@x..cl",
    ],
)
def test_address_must_be_exactly_one(to: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        build_message(Mail(to, "Hola", "Texto"), ENVELOPE)
    assert "otro" not in str(error.value)


def test_mail_is_the_same_at_every_try() -> None:
    mail = Mail("ana@x.cl", "Ñandú", "Línea\n" * 3 + "á" * 2000, "<p>Ñ</p>")
    first = build_message(mail, ENVELOPE).as_bytes()
    assert first == build_message(mail, ENVELOPE).as_bytes()
    assert max(map(len, first.split(b"\r\n"))) <= 998


def test_mail_carries_text_and_html() -> None:
    mail = Mail("ana@x.cl", "Hola", "Señor", "<p>Señor</p>")
    message = build_message(mail, ENVELOPE)
    parts = [part.get_content_type() for part in message.iter_parts()]
    assert parts == ["text/plain", "text/html"]
    assert message["Message-ID"] == ENVELOPE.message_id
    assert message["Auto-Submitted"] == "auto-generated"


def test_owner_hears_of_the_third_failure_and_never_of_a_failed_alert() -> None:
    assert [needs_alert("order.confirmed", tries) for tries in range(6)] == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert not needs_alert("alert.mail", 3)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("20261124T150000-00000007.eml", True),
        ("../20261124T150000-00000007.eml", False),
        ("20261124T150000-00000007.eml\n", False),
        (".20261124T150000-00000007.eml.12", False),
        ("٢0261124T150000-00000007.eml", False),
        ("clock", False),
    ],
)
def test_only_a_mail_s_name_is_a_file_name(name: str, is_one: bool) -> None:
    assert is_file_name(name) is is_one


_HOSTILE = st.text(
    st.one_of(
        st.sampled_from('\r\n\t\0\x0b\x1b\x85\u2028\u2029\ud800@:;,<>"()= ?\\'),
        st.sampled_from("abBcñÑ.Z9"),
        st.characters(),
    ),
    max_size=80,
)
_HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Language", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
}


@settings(max_examples=150, deadline=None)
@given(subject=_HOSTILE, to=st.one_of(_HOSTILE, st.just("ana@x.cl")))
def test_no_text_of_a_customer_adds_a_header_or_a_reader(subject: str, to: str) -> None:
    try:
        raw = build_message(Mail(to, subject, "Texto"), ENVELOPE).as_bytes()
    except ValueError:
        return  # it is not sent at all
    read = message_from_bytes(raw, policy=SMTP)
    assert set(read.keys()) <= _HEADERS
    assert len(read.keys()) == len(set(read.keys()))
    assert [each.addr_spec for each in read["To"].addresses] == [to]
    assert str(read.get_content()).strip() == "Texto"
