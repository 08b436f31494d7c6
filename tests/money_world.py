"""A portal, both gateways and a clock in one process, for histories of money.

Every act goes through the real SDKs to the real simulator, and returns and
notifications through the portal's real views. Any answer of 500 or more is a failure.
"""

import hashlib
import hmac
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import money_judge as judge
from direct_gateways import URL, Killed, Wire, wired
from flask import Flask
from flask_migrate import stamp
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.orm import Session

from portal import clock as portal_clock
from portal import create_app
from portal.audit.queries import broken_invariants
from portal.config import Settings, load_settings
from portal.db import db, transaction
from portal.errors import PortalError
from portal.orders import service as order_service
from portal.orders.queries import get as get_order
from portal.orders.queries import path_of
from portal.payments import attempts, notifications, reconcile, refunds
from portal.payments.models import Payment
from portal.simulator import control, create_simulator, webpay_bank
from portal.simulator import mercadopago_account as account
from portal.simulator.browser import BrowserReturn
from portal.simulator.faults import Fault
from portal.simulator.gateway import Gateway
from portal.terms import service as terms_service

# Tuesday, 12:00 in Santiago.
NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECRET_KEY = "test-secret-key-0123456789abcdefghijklmnop"
MARKS = ("Marta Retamal", "marta.retamal@almacen.cl", "987651234", "no abre la caja")
_forms = count(1)
# Of so many restarts of a world one builds its application anew.
REBUILT = 8


class _Compiled(BytecodeCache):
    """Templates stay compiled when the portal starts again."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@dataclass(frozen=True)
class Bought:
    """An order as its customer holds it."""

    id: int
    path: str


@dataclass(frozen=True)
class Snapshot:
    """One moment of a world."""

    portal: bytes
    gateways: bytes
    now: datetime
    history: list[tuple[Any, ...]]


class World:
    """One shop. `reset` gives an empty one; `close` ends it."""

    def __init__(
        self, folder: Path, database_url: str = "", fresh: Callable[[], None] = str
    ) -> None:
        """On SQLite in `folder`; else on `database_url`, which `fresh` makes new."""
        self.folder = folder
        self.database = folder / "portal.sqlite3"
        self._fresh = fresh if database_url else self._copy_template
        self._stack = self._enter()
        next(self._stack)
        url = database_url or f"sqlite:///{self.database}"
        self.settings = world_settings(url, folder)
        self.simulator = create_simulator(self.settings)
        self.gateway: Gateway = self.simulator.extensions["gateway_simulator"]
        self.wire = Wire(self.simulator)
        self.requests = 0
        if not database_url:
            self._make_template()
        self._compiled = _Compiled()
        self._restarts = 0
        self.app = self._new_app()
        self.reset()

    def _new_app(self) -> Flask:
        app = create_app(self.settings)
        app.jinja_env.bytecode_cache = self._compiled
        return app

    def _enter(self) -> Iterator[None]:
        """The patches of this world, undone by `close`."""
        self.now = NOON
        moved = portal_clock._clock
        with (
            mock.patch.object(moved, "file", None),
            mock.patch.object(moved, "now", self._read_clock),
            mock.patch("portal.payments.returns._WAIT_SECONDS", 0.0),
            mock.patch("portal.payments.attempts._WAIT_SECONDS", 0.0),
            wired(lambda request: self.wire.send(request)),
        ):
            yield

    def _read_clock(self) -> datetime:
        return self.now

    def _make_template(self) -> None:
        prepare_database(self.settings)
        shutil.copyfile(self.database, self.folder / "template.sqlite3")

    def _copy_template(self) -> None:
        for end in ("-wal", "-shm"):
            self.database.with_name(self.database.name + end).unlink(missing_ok=True)
        shutil.copyfile(self.folder / "template.sqlite3", self.database)

    def reset(self) -> None:
        """An empty shop at Tuesday noon, and gateways that know of nothing."""
        self._dispose()
        self._fresh()
        self.gateway.faults.clear()
        with self.gateway.store.writing() as written:
            written.clear()
        self.now = NOON
        self.wire.kill_at = None
        self.client = self.app.test_client()
        self.history: list[tuple[Any, ...]] = []
        self._judged: object = None

    def snapshot(self) -> Snapshot:
        """This moment, to come back to (SQLite only)."""
        self._dispose()
        return Snapshot(
            portal=self.database.read_bytes(),
            gateways=Path(self.gateway.store._path).read_bytes(),
            now=self.now,
            history=self.history,
        )

    def restore(self, moment: Snapshot) -> None:
        """Back to that moment: portal, gateways and clock. No fault is left."""
        self._dispose()
        for file, content in (
            (self.database, moment.portal),
            (Path(self.gateway.store._path), moment.gateways),
        ):
            for end in ("-wal", "-shm"):
                file.with_name(file.name + end).unlink(missing_ok=True)
            file.write_bytes(content)
        self.gateway.faults.clear()
        self.wire.kill_at = None
        self.now = moment.now
        self.history = moment.history
        self._judged = None

    def restart(self) -> None:
        """A new process: the same database, nothing remembered.

        To build the application is a quarter of a history's time, and it keeps nothing
        of a payment: one in so many restarts builds it.
        """
        self._dispose()
        self._restarts += 1
        if self._restarts % REBUILT == 0:
            self.app = self._new_app()
        self.client = self.app.test_client()

    def _dispose(self) -> None:
        if hasattr(self, "app"):
            with self.app.app_context():
                db.session.remove()
                db.engine.dispose()

    def close(self) -> None:
        self._dispose()
        next(self._stack, None)

    @contextmanager
    def process(self) -> Iterator[None]:
        """The portal at work; a kill in it ends it, and a new one starts."""
        try:
            with self.app.app_context():
                yield
        except Killed:
            self.restart()

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.app.app_context():
            yield db.session()

    # Customers -----------------------------------------------------------

    def place(self, service: str = "soporte-online") -> Bought | None:
        """A fresh order; None when the shop does not sell now."""
        support = service == "soporte-online"
        draft = order_service.Draft(
            service_slug=service,
            name=MARKS[0],
            email=MARKS[1],
            phone=f"+56{MARKS[2]}",
            topic_slug="error-del-programa" if support else None,
            problem=MARKS[3],
            windows_bits="32",
            document="boleta",
            tax_rut=None,
            tax_name=None,
            tax_activity=None,
            tax_address=None,
            tax_commune=None,
            address=None,
            commune=None,
            terms_version=1,
            form_key=f"form-{next(_forms)}",
            remote_address="127.0.0.1",
            user_agent="test",
        )
        keys = self.settings.secret_keys
        with self.app.app_context():
            try:
                order = order_service.place(draft, keys=keys, now=self.now)
            except PortalError:
                return None
            return Bought(order.id, path_of(order, keys))

    def start(self, order: Bought, gateway: str) -> attempts.Sent | None:
        """Press "Pagar"; None when the portal or the gateway says no."""
        with self.process():
            try:
                return attempts.start(
                    order.id, gateway, gateways=self.gateways, now=self.now
                )
            except PortalError:
                return None
        return None

    def choose_webpay(self, token: str, code: str, method: str = "") -> BrowserReturn:
        found = webpay_bank.choose(self.gateway.store, token, code, method)
        assert found is not None
        return found

    def choose_mercadopago(self, payment_id: int, code: str) -> account.Paid | None:
        """Pay the attempt's preference; None when the link is over."""
        with self.session() as session:
            preference = session.get_one(Payment, payment_id).preference_id
        try:
            return account.pay(self.gateway.store, self.settings, str(preference), code)
        except PortalError:
            return None

    def panel(self, mp_id: int, act: str, amount: int | None = None) -> bool:
        """An act of Mercado Pago's own panel; whether it was allowed."""
        try:
            account.act_from_panel(self.gateway.store, str(mp_id), act, amount)
        except PortalError:
            return False
        return True

    def follow(self, browser: BrowserReturn) -> int:
        """The browser comes back; the status that it is answered."""
        if browser.method == "NONE":
            return 0
        path = "/" + browser.url.split("://", 1)[1].split("/", 1)[1]
        if browser.method == "POST":
            return self.request("POST", path, data=browser.params)
        return self.request("GET", path, query_string=browser.params)

    def notify(self, mp_id: int, number: int, *, forged: str = "") -> int:
        """One delivery of a notification; `number` makes its request id."""
        secret = forged or self.settings.mercadopago_webhook_secrets[0]
        stamp, request_id = str(int(self.now.timestamp())), f"r{number}"
        manifest = f"id:{mp_id};request-id:{request_id};ts:{stamp};"
        v1 = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
        return self.request(
            "POST",
            "/pago/mercadopago/aviso",
            query_string={"data.id": str(mp_id), "type": "payment"},
            headers={"x-signature": f"ts={stamp},v1={v1}", "x-request-id": request_id},
            json={"data": {"id": "1"}, "status": "approved"},
        )

    def request(self, method: str, path: str, **values: Any) -> int:
        """One request; its status. A kill while it was served is status 0."""
        self.requests += 1
        try:
            answer = self.client.open(path, method=method, **values)
        except Killed:
            self.restart()
            return 0
        status = answer.status_code
        answer.close()
        assert status < 500, f"{method} {path} answered {status}"
        return status

    # Time and the worker -------------------------------------------------

    def advance(self, **units: float) -> None:
        self.now += timedelta(**units)

    @property
    def gateways(self) -> Any:
        return self.app.extensions["portal_gateways"]

    def work(self, *, everything: bool = False) -> None:
        """One round of what the worker does about money."""
        with self.process():
            notifications.process_due(self.gateways, now=self.now)
        with self.process():
            reconcile.reconcile_due(
                self.gateways, now=self.now, everything=everything, limit=500
            )
        with self.process():
            refunds.follow_due(self.gateways, now=self.now)
        with self.process():
            reconcile.close_preferences(self.gateways, now=self.now)

    def expire(self) -> None:
        with self.process():
            reconcile.expire_due(now=self.now)

    def fail(self, operation: str, kind: str, times: int = 1) -> None:
        self.gateway.faults.plan(operation, Fault(kind), times)

    # Judging -------------------------------------------------------------

    def ledger(self) -> judge.Ledger:
        with self.gateway.store.reading() as read:
            return {
                "webpay": [
                    control._webpay_entry(record) for record in read.find("webpay")
                ],
                "payments": read.find(account.PAYMENT),
            }

    def problems(self) -> list[str]:
        """What is broken at this moment, in words; empty when nothing is."""
        written = self._written()
        if written is not None and written == self._judged:
            return []  # nothing was written since all was well
        found = self._judge()
        self._judged = None if found else self._written()
        return found

    def _written(self) -> object:
        """Changes with every commit on SQLite; None: not known."""
        if not self.database.exists():
            return None
        log = self.database.with_name(self.database.name + "-wal")
        files = [path.stat() for path in (self.database, log) if path.exists()]
        return [(file.st_mtime_ns, file.st_size) for file in files]

    def _judge(self) -> list[str]:
        with self.session() as session:
            found = [fault.line() for fault in broken_invariants(session)]
            found += judge.journal_problems(session)
            found += judge.mail_problems(session)
            found += judge.personal_problems(session, MARKS)
            lines = judge.journal(session)
        if lines[: len(self.history)] != self.history:
            found.append("the history did not only grow")
        self.history = lines
        return found

    def final_problems(self) -> list[str]:
        """Faults end, one reconciliation runs, and both ledgers are compared."""
        self.gateway.faults.clear()
        self.wire.kill_at = None
        # A request that was killed holds its leases for a minute.
        self.advance(minutes=2)
        self.work(everything=True)
        found = self.problems()
        ledger = self.ledger()
        with self.session() as session:
            found += judge.ledger_problems(session, ledger)
            found += judge.refund_problems(session, ledger)
        return [*found, judge.dump(ledger)] if found else []

    def state_of(self, order: Bought) -> str:
        with self.session() as session:
            return get_order(session, order.id).state


def world_settings(url: str, folder: Path) -> Settings:
    made = load_settings(
        {
            "PORTAL_MODE": "demo",
            "DATABASE_URL": url,
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": "http://localhost",
            "MERCADOPAGO_API_URL": f"{URL}/mercadopago",
            "WEBPAY_API_URL": f"{URL}/webpay",
        }
    )
    return replace(made, state_dir=folder)


def prepare_database(settings: Settings) -> None:
    """Every table, the catalogue and the terms, as a new installation has them."""
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        stamp()
        terms_service.set_up(NOON)
        with transaction() as session:
            add_people(session)
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
        db.session.remove()
        db.engine.dispose()


def add_people(session: Session) -> None:
    """One technician (1) and one owner (2)."""
    from support_cases import add_staff

    add_staff(session, "Ana")
    add_staff(session, "Dueña", role="owner")
