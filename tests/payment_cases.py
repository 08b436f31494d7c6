"""Orders to be paid, and attempts under way, as tests of money want them."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import warm_start
from flask import Flask
from simulator_client import BrowserReturn, SimulatorClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import utcnow
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.orders import service as order_service
from portal.orders.models import Order
from portal.orders.queries import path_of
from portal.payments import attempts, returns
from portal.payments.gateways import Gateways
from portal.payments.models import Payment
from portal.payments.rules import find_reference
from portal.support.models import Attention, Errand
from portal.terms import service as terms_service
from portal.web import settings_of

_forms = count(1)
_EMPTY = (
    "tax_rut",
    "tax_name",
    "tax_activity",
    "tax_address",
    "tax_commune",
    "address",
    "commune",
)


@dataclass
class Shop:
    """A portal with its catalogue and terms, whose gateways are the simulator's."""

    app: Flask
    session: Session

    @property
    def keys(self) -> tuple[str, ...]:
        return settings_of(self.app).secret_keys

    @property
    def gateways(self) -> Gateways:
        gateways: Gateways = self.app.extensions["portal_gateways"]
        return gateways

    def order(self, **values: object) -> Order:
        """A fresh order for online support."""
        return order_service.place(self.draft(**values), keys=self.keys, now=utcnow())

    def draft(self, **values: object) -> order_service.Draft:
        """What its form would send."""
        return order_service.Draft(
            **{  # type: ignore[arg-type]
                "service_slug": "soporte-online",
                "name": "María Soto Díaz",
                "email": "maria@example.cl",
                "phone": "+56987654321",
                "topic_slug": "error-del-programa",
                "problem": "La caja no abre desde la mañana",
                "windows_bits": "32",
                "document": "boleta",
                **dict.fromkeys(_EMPTY),
                "terms_version": 1,
                "form_key": f"form-{next(_forms)}",
                "remote_address": "127.0.0.1",
                "user_agent": "test",
                **values,
            }
        )

    def path(self, order: Order) -> str:
        return path_of(order, self.keys)

    def start(self, order: Order, gateway: str = "webpay") -> attempts.Sent:
        return attempts.start(order.id, gateway, gateways=self.gateways, now=utcnow())

    def webpay_return(self, sent: attempts.Sent) -> None:
        assert sent.token
        returns.webpay_returned(
            sent.payment_id, sent.token, gateways=self.gateways, now=utcnow()
        )

    def payment(self, payment_id: int) -> Payment:
        self.session.rollback()
        return self.session.get_one(Payment, payment_id)

    def payments(self) -> list[Payment]:
        self.session.rollback()
        return list(self.session.scalars(select(Payment).order_by(Payment.id)))

    def state(self, order: Order) -> str:
        self.session.rollback()
        return self.session.get_one(Order, order.id).state

    def counts(self) -> dict[str, int]:
        """How many attentions, errands, mails and settled history lines there are."""
        self.session.rollback()

        def number(statement: object) -> int:
            return int(self.session.scalar(statement) or 0)  # type: ignore[call-overload]

        def lines(action: str) -> int:
            where = JournalEntry.action == action
            return number(select(func.count()).select_from(JournalEntry).where(where))

        return {
            "attentions": number(select(func.count()).select_from(Attention)),
            "errands": number(select(func.count()).select_from(Errand)),
            "mails": number(select(func.count()).select_from(OutboxRow)),
            "approved": lines("payment.approved"),
            "paid": lines("order.paid"),
        }


PAID_ONCE = {"attentions": 1, "errands": 0, "mails": 1, "approved": 1, "paid": 1}


def open_shop(app: Flask, session: Session, now: datetime) -> Shop:
    """Catalogue and terms, as a new installation has them."""
    warm_start.fill(("stock", now), lambda: terms_service.set_up(now))
    session.rollback()
    return Shop(app, session)


def follow(client: object, where: BrowserReturn) -> object:
    """What the payer's browser does when the gateway sends it back."""
    path = where.url.split("://", 1)[1].split("/", 1)[1]
    if where.method == "POST":
        return client.post(  # type: ignore[attr-defined]
            f"/{path}", data=where.params, csrf=False
        )
    return client.get(f"/{path}", query_string=where.params)  # type: ignore[attr-defined]


def pay_by_webpay(
    shop: Shop, simulator: SimulatorClient, order: Order, code: str = "visa"
) -> tuple[attempts.Sent, BrowserReturn]:
    """Start at Webpay and choose an outcome on its form."""
    sent = shop.start(order)
    assert sent.token
    return sent, simulator.webpay_outcome(sent.token, code)


def preference_of(shop: Shop, sent: attempts.Sent) -> str:
    preference = shop.payment(sent.payment_id).preference_id
    assert preference
    return preference


def reference_of(shop: Shop, sent: attempts.Sent) -> str:
    """The secret reference that the gateway got."""
    payment = shop.payment(sent.payment_id)
    return find_reference(shop.keys, payment.seed, payment.reference_hash)


MP_NOTICE = "/pago/mercadopago/aviso"
MP_RETURN = "/pago/mercadopago/retorno"
MP_TS = "1742505638683"


def sign(
    data_id: str, secret: str, ts: str = MP_TS, request_id: str | None = "r1"
) -> str:
    """The `x-signature` that Mercado Pago would send for this id."""
    manifest = f"id:{data_id};"
    if request_id is not None:
        manifest += f"request-id:{request_id};"
    manifest += f"ts:{ts};"
    v1 = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    return f"ts={ts},v1={v1}"
