"""A person's data corrected, blocked, forgotten; what law and accounts need stays."""

from dataclasses import asdict

import pytest
from flask.testing import FlaskClient
from owner_forms import error_of, inside, read, text_of
from privacy_cases import Office
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from support_cases import add_attention, add_order, add_staff, log_in_as, person

from portal.accounts.rules import Person
from portal.audit.queries import broken_invariants
from portal.db import db, transaction
from portal.journal.models import VIEW_ACTIONS, JournalEntry
from portal.journal.service import SYSTEM, Actor
from portal.mail.models import OutboxRow
from portal.mail.service import enqueue
from portal.orders import notes_service
from portal.orders.draft_rules import Draft
from portal.orders.models import Contact, Order
from portal.orders.queries import path_of
from portal.payments import manual
from portal.payments.models import Payment
from portal.privacy import persons_service, rules
from portal.privacy.queries import VIEWS
from portal.reports.queries import read_month
from portal.reports.rules import Month
from portal.settings import service as settings_service
from portal.support import customer_service, service
from portal.support.models import Attention
from portal.support.person_service import MAX_CORRECTIONS

NAME, MAIL, PHONE = "María Soto", "maria@example.cl", "+56987654321"
SAID = "palabras-del-cliente"
NOVEMBER = Month(2026, 11)


@pytest.fixture
def ana(office: Office) -> Person:
    with office.app.app_context(), transaction() as session:
        return person(add_staff(session))


def buy(office: Office, **values: object) -> int:
    """A paid order with its whole history: a factura, whose attention waits."""
    tax = {
        "tax_rut": "765432103",
        "tax_name": "Comercial Rosita",
        "tax_activity": "Almacén",
        "tax_address": "Calle 1",
        "tax_commune": "Macul",
    }
    draft = Draft(
        **{  # type: ignore[arg-type]
            "service_slug": "soporte-online",
            "name": NAME,
            "email": MAIL,
            "phone": PHONE,
            "topic_slug": "error-del-programa",
            "problem": f"La caja no abre: {SAID}",
            "windows_bits": "32",
            "document": "factura",
            "address": None,
            "commune": None,
            "terms_version": 1,
            "form_key": f"form-{values}",
            "remote_address": "",
            "user_agent": "",
            **tax,
            **values,
        }
    )
    with office.app.app_context():
        return manual.open_by_hand(
            draft,
            manual.TRANSFER,
            19_990,
            reason="Transferencia",
            actor=Actor("staff", office.owner_id),
            keys=office.settings.secret_keys,
            now=office.clock.now,
        )


def attend(office: Office, order_id: int, by: Person) -> None:
    """From the queue to the end, with words of everybody."""
    now = office.clock.now
    with office.app.app_context():
        attention = inside_id(office, order_id)
        customer_service.send_message(order_id, SAID, now=now)
        notes_service.add(order_id, SAID, author_id=office.owner_id, now=now)
        service.take(attention, by=by, now=now)
        service.add_note(attention, SAID, by=by, now=now)
        service.start(attention, by=by, now=now)
        service.add_entry(attention, "hecho", f"Listo, {SAID}", by=by, now=now)
        now = office.clock.advance(minutes=20)
        service.close(attention, "resuelto", "", by=by, now=now)
        customer_service.rate(order_id, 5, SAID, now=now)


def inside_id(office: Office, order_id: int) -> int:
    query = select(Attention.id).where(Attention.order_id == order_id)
    return inside(office.app, lambda session: session.scalars(query).one())


def path(office: Office, order_id: int) -> str:
    keys = office.settings.secret_keys
    return inside(
        office.app, lambda session: path_of(session.get_one(Order, order_id), keys)
    )


def stored(session: Session) -> str:
    """Everything that the database holds, as text."""
    tables = Order.metadata.sorted_tables
    rows = [
        str(tuple(row)) for table in tables for row in session.execute(select(table))
    ]
    return "\n".join(rows)


# Correcting ------------------------------------------------------------


def test_customer_corrects_the_own_data_and_desk_and_mails_follow(
    office: Office, client: FlaskClient, ana: Person
) -> None:
    order_id = buy(office)
    page = path(office, order_id) + "/datos"
    old = office.last_mail_to(MAIL)
    board = log_in_as(office.app, ana.id)
    shown = read(board.get("/tablero")).select_one("#tablero")
    assert shown
    poll = str(shown["hx-get"])
    assert board.get(poll).status_code == 204
    wrong = client.post(page, data={"name": "", "phone": "12", "email": "x"})
    assert wrong.status_code == 422
    assert error_of(wrong, "name") == "Escriba su nombre."
    assert "Revise el correo" in error_of(wrong, "email")
    assert error_of(wrong, "phone")
    new = {"name": "María Díaz", "phone": "9 6123 4567", "email": "mdiaz@example.cl"}
    assert client.post(page, data=new).status_code == 303
    said = client.get(f"{page}?formato=json").json
    assert said is not None
    assert said["Sus datos"][0]["Teléfono"] == "+56 9 6123 4567"
    assert said["Su pedido"][0]["RUT de la factura"] == "76.543.210-3"
    assert office.last_mail_to("mdiaz@example.cl").subject == old.subject
    fresh = board.get(poll)
    assert fresh.status_code == 200
    assert "María Díaz" in fresh.text
    lines = inside(
        office.app,
        lambda session: [
            dict(line.data)
            for line in session.scalars(select(JournalEntry))
            if line.action == "contact.corrected"
        ],
    )
    assert lines == [{"fields": ["email", "name", "phone"]}]


def test_link_in_wrong_hands_cannot_mail_the_world(
    office: Office, client: FlaskClient
) -> None:
    page = path(office, buy(office)) + "/datos"
    data = {"name": NAME, "phone": PHONE}
    codes = [
        client.post(page, data={**data, "email": f"a{n}@example.cl"}).status_code
        for n in range(MAX_CORRECTIONS + 1)
    ]
    assert codes == [303] * MAX_CORRECTIONS + [422]


# Blocking --------------------------------------------------------------


def test_block_is_honoured_by_mails_pages_and_files(
    office: Office, client: FlaskClient, owner: FlaskClient, ana: Person
) -> None:
    order_id = buy(office)
    attention = inside_id(office, order_id)
    with office.app.app_context():
        customer_service.send_message(order_id, SAID, now=office.clock.now)
        notes_service.add(
            order_id, SAID, author_id=office.owner_id, now=office.clock.now
        )
    technician = log_in_as(office.app, ana.id)
    number = 1000 + order_id
    pages = (
        (technician, "/tablero"),
        (technician, f"/tablero/{attention}/historial"),
        (owner, f"/administrar/pedidos/{number}"),
        (owner, "/administrar/pedidos?q=" + str(number)),
        (owner, f"/administrar/datos/personas/{number}"),
        (owner, "/informes/2026-11.csv"),
    )
    # Seen before, so that the test can fail.
    assert all(NAME in browser.get(page).text for browser, page in pages[:5])
    assert SAID in technician.get("/tablero").text
    assert NAME in owner.get(f"/administrar/pedidos?q={MAIL}").text
    block = asked_as_maria(office, client)
    before = len(office.mails())
    for browser, page in pages:
        shown = browser.get(page).text
        for word in (NAME, MAIL, PHONE, "8765 4321", SAID, "Comercial Rosita"):
            assert word not in shown, (page, word)
    assert "Datos bloqueados" in technician.get("/tablero").text
    assert "Ningún pedido calza" in owner.get(f"/administrar/pedidos?q={MAIL}").text
    with office.app.app_context(), transaction() as session:
        for kind, key in (("link.resend", "again"), ("order.confirmed", "again")):
            enqueue(
                session, kind=kind, order_id=order_id, key=key, now=office.clock.now
            )
    assert len(office.mails()) == before
    states = inside(
        office.app,
        lambda session: {
            row.state
            for row in session.scalars(select(OutboxRow))
            if row.key == "again"
        },
    )
    assert states == {"withdrawn"}
    # The answer to the request itself still goes out; refused, the block is lifted.
    answer = {"decision": "no", "text": "No procede, porque usted tiene una atención."}
    where = f"/administrar/datos/solicitudes/{block}/responder"
    assert owner.post(where, data=answer).status_code == 303
    assert "No procede" in office.last_mail_to(MAIL.upper()).text
    assert NAME in technician.get("/tablero").text


def asked_as_maria(office: Office, client: FlaskClient) -> int:
    office.ask(client, rules.BLOCK, email=MAIL.upper())
    link = (
        office.last_mail_to(MAIL.upper()).text.split("http://localhost")[1].split()[0]
    )
    assert client.post(link).status_code == 303
    return office.request().id


def test_mails_that_waited_when_the_block_came_hold_no_person(
    office: Office, owner: FlaskClient
) -> None:
    with office.app.app_context():
        on_call = {"on_call_normal": ["turno@demo.cl"]}
        settings_service.change(on_call, actor=SYSTEM, now=office.clock.now)
    order_id = buy(office)
    owner.post(f"/administrar/datos/personas/{1000 + order_id}/bloquear")
    sent = {mail.to: mail.text for mail in office.mails()}
    assert MAIL not in sent
    assert "Datos bloqueados" in sent["turno@demo.cl"]
    assert NAME not in "".join(sent.values())


def test_owner_blocks_and_unblocks_every_order_of_the_person(
    office: Office, owner: FlaskClient
) -> None:
    first = buy(office)
    buy(office, email=MAIL.upper())
    buy(office, email="otra@example.cl")

    def blocked() -> list[bool]:
        return inside(
            office.app,
            lambda session: [
                contact.blocked
                for contact in session.scalars(select(Contact).order_by(Contact.id))
            ],
        )

    page = f"/administrar/datos/personas/{1000 + first}"
    assert owner.post(f"{page}/bloquear").status_code == 303
    assert blocked() == [True, True, False]
    assert owner.post(f"{page}/desbloquear").status_code == 303
    assert blocked() == [False, False, False]


def test_a_person_of_many_orders_is_read_as_one_of_few(
    office: Office, owner: FlaskClient
) -> None:
    """Whoever fills forms with another's address makes the owner wait for nothing."""
    seen: list[str] = []
    with office.app.app_context():
        event.listen(
            db.engine,
            "before_cursor_execute",
            lambda _c, _k, statement, *_: seen.append(statement),
        )
    counts = []
    for more in (2, 10):
        orders = [buy(office, name=f"María {number}") for number in range(more)]
        seen.clear()
        page = f"/administrar/datos/personas/{1000 + orders[0]}"
        assert owner.post(f"{page}/bloquear").status_code == 303
        counts.append(len([it for it in seen if it.startswith(("SELECT", "UPDATE"))]))
        assert owner.post(f"{page}/desbloquear").status_code == 303
    assert counts[0] == counts[1]


# Forgetting ------------------------------------------------------------


def test_an_expired_order_waits_for_the_payment_that_was_tried(
    office: Office, owner: FlaskClient
) -> None:
    """Its gateway may still say that it was paid; of the other nobody can."""
    now = office.clock.now
    with office.app.app_context(), transaction() as session:
        tried, untried = (
            add_order(session, now=now, state="expired", paid_at=None) for _ in range(2)
        )
        payment = {"gateway": "webpay", "state": "unknown", "amount": tried.price}
        names = {"buy_order": "B1", "seed": "s1", "reference_hash": "r1"}
        times = {"created_at": now, "redirected_at": now}
        session.add(Payment(order_id=tried.id, **payment, **names, **times))
        numbers = [tried.number, untried.number]
    rows = read(owner.get(f"/administrar/datos/personas/{numbers[0]}")).select(
        "tbody tr"
    )
    told = {row.select("td")[0].text: row.select("td")[2].text for row in rows}
    assert [told[number] for number in numbers] == [
        "Tiene un pago por resolver.",
        "Se borra ahora",
    ]


@pytest.mark.postgres
def test_erasing_forgets_the_person_and_keeps_what_law_needs(
    office: Office, client: FlaskClient, owner: FlaskClient, ana: Person
) -> None:
    order_id = buy(office)
    page = f"/administrar/datos/personas/{1000 + order_id}"
    assert "Su atención no ha terminado." in owner.get(page).text
    assert owner.post(f"{page}/borrar", data={"sure": "1"}).status_code == 422
    attend(office, order_id, ana)
    assert "acaba de terminar" in owner.get(page).text  # it may still be undone
    office.clock.advance(seconds=10)
    office.mails()
    link = path(office, order_id)
    month = inside(office.app, lambda session: figures(session, office))
    shown = text_of(owner.get(page))
    assert "24-11-2032 , con los datos de la factura" in shown
    assert owner.post(f"{page}/borrar").status_code == 422
    assert inside(office.app, lambda session: SAID in stored(session))
    assert owner.post(f"{page}/borrar", data={"sure": "1"}).status_code == 303
    kept = inside(office.app, stored)
    for word in (NAME, MAIL, PHONE, SAID):
        assert word not in kept, word
    assert "Comercial Rosita" in kept
    assert client.get(link).status_code == 404
    assert "se borraron el" in owner.get(page).text
    assert "Datos borrados" in owner.get(f"/administrar/pedidos/{1000 + order_id}").text
    assert owner.post(f"{page}/borrar", data={"sure": "1"}).status_code == 422
    assert inside(office.app, broken_invariants) == []
    assert inside(office.app, lambda session: figures(session, office)) == month


def figures(session: Session, office: Office) -> str:
    """The month, to the peso and the minute; how many it may not name differs."""
    found = asdict(read_month(session, NOVEMBER, office.clock.now))
    found.pop("unlisted")
    return repr(found)


def test_erasing_takes_the_orders_that_are_over_and_leaves_the_others(
    office: Office, ana: Person
) -> None:
    over, living = buy(office), buy(office, phone="+56911112222")
    attend(office, over, ana)
    office.clock.advance(minutes=1)
    who = Person(office.owner_id, "Elena", "owner")
    with office.app.app_context():
        keys = office.settings.secret_keys
        now = office.clock.now
        assert persons_service.erase(living, by=who, keys=keys, now=now) == 1
    names = inside(
        office.app,
        lambda session: {
            order.id: session.get_one(Contact, order.contact_id).name
            for order in session.scalars(select(Order))
        },
    )
    assert names == {over: "", living: NAME}


# Who looked ------------------------------------------------------------


def test_every_act_that_the_index_of_views_holds_has_its_words() -> None:
    assert set(VIEWS) == set(VIEW_ACTIONS)


def test_owner_reads_who_opened_whose_data(
    office: Office, owner: FlaskClient, ana: Person
) -> None:
    with office.app.app_context(), transaction() as session:
        attention = add_attention(session, now=office.clock.now)
        order_id, number = attention.order_id, attention.id
    assert "Nadie miró datos aquí" in owner.get("/administrar/datos/consultas").text
    log_in_as(office.app, ana.id).get(f"/tablero/{number}/historial")
    page = f"/administrar/datos/consultas?pedido={1000 + order_id}"
    assert "Ana Leyó el historial del cliente" in text_of(owner.get(page))
    assert "Nadie miró" in owner.get("/administrar/datos/consultas?pedido=1999").text
    assert (
        "Escriba el número" in owner.get("/administrar/datos/consultas?pedido=x").text
    )
    story = text_of(owner.get(f"/administrar/pedidos/{1000 + order_id}"))
    assert "Leyó el historial del cliente" in story
