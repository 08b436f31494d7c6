"""One order for each face of the customer's page, written directly.

`FACES` names them by the moment of Tuesday 2026-11-24 at which they are true; `lay_out`
writes those of one moment and says where each is seen. For measuring and looking: the
rows skip the machines, so no test of rules may use them.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Staff
from portal.orders.models import Contact, Order
from portal.orders.rules import fingerprint, link_token, new_seed
from portal.payments.models import Payment, Refund
from portal.privacy.models import PrivacyRequest
from portal.privacy.rules import ACCESS, BLOCK, confirm_token
from portal.support.customer_models import (
    AttentionMessage,
    ErrandEntry,
    Rating,
    RemoteCode,
)
from portal.support.models import Attention, AttentionEntry, AttentionNote, Errand

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
# Wednesday at nine, when NIGHT is over.
OPENING = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MOMENTS = {"noon": NOON, "evening": EVENING, "night": NIGHT}
SUPPORT = ("soporte-online", "Soporte en línea")
_SERVICE = ("asistencia-terreno", "Asistencia en terreno")


@dataclass(frozen=True)
class Words:
    """What people typed."""

    name: str = "María Soto Díaz"
    email: str = "maria.soto@almacen-rosita.cl"
    problem: str = "La caja muestra «error 3021» al cobrar y no imprime la boleta."
    topic: str = "Un error en pantalla"
    technician: str = "Ana"
    entry: str = "Vamos a limpiar el error y a probar una venta de cero pesos."


LONG = Words(
    name="María José de los Ángeles Fernández-Huenchumilla Santander-Valdivieso R.",
    email="contabilidad.administracion.central@comercializadora-los-alerces-del-sur.cl",
    problem="Otorrinolaringologoelectroencefalografistaesternocleidomastoideo "
    + "no abre desde la mañana, sale un cuadro gris y se queda pegada. " * 9,
    topic="Una imagen propia en un documento y campos simples de un informe",
    entry="Revisaremos C:\\ItplusNet\\Datos\\Respaldo_2026_11_24\\indices_ventas.dbf "
    + "y después reconstruiremos los índices uno por uno. " * 5,
)

# Who fills a board: shops whose names are as long as real ones.
CROWD = tuple(
    Words(name=name, topic=topic)
    for name, topic in (
        ("María Soto Díaz", "El programa muestra un error"),
        ("Juan Pérez, Minimarket El Sol", "El programa no parte"),
        ("Botillería Don Lucho", "Problema con el isButton"),
        ("Panadería San Camilo Maipú", "Revisar la base de datos"),
        ("Rosa Huenchumilla", "Mi antivirus bloquea el programa"),
        ("Ferretería Los Aromos Ltda.", "Problema con el disco virtual"),
        ("Almacén Rosita", "Ayuda para usar el programa"),
    )
)


@dataclass
class Place:
    """Where rows are written: a database, its keys, an instant, the words."""

    session: Session
    key: str
    now: datetime
    words: Words = field(default_factory=Words)
    numbers: Any = field(default_factory=count)
    helper: int = 0

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def ahead(self, minutes: float) -> datetime:
        return self.now + timedelta(minutes=minutes)

    def technician(self) -> Staff:
        """Whoever helps: the technicians in turn by `helper`, or one made for it."""
        query = select(Staff).where(Staff.role == "technician").order_by(Staff.id)
        found = self.session.scalars(query).all()
        if found:
            return found[self.helper % len(found)]
        return self.add(
            Staff(
                name=self.words.technician,
                email="ana@example.cl",
                role="technician",
                password_hash="x",
                created_at=self.ago(600),
            )
        )


def order(place: Place, minutes: float = 2, **values: Any) -> Order:
    """A paid order of some minutes ago."""
    words, at = place.words, place.ago(minutes)
    contact = place.add(
        Contact(name=words.name, email=words.email, phone="+56987654321")
    )
    seed = new_seed()
    special = place.now == EVENING
    slug, name = values.pop("service", SUPPORT)
    return place.add(
        Order(
            **{
                "state": "paid",
                "contact_id": contact.id,
                "service_slug": slug,
                "service_name": name,
                "price": 29_990 if special else 19_990,
                "regime_kind": "special" if special else "normal",
                "regime_decision": {},
                "topic_slug": "error-del-programa",
                "topic_title": words.topic,
                "problem": words.problem,
                "windows_bits": "32",
                "terms_version": 1,
                "form_key": secrets.token_hex(8),
                "link_seed": seed,
                "link_hash": fingerprint(link_token(place.key, seed)),
                "created_at": at,
                "expires_at": at + timedelta(minutes=30),
                "paid_at": at,
                **values,
            }
        )
    )


def unpaid(place: Place, **values: Any) -> Order:
    return order(place, **{"state": "awaiting_payment", "paid_at": None, **values})


_VISA = {
    "authorization_code": "1213",
    "payment_type": "VN",
    "installments": 0,
    "card_last4": "6623",
}


def payment(place: Place, bought: Order, state: str, **values: Any) -> Payment:
    """An attempt by Webpay that nobody will ask about again."""
    return place.add(
        Payment(
            **{
                "order_id": bought.id,
                "gateway": "webpay",
                "state": state,
                "amount": bought.price,
                "buy_order": secrets.token_hex(13),
                "seed": secrets.token_hex(16),
                "reference_hash": secrets.token_hex(32),
                "created_at": bought.created_at,
                "redirected_at": bought.created_at,
                **values,
            }
        )
    )


def paid(place: Place, bought: Order, **values: Any) -> Payment:
    return payment(
        place,
        bought,
        **{
            "state": "approved",
            "disposition": "applied",
            "approved_at": bought.paid_at,
            "evidence": _VISA,
            **values,
        },
    )


def attention(place: Place, state: str, minutes: float = 2, **values: Any) -> Order:
    """A paid order with its attention in this state, entered `minutes` ago."""
    bought = order(place, minutes)
    paid(place, bought)
    normal = place.now == NOON
    held = state in ("taken", "running", "paused", "timed_out", "closed")
    regime = {NOON: "normal", EVENING: "special"}.get(place.now, "closed")
    place.add(
        Attention(
            **{
                "order_id": bought.id,
                "state": state,
                "regime_kind": regime,
                "queued_at": place.ago(minutes),
                "promise_at": place.ago(minutes - 10) if normal else None,
                "technician_id": place.technician().id if held else None,
                "taken_at": place.ago(minutes - 1) if held else None,
                "changed_at": place.ago(0),
                **values,
            }
        )
    )
    return bought


def running(place: Place, left: float, state: str = "running", **values: Any) -> Order:
    """An attention with `left` of its minutes, and its log."""
    since = 90 - left
    bought = attention(
        place,
        state,
        since + 6,
        contacted_at=place.ago(since + 1),
        started_at=place.ago(since),
        ends_at=place.ahead(left),
        **values,
    )
    if since:
        log(place, bought, since)
    return bought


def _attention_of(place: Place, bought: Order) -> Attention:
    query = select(Attention).where(Attention.order_id == bought.id)
    return place.session.scalars(query).one()


def log(place: Place, bought: Order, since: float) -> None:
    """What the customer was told, and a note that they must never see."""
    row = _attention_of(place, bought)
    who = place.technician().id
    told = (("haremos", place.words.entry, 0.9), ("hecho", "Listo y probado.", 0.3))
    for kind, text, share in told:
        at = place.ago(since * share)
        place.add(
            AttentionEntry(
                attention_id=row.id, kind=kind, text=text, at=at, technician_id=who
            )
        )
    place.add(
        AttentionNote(
            attention_id=row.id, text="Ojo.", at=place.ago(1), technician_id=who
        )
    )


def closed(place: Place, outcome: str) -> Order:
    return running(
        place, 40, "closed", closed_at=place.ago(0.5), outcome=outcome, version=9
    )


def errand(place: Place, state: str) -> Order:
    bought = order(
        place,
        service=_SERVICE,
        topic_slug=None,
        topic_title="",
        price=45_000,
        address="Av. Irarrázaval 1234, local 5",
        commune="Ñuñoa",
    )
    paid(place, bought)
    place.add(
        Errand(
            order_id=bought.id,
            state=state,
            opened_at=place.ago(2),
            changed_at=place.ago(1),
            scheduled_for=place.ahead(1500) if state == "scheduled" else None,
            done_at=place.ago(1) if state == "done" else None,
        )
    )
    return bought


def _told(place: Place) -> Order:
    """Taken, and the customer has written and given the remote code."""
    bought = attention(place, "taken")
    row = _attention_of(place, bought)
    words, at = place.words, place.ago(1)
    place.add(AttentionMessage(attention_id=row.id, text=words.problem[:500], at=at))
    place.add(
        RemoteCode(attention_id=row.id, remote_code="sellado", consented_at=at, at=at)
    )
    return bought


def _rated(place: Place) -> Order:
    bought = closed(place, "resuelto")
    row, words = _attention_of(place, bought), place.words
    place.add(
        Rating(attention_id=row.id, stars=5, comment=words.entry, at=place.ago(0))
    )
    return bought


def _by_transfer(place: Place) -> Order:
    """Opened by the owner by hand."""
    bought = attention(place, "waiting")
    query = select(Payment).where(Payment.order_id == bought.id)
    money = place.session.scalars(query).one()
    money.gateway, money.evidence = "manual", None
    return bought


def _called_off(place: Place) -> Order:
    """An errand that the owner cancelled: its money is asked back on the page."""
    bought = errand(place, "cancelled")
    row = place.session.scalars(
        select(Errand).where(Errand.order_id == bought.id)
    ).one()
    place.add(
        ErrandEntry(
            errand_id=row.id,
            kind="anulado",
            text=place.words.entry,
            at=place.ago(1),
            staff_id=place.technician().id,
        )
    )
    return bought


def _rejected_twice(place: Place) -> Order:
    bought = _with_attempt(place, "rejected")
    payment(place, bought, "rejected")
    return bought


def _refund(place: Place, state: str) -> Order:
    bought = attention(place, "cancelled")
    query = select(Payment).where(Payment.order_id == bought.id)
    money = place.session.scalars(query).one()
    if state == "confirmed":
        bought.state = money.state = "refunded"
        money.refunded_amount = money.amount
    place.add(
        Refund(
            payment_id=money.id,
            order_id=bought.id,
            state=state,
            source="customer",
            amount=money.amount,
            idempotency_key=secrets.token_hex(16),
            requested_at=place.ago(1),
        )
    )
    return bought


def _with_attempt(place: Place, state: str, **values: Any) -> Order:
    bought = unpaid(place)
    payment(place, bought, state, **values)
    return bought


def _late(place: Place) -> Order:
    bought = order(place, 45, state="expired", paid_at=None)
    paid(place, bought, disposition="late", approved_at=place.ago(3))
    return bought


def _charged_back(place: Place) -> Order:
    bought = closed(place, "resuelto")
    bought.state = "charged_back"
    return bought


def _factura(place: Place) -> Order:
    return unpaid(
        place,
        document="factura",
        tax_rut="765432103",
        tax_name=f"Comercial {place.words.name}"[:100],
        tax_activity="Venta al por menor en almacenes",
        tax_address="Los Aromos 12, oficina 304",
        tax_commune="Ñuñoa",
    )


Builder = Callable[[Place], Order]
_NOON: dict[str, Builder] = {
    "revision": unpaid,
    "revision-factura": _factura,
    "revision-rechazado": lambda p: _with_attempt(p, "rejected"),
    "revision-rechazado-dos-veces": _rejected_twice,
    "revision-anulada": lambda p: _with_attempt(p, "aborted", detail="aborted"),
    "revision-sin-tiempo": lambda p: _with_attempt(p, "timed_out"),
    "revision-abierta": lambda p: _with_attempt(p, "redirected"),
    "revision-pasarela-caida": lambda p: _with_attempt(p, "failed", redirected_at=None),
    "revision-otro-precio": lambda p: unpaid(p, price=29_990, regime_kind="special"),
    "verificando": lambda p: _with_attempt(p, "committing"),
    "espera": lambda p: attention(p, "waiting"),
    "espera-atrasada": lambda p: attention(p, "waiting", 14),
    "espera-llamado": lambda p: attention(p, "waiting", contacted_at=p.ago(1)),
    "espera-transferencia": _by_transfer,
    "tomado": lambda p: attention(p, "taken"),
    "tomado-con-mensaje": _told,
    "diferido-abierto": lambda p: attention(p, "deferred", 900),
    "reloj-inicio": lambda p: running(p, 90),
    "reloj-en-curso": lambda p: running(p, 47),
    "reloj-15": lambda p: running(p, 14),
    "reloj-5": lambda p: running(p, 4.5),
    "reloj-pausa": lambda p: running(p, 40, "paused", paused_at=p.ago(3)),
    "reloj-cumplido": lambda p: running(p, -1, "timed_out"),
    "cierre-resuelto": lambda p: closed(p, "resuelto"),
    "cierre-parcial": lambda p: closed(p, "parcial"),
    "cierre-no-resuelto": lambda p: closed(p, "no resuelto"),
    "cierre-calificado": _rated,
    "ausente": lambda p: attention(p, "no_show", 20),
    "encargo": lambda p: errand(p, "open"),
    "encargo-agendado": lambda p: errand(p, "scheduled"),
    "encargo-hecho": lambda p: errand(p, "done"),
    "encargo-anulado": _called_off,
    "vencido": lambda p: order(p, 45, state="expired", paid_at=None),
    "anulado": lambda p: unpaid(p, state="cancelled"),
    "fuera-de-plazo": _late,
    "devolviendo": lambda p: _refund(p, "requested"),
    "devolucion-enviada": lambda p: _refund(p, "sent"),
    "devolucion-rechazada": lambda p: _refund(p, "rejected"),
    "devuelto": lambda p: _refund(p, "confirmed"),
    "contracargo": _charged_back,
}
_EVENING: dict[str, Builder] = {
    "especial-revision": unpaid,
    "especial-espera": lambda p: attention(p, "waiting"),
    "especial-espera-larga": lambda p: attention(p, "waiting", 7),
    "especial-no-contestan": lambda p: attention(
        p, "waiting", 7, no_answer_at=p.ago(1)
    ),
    "especial-tomado": lambda p: attention(p, "taken"),
    "especial-reloj": lambda p: running(p, 47),
}
_NIGHT: dict[str, Builder] = {
    "cerrado-revision": unpaid,
    "cerrado-diferido": lambda p: attention(p, "deferred"),
    "cerrado-elegido": lambda p: attention(p, "deferred", deferred_to=OPENING),
    "cerrado-encargo": lambda p: errand(p, "open"),
    "cerrado-reloj": lambda p: running(p, 20),
}
FACES = {"noon": _NOON, "evening": _EVENING, "night": _NIGHT}


def lay_out(
    session: Session, key: str, moment: str, words: Words | None = None
) -> dict[str, str]:
    """Write every face of the moment and commit; name of the face -> path."""
    place = Place(session, key, MOMENTS[moment], words or Words())
    made = {name: build(place) for name, build in FACES[moment].items()}
    paths = {
        name: f"/atencion/{link_token(key, row.link_seed)}"
        for name, row in made.items()
    }
    session.commit()
    return paths


def _asked(place: Place, state: str, kind: str = ACCESS, **values: Any) -> str:
    """A request over personal data in this state; the path of its mailed link."""
    seed, words = new_seed(), place.words
    place.add(
        PrivacyRequest(
            **{
                "state": state,
                "kind": kind,
                "name": words.name[:80],
                "email": words.email,
                "text": words.problem[:500],
                "seed": seed,
                "token_hash": fingerprint(confirm_token(place.key, seed)),
                "created_at": place.ago(60),
                "confirm_until": place.ahead(1380),
                "due_on": date(2026, 12, 24),
                **values,
            }
        )
    )
    return f"/privacidad/solicitud/{confirm_token(place.key, seed)}"


def lay_out_requests(
    session: Session, key: str, words: Words | None = None
) -> dict[str, str]:
    """Every face of a request over personal data, at noon; name -> path."""
    place = Place(session, key, NOON, words or Words())
    paths = {
        "solicitud-por-confirmar": _asked(place, "unverified"),
        "solicitud-vencida": _asked(place, "unverified", confirm_until=place.ago(1)),
        "solicitud-recibida": _asked(place, "open", confirmed_at=place.ago(50)),
        "solicitud-bloqueo": _asked(place, "open", BLOCK, confirmed_at=place.ago(50)),
        "solicitud-respondida": _asked(
            place, "answered", answered_at=place.ago(1), answer=place.words.entry
        ),
    }
    session.commit()
    return paths


def fill_board(
    session: Session, key: str, cards: int, words: Words | None = None
) -> None:
    """As many attentions as a board shows on its worst day, in every state."""
    crowd = CROWD if words is None else (words,)
    place = Place(session, key, NOON, crowd[0])
    builders = (
        lambda p, n: attention(p, "waiting", n),
        lambda p, n: running(p, 90 - 4 * n),
        lambda p, n: attention(p, "waiting", 9 + n),
        lambda p, n: attention(p, "taken", n),
        lambda p, n: running(p, 15 - n / 2),
    )
    for number in range(cards):
        place.words = crowd[number % len(crowd)]
        # The first technician, who looks, holds one.
        place.helper = 0 if number == 1 else 1 + number % 2
        builders[number % len(builders)](place, number)
    session.commit()


def clear_board(session: Session) -> None:
    """Take every attention off the board."""
    session.query(Attention).update({"state": "cancelled"})
    session.commit()
