"""What the customer is told by mail about a paid order and its attention."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import SECRET_KEY, TUESDAY_NOON
from flask import Flask
from sqlalchemy.orm import Session
from support_cases import add_order, add_staff

from portal.config import Settings
from portal.db import transaction
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.mail.rules import Mail
from portal.orders.models import Contact, Order
from portal.settings.demo_rules import DEMO_VALUES
from portal.settings.demo_service import fill_missing
from portal.settings.queries import load
from portal.support import service
from portal.support.models import Attention, AttentionEntry, AttentionNote
from portal.terms import service as terms_service
from portal.terms.queries import current

NOW = TUESDAY_NOON
PRIVATE_NUMBERS = ("office_phone", "whatsapp")


@pytest.fixture
def order(session: Session) -> Order:
    """A paid order for soporte-online, with its attention, in a set-up shop."""
    terms_service.set_up(NOW)
    with transaction() as session:
        fill_missing(session, NOW)
        terms_service.publish_in(session, actor=terms_service.SYSTEM, now=NOW)
        version = current(session)
        assert version is not None
        order = add_order(
            session, now=NOW, key=SECRET_KEY, terms_version=version.number
        )
        service.open_for_order(session, order, now=NOW)
    return order


@pytest.fixture
def render(
    app: Flask, session: Session, settings: Settings
) -> Callable[..., Mail | None]:
    def run(kind: str, order_id: int) -> Mail | None:
        row = OutboxRow(order_id=order_id, kind=kind, key="")
        context = RenderContext(session, settings, NOW, load(session))
        mail: Mail | None = app.extensions["mail_renderers"][kind](context, row)
        return mail

    return run


Render = Callable[..., Mail | None]


def set_contact(session: Session, order: Order, **values: object) -> None:
    with transaction() as writing:
        contact = writing.get_one(Contact, order.contact_id)
        for name, value in values.items():
            setattr(contact, name, value)


def test_confirmation_carries_what_the_law_asks(
    session: Session, order: Order, render: Render
) -> None:
    mail = render("order.confirmed", order.id)
    assert mail is not None
    assert mail.html is not None
    assert mail.to == "maria@example.cl"
    terms = current(session)
    assert terms is not None
    for text in (
        f"Pedido: {order.number}",
        "24-11-2026 12:00",
        "Soporte online",
        "$16.798",
        "$3.192",
        "$19.990",
        "ItplusNet Demo Ltda.",
        "76.543.210-3",
        "Avenida Demo 123",
        "Representante legal",
        "retract",
        "10 días",
        "30 días hábiles",
        "artículo 41",
        "www.sernac.cl",
        f"versión {terms.number}",
        terms.sha256,
    ):
        assert text in mail.text, text
    # Every character of the accepted text, and each of its paragraphs in the HTML.
    assert terms.body in mail.text
    assert mail.html.count("<li>") >= terms.body.count("\n- ")
    assert "Guarde este enlace" in mail.html


def test_confirmation_carries_the_terms_as_accepted_not_the_newest(
    session: Session, order: Order, render: Render
) -> None:
    accepted = current(session)
    assert accepted is not None
    owner = terms_service.SYSTEM
    terms_service.change_setting("warranty_days", 45, actor=owner, now=NOW)
    mail = render("order.confirmed", order.id)
    assert mail is not None
    assert accepted.body in mail.text
    assert f"(versión {accepted.number})" in mail.text


def test_confirmation_holds_the_secret_link_and_no_support_number(
    order: Order, render: Render, client: object
) -> None:
    mail = render("order.confirmed", order.id)
    assert mail is not None
    assert "http://localhost/atencion/" in mail.text
    numbers = [DEMO_VALUES[name] for name in PRIVATE_NUMBERS]
    for number in (*numbers, *DEMO_VALUES["special_mobiles"]):
        tail = number[-8:]
        plain = (mail.text + str(mail.html)).replace(" ", "")
        assert tail not in plain


def test_mail_is_the_same_twice(order: Order, render: Render) -> None:
    assert render("order.confirmed", order.id) == render("order.confirmed", order.id)


@pytest.mark.parametrize(
    "state", ["awaiting_payment", "expired", "cancelled", "refunded", "charged_back"]
)
def test_confirmation_is_withdrawn_unless_paid(
    session: Session, order: Order, render: Render, state: str
) -> None:
    with transaction() as writing:
        writing.get_one(Order, order.id).state = state
    assert render("order.confirmed", order.id) is None


@pytest.mark.parametrize(
    "kind", ["order.confirmed", "attention.summary", "link.resend"]
)
@pytest.mark.parametrize("values", [{"blocked": True}, {"pseudonymised_at": NOW}])
def test_blocked_person_gets_no_mail(
    session: Session,
    order: Order,
    render: Render,
    kind: str,
    values: dict[str, object],
) -> None:
    close(session, order)
    assert render(kind, order.id) is not None
    set_contact(session, order, **values)
    assert render(kind, order.id) is None


@pytest.mark.parametrize(
    "kind", ["order.confirmed", "attention.summary", "link.resend"]
)
def test_order_that_is_not_there_gets_no_mail(
    session: Session, render: Render, kind: str
) -> None:
    assert render(kind, 404) is None


def test_name_is_text_and_no_markup(
    session: Session, order: Order, render: Render
) -> None:
    set_contact(session, order, name="<b>María</b> & Cía")
    mail = render("order.confirmed", order.id)
    assert mail is not None
    assert "Hola, <b>María</b> & Cía:" in mail.text
    assert "&lt;b&gt;María&lt;/b&gt; &amp; Cía" in str(mail.html)


def close(session: Session, order: Order, **values: object) -> None:
    """Close the order's attention after 42 minutes, 10 of them paused."""
    with transaction() as writing:
        staff = add_staff(writing)
        attention = writing.query(Attention).filter_by(order_id=order.id).one()
        attention.state = "closed"
        attention.technician_id = staff.id
        attention.started_at = NOW
        attention.ends_at = NOW + timedelta(minutes=100)
        attention.closed_at = NOW + timedelta(minutes=41, seconds=30)
        attention.paused_seconds = 600
        attention.outcome = "resuelto"
        for name, value in values.items():
            setattr(attention, name, value)
        for kind, text in (("haremos", "Reindexar."), ("hecho", "Reindexada <ok>.")):
            entry = AttentionEntry(
                attention_id=attention.id,
                kind=kind,
                text=text,
                at=NOW,
                technician_id=staff.id,
            )
            writing.add(entry)
        note = AttentionNote(
            attention_id=attention.id, text="Ojo", at=NOW, technician_id=staff.id
        )
        writing.add(note)


def test_summary_tells_outcome_entries_and_minutes(
    session: Session, order: Order, render: Render
) -> None:
    close(session, order)
    mail = render("attention.summary", order.id)
    assert mail is not None
    assert "Resultado: resuelto" in mail.text
    assert "Tiempo usado: 32 de 90 minutos" in mail.text
    assert "12:00  Haremos: Reindexar.\n12:00  Hecho: Reindexada <ok>." in mail.text
    assert "Reindexada &lt;ok&gt;." in str(mail.html)
    assert "Ojo" not in mail.text + str(mail.html)


def test_summary_of_a_timed_out_attention_never_exceeds_its_time(
    session: Session, order: Order, render: Render
) -> None:
    close(session, order, closed_at=NOW + timedelta(hours=5))
    mail = render("attention.summary", order.id)
    assert mail is not None
    assert "Tiempo usado: 90 de 90 minutos" in mail.text


def test_summary_is_withdrawn_when_the_closing_was_undone(
    session: Session, order: Order, render: Render
) -> None:
    close(session, order, state="running", outcome=None, closed_at=None)
    assert render("attention.summary", order.id) is None


def test_other_service_is_told_that_we_will_coordinate(
    session: Session, order: Order, render: Render
) -> None:
    with transaction() as writing:
        other = add_order(
            writing,
            now=NOW,
            key=SECRET_KEY,
            service_slug="reinstalacion",
            terms_version=order.terms_version,
        )
    mail = render("order.confirmed", other.id)
    assert mail is not None
    assert "coordinar el día y la hora" in mail.text
    assert "90 minutos" not in mail.text.partition("LOS TÉRMINOS")[0]
